"""The way in by the text that a call sent: a page that asks for what only the caller hears."""

from django.http import HttpRequest

from doenda.channels.web import language
from doenda.channels.web.presenter import Button, Input, Page, frame
from doenda.kernel import texts


def invitation(request: HttpRequest, *, wrong: bool = False) -> Page:
    """The page of the text that a call sent: it asks for the digits that only the caller hears."""
    lang = language.of(request)
    label = texts.say("web-join-digits", lang)
    return Page(
        lang=lang,
        name="web.join",
        title=texts.say("web-join", lang, part="title"),
        action=request.path,
        signed="",
        error=texts.say("web-join-wrong", lang) if wrong else "",
        paragraphs=[texts.say("web-join", lang)],
        inputs=[Input("digits", "code", label, "", (), wrong=wrong)],
        submit=Button("join", texts.say("web-join--submit", lang)),
        frame=frame(lang),
    )


def over(request: HttpRequest) -> Page:
    """The link was used, or is too old: where to go on instead."""
    lang = language.of(request)
    return Page(
        lang=lang,
        name="web.joined",
        title=texts.say("web-join-over", lang, part="title"),
        action="/",
        signed="",
        tone="attention",
        paragraphs=[texts.say("web-join-over", lang)],
        link=("/", texts.say("web-join-over--door", lang)),
        frame=frame(lang),
    )

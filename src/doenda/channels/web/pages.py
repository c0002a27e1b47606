"""Which page a request sees: from a link or a visit to the `Page` that the one template renders. Reads only."""

from dataclasses import replace

from django.http import HttpRequest

from doenda.billing.models import Account, Bill
from doenda.channels import beside
from doenda.channels.speech import Subject, arguments, attempt_of, method_name
from doenda.channels.web import forms, language, launching, together
from doenda.channels.web.presenter import Button, Page, frame, present
from doenda.journeys import actions
from doenda.journeys.catalog import JOURNEYS
from doenda.journeys.engine import State
from doenda.journeys.sessions import Visit
from doenda.journeys.steps import Choose, Do
from doenda.kernel import texts

_OWING = frozenset({"bill", "part", "date", "already", "method", "mandate"})
_TO_COME = frozenset({"deposit", "debit"})
"""Steps, and promises of money to come, that make no sense once nothing is owed any more."""


def of_error(request: HttpRequest, text: str) -> Page:
    """What happened, whether money moved, and where to go on."""
    lang = language.of(request)
    return Page(
        lang=lang,
        name=f"error.{text}",
        title=texts.say("web-error-title", lang),
        action="/",
        signed="",
        tone="attention",
        paragraphs=[texts.say(f"web-error-{text}", lang)],
        link=("/", texts.say("web-error-again", lang)),
        frame=frame(lang),
    )


def settled(account: Account, bill: Bill, *, lang: str, action: str, key: str) -> Page:
    """The receipt of a bill on which nothing is owed, whoever paid it."""
    last = actions.that_paid(bill.id)
    state = State("paid", {"receipt": "nothing_due", "attempt": str(last.id) if last else ""})
    return present(JOURNEYS["pay"], state, lang=lang, action=action, subject_key=key, subject=Subject(account, bill))


def of_visit(request: HttpRequest, here: Visit) -> Page:
    """The step on which the visit stands."""
    lang = language.of(request, here.session.lang)
    page = _of_visit(request, here, lang)
    page.together = together.of(here, lang)
    if page.together is None and here.session.account is not None and not here.over and beside.can_call():
        page.to_call = together.to_call(here, lang)
    return page


def _of_visit(request: HttpRequest, here: Visit, lang: str) -> Page:
    if here.busy or isinstance(here.step, Do):
        return _working(here, lang)
    subject, action = subject_of(here), f"/s/{here.address}"
    owing = here.state.step in _OWING or (here.over and here.state.data.get("promise") in _TO_COME)
    if subject is not None and not subject.bill.remaining and owing:
        return settled(subject.account, subject.bill, lang=lang, action=action, key=here.address)
    page = present(
        here.journey,
        here.state,
        lang=lang,
        action=action,
        subject_key=here.address,
        subject=subject,
        session=here.session,
    )
    if language.said(request, "GET").get("stale"):
        page.notes.insert(0, texts.say("frame-stale", lang))
    if here.state.step == "away":
        _away(page, here)
    if here.state.step == "script":
        _script(page, here)
    if isinstance(here.step, Choose) and not page.options:
        _nothing_to_choose(page)
    if here.over and subject is not None and subject.bill.remaining and here.state.data.get("promise") != "unknown":
        page.buttons.append(Button("again", texts.say("web-again", lang)))
    return page


def subject_of(here: Visit) -> Subject | None:
    if here.journey.name == "enter" or here.session.account is None or here.session.bill is None:
        return None
    return Subject(here.session.account, here.session.bill)


def provider_page(visit: Visit) -> str:
    """Where the customer goes to pay."""
    attempt = attempt_of(visit.state)
    return attempt.redirect_url if attempt and attempt.redirect_url else f"/s/{visit.address}"


def _working(here: Visit, lang: str) -> Page:
    """Something of ours is under way, or has to be done before we can go on: a button, and no script (design rule 13).

    A payment page that has closed behind the customer's back says so: nobody should think that it paid.
    """
    closed = here.state.data.get("note") == "expired" and not here.busy
    attempt = attempt_of(here.state) if closed else None
    waited = attempt is not None and attempt.details.get("pay_into")
    said = "web-working" if not closed else "web-shut" if waited else "web-closed"
    return Page(
        lang=lang,
        name="web.working",
        title=texts.say(said, lang, part="title"),
        action=f"/s/{here.address}",
        signed=forms.sign(here.address, here.state.step, here.state.version),
        tone="attention",
        paragraphs=[texts.say(said, lang)],
        buttons=[Button("check", texts.say(f"{said}--check", lang))],
        frame=frame(lang),
    )


def _away(page: Page, here: Visit) -> None:
    """The customer stands between us and the provider's page: the one thing to do here is to go there."""
    args = arguments(subject_of(here), here.state, page.lang)
    page.link = (provider_page(here), texts.say("pay-away-go", page.lang, **args))
    page.buttons = [button for button in page.buttons if button.value != "returned"]


def _script(page: Page, here: Visit) -> None:
    """A button that opens the provider's window, and beside it what works where no script runs."""
    attempt = attempt_of(here.state)
    script = launching.script_of(attempt)
    by_name = {button.value: button for button in page.buttons}
    page.buttons = [by_name["other"], by_name["cancelled"]]
    if attempt is None or script is None:
        return
    args = arguments(subject_of(here), here.state, page.lang)
    plain = actions.listed("ways_to_pay", here.session, scripts=False)
    without = [texts.say("pay-script-without", page.lang, **args)]
    if plain:
        names = ", ".join(method_name(way.method, page.lang) for way in plain)
        without.append(texts.say("pay-script-instead", page.lang, ways=names))
    page.script = launching.launch(
        attempt,
        script,
        go=texts.say("pay-script-works", page.lang, **args),
        refused=texts.say("refused-card", page.lang, **args),
        without=tuple(without),
        elsewhere=texts.say("pay-script--no_scripts", page.lang, **args),
    )


def _nothing_to_choose(page: Page) -> None:
    """Every way was withdrawn while the page was open: sending the form finds that out and makes a promise."""
    assert page.submit is not None
    page.figure = ""
    page.paragraphs = [texts.say("pay-reported-no_ways", page.lang)]
    page.submit = replace(page.submit, label=texts.say("pay-reported--enough", page.lang))

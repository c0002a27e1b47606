"""The customer's pages. GET shows and moves nothing; POST takes one answer and redirects to what comes next."""

from collections.abc import Mapping
from datetime import timedelta

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from doenda.access import tokens
from doenda.access.policy import by_session, by_token, public
from doenda.billing.models import Account, Bill
from doenda.channels.web import forms, language
from doenda.channels.web.presenter import Button, Page, frame, present
from doenda.channels.web.speech import Subject, arguments, attempt_of
from doenda.journeys import catalog, sessions
from doenda.journeys.catalog import JOURNEYS
from doenda.journeys.engine import NotAnOutcome, State, begin
from doenda.journeys.sessions import NoSession, Visit
from doenda.journeys.steps import Do
from doenda.kernel import clock, texts

CHANNEL = "web"
AFTER_CLOSING = timedelta(days=30)
"""A link shows its receipt this long after the bill is closed (design rule 11)."""

_pages = require_http_methods(["GET", "HEAD", "POST"])


def _show(request: HttpRequest, page: Page, status: int = 200) -> HttpResponse:
    response = render(request, "web/step.html", {"page": page}, status=status)
    response["Cache-Control"] = "no-store"
    response["X-Robots-Tag"] = "noindex"
    response["Content-Language"] = page.lang
    return response


def failure(request: HttpRequest, text: str, status: int) -> HttpResponse:
    """A page that says what happened, whether money moved, and where to go on."""
    lang = language.of(request)
    page = Page(
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
    return _show(request, page, status)


def _to(visit: Visit) -> HttpResponse:
    stale = "?stale=1" if visit.stale else ""
    return HttpResponseRedirect(f"/s/{visit.address}{stale}", status=303)


def _values(request: HttpRequest) -> Mapping[str, str]:
    return {name: value for name, value in request.POST.items() if isinstance(value, str)}


def _answer(request: HttpRequest, visit: Visit, form: forms.Answers) -> HttpResponse:
    lang = language.of(request, visit.session.lang)
    if lang != visit.session.lang:
        sessions.set_lang(visit.address, lang)
    try:
        after = sessions.answer(
            visit.address,
            step=form.step,
            version=form.version,
            outcome=request.POST.get("do", ""),
            values=_values(request),
            visitor=request.META.get("REMOTE_ADDR", ""),
        )
    except NotAnOutcome:
        return failure(request, "bad", 400)
    if after.state.step == "away" and form.step == "method" and not after.stale:
        return HttpResponseRedirect(_provider_page(after), status=303)
    return _to(after)


def _provider_page(visit: Visit) -> str:
    attempt = attempt_of(visit.state)
    return attempt.redirect_url if attempt and attempt.redirect_url else f"/s/{visit.address}"


@public
@_pages
def enter(request: HttpRequest) -> HttpResponse:
    """The door without a link: phone number and code."""
    lang, journey = language.of(request), JOURNEYS["enter"]
    if request.method == "POST":
        form = forms.read("enter", request.POST.get("f", ""))
        if form is None:
            return failure(request, "bad", 400)
        return _answer(request, sessions.open_session("enter", channel=CHANNEL, lang=lang), form)
    return _show(request, present(journey, begin(journey), lang=lang, action="/", subject_key="enter"))


@by_token
@_pages
def bill(request: HttpRequest, token: str) -> HttpResponse:
    """A link: the bill while it is open, its receipt for a while after; strangers' and old links get one answer."""
    found = tokens.find(token)
    row = Bill.objects.select_related("account").filter(pk=found.subject_id).first() if found else None
    if row is None or (row.closed_at is not None and row.closed_at < clock.now() - AFTER_CLOSING):
        return _expired(request, token, row)
    lang = language.of(request)
    subject = Subject(row.account, row)
    journey = JOURNEYS["pay"]
    if row.remaining == 0:
        page = present(
            journey,
            State("paid", {"receipt": "nothing_due"}),
            lang=lang,
            action=f"/p/{token}",
            subject_key=token,
            subject=subject,
        )
        return _show(request, page)
    if request.method == "POST":
        form = forms.read(token, request.POST.get("f", ""))
        if form is None:
            return failure(request, "bad", 400)
        visit = sessions.open_session("pay", channel=CHANNEL, lang=lang, account_id=row.account_id, bill_id=row.id)
        return _answer(request, visit, form)
    page = present(journey, begin(journey), lang=lang, action=f"/p/{token}", subject_key=token, subject=subject)
    return _show(request, page)


def _expired(request: HttpRequest, token: str, row: Bill | None) -> HttpResponse:
    lang, journey = language.of(request), JOURNEYS["enter"]
    state = begin(journey, "expired")
    if request.method == "POST":
        form = forms.read(token[:40], request.POST.get("f", ""))
        if form is None:
            return failure(request, "bad", 400)
        visit = sessions.open_session(
            "enter",
            channel=CHANNEL,
            lang=lang,
            entry="expired",
            account_id=row.account_id if row else None,
            bill_id=row.id if row else None,
        )
        return _answer(request, visit, form)
    page = present(journey, state, lang=lang, action=request.path, subject_key=token[:40])
    return _show(request, page)


@by_session
@_pages
def visit(request: HttpRequest, address: str) -> HttpResponse:
    """One visit: the step it stands on; a POST answers it."""
    try:
        here = sessions.look(address)
    except NoSession:
        return failure(request, "gone", 404)
    if request.method == "POST":
        form = forms.read(address, request.POST.get("f", ""))
        if form is None:
            return failure(request, "bad", 400)
        return _answer(request, here, form)
    return _show(request, _page_of(request, here))


def _page_of(request: HttpRequest, here: Visit) -> Page:
    lang = language.of(request, here.session.lang)
    if here.busy or isinstance(here.step, Do):
        return _working(here, lang)
    page = present(
        here.journey,
        here.state,
        lang=lang,
        action=f"/s/{here.address}",
        subject_key=here.address,
        subject=_subject(here),
        session=here.session,
    )
    if request.GET.get("stale"):
        page.notes.insert(0, texts.say("frame-stale", lang))
    if here.state.step == "away":
        _away(page, here, lang)
    return page


def _subject(here: Visit) -> Subject | None:
    if here.journey.name == "enter" or here.session.account is None or here.session.bill is None:
        return None
    account: Account = here.session.account
    return Subject(account, here.session.bill)


def _working(here: Visit, lang: str) -> Page:
    """An action of this visit is under way: a page that can be asked again, without a script (design rule 13)."""
    return Page(
        lang=lang,
        name="web.working",
        title=texts.say("web-working", lang, part="title"),
        action=f"/s/{here.address}",
        signed=forms.sign(here.address, here.state.step, here.state.version),
        tone="attention",
        paragraphs=[texts.say("web-working", lang)],
        buttons=[Button("check", texts.say("web-working--check", lang))],
        frame=frame(lang),
    )


def _away(page: Page, here: Visit, lang: str) -> None:
    """The customer stands between us and the provider's page: the one thing to do here is to go there."""
    args = {"method": "", "amount": ""} | _away_args(here, lang)
    page.link = (_provider_page(here), texts.say("pay-away-go", lang, **args))
    page.buttons = [button for button in page.buttons if button.value != "returned"]


def _away_args(here: Visit, lang: str) -> dict[str, str]:
    return arguments(_subject(here), here.state, lang)


@by_session
@require_http_methods(["GET", "HEAD"])
def returned(request: HttpRequest, address: str) -> HttpResponse:
    """Back from the provider's page. Nothing moves on this GET: the page asks "is this right?", its button pays."""
    try:
        here = sessions.look(address)
    except NoSession:
        return failure(request, "gone", 404)
    lang = language.of(request, here.session.lang)
    page = _page_of(request, here)
    if here.state.step != "away" or here.busy:
        return _show(request, page)
    args = _away_args(here, lang)
    page.link = None
    words = {new: request.GET.get(old, "")[:200] for new, old in _BACK.items()}
    if request.GET.get("code"):
        page.name = "pay.away.cancelled"
        page.title = texts.say("pay-refused", lang, part="title")
        page.tone = "loss"
        page.paragraphs = [texts.say("refused-cancelled", lang, **args)]
        page.buttons = [button for button in page.buttons if button.value == "other"]
        return _show(request, page)
    page.name = "pay.away.returned"
    page.title = texts.say("pay-away-right", lang, part="title", **args)
    page.paragraphs = [texts.say("pay-away-right", lang, **args)]
    page.hidden = words
    page.buttons = sorted(_page_buttons(here, lang), key=lambda button: button.value != "returned")
    return _show(request, page)


_BACK = {"order_id": "order_id", "ref": "payment_key", "paid_amount": "amount"}


def _page_buttons(here: Visit, lang: str) -> list[Button]:
    args = _away_args(here, lang)
    return [
        Button(button.outcome, texts.say(button.label, lang, **args))
        for button in catalog.buttons(here.journey, here.step)
        if not button.framed
    ]


@public
def robots(request: HttpRequest) -> HttpResponse:
    return HttpResponse("User-agent: *\nDisallow: /\n", content_type="text/plain")


@public
def health(request: HttpRequest) -> HttpResponse:
    """Is this process alive and its database reachable? Says nothing else."""
    Bill.objects.only("pk").first()
    return HttpResponse("ok", content_type="text/plain")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return failure(request, "gone", 404)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return failure(request, "bad", 400)


def server_error(request: HttpRequest) -> HttpResponse:
    return failure(request, "ours", 500)

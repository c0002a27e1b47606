"""The customer's pages. GET shows and moves nothing; POST takes one answer and redirects to what comes next."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.csp import csp_override

from doenda.access import tokens, visitor
from doenda.access.policy import by_session, by_token, public
from doenda.assurance import devices
from doenda.billing.models import Bill
from doenda.channels import beside
from doenda.channels.speech import Subject
from doenda.channels.web import forms, joining, language, pages, returning, together
from doenda.channels.web.presenter import Page, present
from doenda.journeys import screens, sessions
from doenda.journeys.catalog import JOURNEYS
from doenda.journeys.engine import NotAnOutcome, begin
from doenda.journeys.reading import still_shown
from doenda.journeys.screens import NoInvitation
from doenda.journeys.sessions import NoSession, Visit

CHANNEL = "web"

type View = Callable[..., HttpResponse]


def _show(request: HttpRequest, page: Page, status: int = 200) -> HttpResponse:
    page.switch = language.switch(request, page.lang)

    def show(request: HttpRequest) -> HttpResponse:
        return render(request, "web/step.html", {"page": page}, status=status)

    policies = [each.policy for each in (page.script, page.together) if each is not None]
    response = csp_override(together.merged(policies))(show)(request) if policies else show(request)
    response["X-Robots-Tag"] = "noindex"
    response["Content-Language"] = page.lang
    return _unstored(response)


def _unstored(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    return response


def failure(request: HttpRequest, text: str, status: int) -> HttpResponse:
    """A page that says what happened, whether money moved, and where to go on."""
    return _show(request, pages.of_error(request, text), status)


def _answers(*methods: str) -> Callable[[View], View]:
    """Refuse other methods, and forms that are none of ours before anything of them is read or stored."""

    def wrap(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.method not in methods:
                response = failure(request, "bad", 405)
                response["Allow"] = ", ".join(methods)
                return response
            if request.method == "POST" and request.content_type != language.FORM:
                return failure(request, "bad", 415)
            return view(request, *args, **kwargs)

        return guarded

    return wrap


def _go(address: str) -> HttpResponse:
    return _unstored(HttpResponseRedirect(address, status=303))


def _to(visit: Visit) -> HttpResponse:
    return _go(f"/s/{visit.address}{'?stale=1' if visit.stale else ''}")


def _device(request: HttpRequest) -> str:
    """The kind of device that the browser says it is."""
    return devices.recognised(request.headers.get("User-Agent", ""))


def _values(request: HttpRequest) -> Mapping[str, str]:
    return {name: value for name, value in request.POST.items() if isinstance(value, str)}


def _answer(request: HttpRequest, address: str, form: forms.Answers) -> HttpResponse:
    try:
        after = sessions.answer(
            address,
            step=form.step,
            version=form.version,
            outcome=request.POST.get("do", ""),
            values=_values(request),
            visitor=visitor.address(request),
            lang=language.chosen(request),
            device=_device(request),
            channel=CHANNEL,
        )
    except NoSession:
        return failure(request, "gone", 404)
    except NotAnOutcome:
        return failure(request, "bad", 400)
    if after.state.step == "away" and form.step == "method" and not after.stale:
        return _go(pages.provider_page(after))
    return _to(after)


@public
@_answers("GET", "HEAD", "POST")
def enter(request: HttpRequest) -> HttpResponse:
    """The door without a link: phone number and code."""
    lang, journey = language.of(request), JOURNEYS["enter"]
    if request.method == "POST":
        form = forms.read("enter", request.POST.get("f", ""))
        if form is None:
            return failure(request, "bad", 400)
        return _answer(request, sessions.open_session("enter", channel=CHANNEL, lang=lang).address, form)
    return _show(request, present(journey, begin(journey), lang=lang, action="/", subject_key="enter"))


@by_token
@_answers("GET", "HEAD", "POST")
def bill(request: HttpRequest, token: str) -> HttpResponse:
    """A link: the bill while it is open, its receipt for a while after; strangers' and old links get one answer."""
    found = tokens.find(token)
    row = Bill.objects.select_related("account").filter(pk=found.subject_id).first() if found else None
    if row is None or not still_shown(row.id):
        return _expired(request, token, row)
    lang, action = language.of(request), f"/p/{token}"
    if row.remaining == 0:
        return _show(request, pages.settled(row.account, row, lang=lang, action=action, key=token))
    if request.method == "POST":
        form = forms.read(token, request.POST.get("f", ""))
        if form is None:
            return failure(request, "bad", 400)
        visit = sessions.open_session(
            "pay", channel=CHANNEL, lang=lang, account_id=row.account_id, bill_id=row.id, device=_device(request)
        )
        return _answer(request, visit.address, form)
    journey, subject = JOURNEYS["pay"], Subject(row.account, row)
    page = present(journey, begin(journey), lang=lang, action=action, subject_key=token, subject=subject)
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
        return _answer(request, visit.address, form)
    page = present(journey, state, lang=lang, action=request.path, subject_key=token[:40])
    return _show(request, page)


@by_session
@_answers("GET", "HEAD", "POST")
def visit(request: HttpRequest, address: str) -> HttpResponse:
    """One visit: the step it stands on; a POST answers it, which looks at it under its own lock."""
    form = forms.read(address, request.POST.get("f", "")) if request.method == "POST" else None
    if form is not None and request.POST.get("do") != "again":
        return _answer(request, address, form)
    try:
        here = sessions.look(address, device=_device(request), channel=CHANNEL)
    except NoSession:
        return failure(request, "gone", 404)
    if here.address != address:
        return _to(here)
    if request.method == "POST":
        if form is None:
            return failure(request, "bad", 400)
        if here.over and pages.subject_of(here) is not None:
            return _again(request, here)
        return _answer(request, address, form)
    return _show(request, pages.of_visit(request, here))


def _again(request: HttpRequest, over: Visit) -> HttpResponse:
    """A visit that has ended is not taken up again: the bill is shown in a new one."""
    old, lang = over.session, language.of(request, over.session.lang)
    visit = sessions.open_session(
        "pay", channel=CHANNEL, lang=lang, account_id=old.account_id, bill_id=old.bill_id, device=_device(request)
    )
    return _to(visit)


@by_token
@_answers("GET", "HEAD", "POST")
def screen(request: HttpRequest, token: str) -> HttpResponse:
    """The link that a call sent: with the digits that the caller hears, page and call walk one session."""
    try:
        if request.method != "POST":
            screens.find(token)
            return _show(request, joining.invitation(request))
        address = screens.join(token, language.said(request, "POST").get("digits", ""))
    except NoInvitation:
        return _show(request, joining.over(request))
    return _go(f"/s/{address}") if address else _show(request, joining.invitation(request, wrong=True))


@by_session
@_answers("GET", "HEAD", "POST")
def place(request: HttpRequest, address: str) -> HttpResponse:
    """What is chosen beside the page of a call: to be called back, or to wait no more. Anything else only looks."""
    try:
        here = sessions.look(address, channel=CHANNEL)
    except NoSession:
        return failure(request, "gone", 404)
    if request.method == "POST":
        form, what = forms.read(address, request.POST.get("f", "")), request.POST.get("do", "")
        if form is None or form.step != together.PLACE:
            return failure(request, "bad", 400)
        if what in beside.CHOICES:
            beside.choose(here.session, what)
        elif what == "to_call" and beside.can_call():
            screens.show_code(here.address)
    return _to(here)


@by_session
@_answers("GET", "HEAD")
def returned(request: HttpRequest, address: str) -> HttpResponse:
    """Back from the provider's page. Nothing moves on this GET."""
    try:
        here = sessions.look(address, device=_device(request), channel=CHANNEL)
    except NoSession:
        return failure(request, "gone", 404)
    return _show(request, returning.of_return(request, here))


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

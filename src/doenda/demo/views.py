"""The demo page: a phone, a panel that breaks the world and moves time, and what happened inside. Loopback only.

GET shows; each POST changes the world outside or the clock and leads back. It works without its small script, which
only draws the live parts anew every two seconds.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseForbidden, HttpResponseRedirect
from django.shortcuts import render
from django.utils.csp import CSP
from django.views.decorators.csp import csp_override
from django.views.decorators.http import require_GET, require_POST

from doenda.access.policy import demo_only
from doenda.billing.models import Account
from doenda.demo import carrier, faults, inside, jump, messages, showing, timeline, world
from doenda.kernel import clock

_CSP = {
    "default-src": [CSP.NONE],
    "style-src": [CSP.NONCE],
    "script-src": [CSP.NONCE],
    "connect-src": [CSP.SELF],
    "form-action": [CSP.SELF],
    "base-uri": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
}
STEPS = {
    "hour": ("+1 hour", timedelta(hours=1)),
    "day": ("+1 day", timedelta(days=1)),
    "week": ("+7 days", timedelta(7)),
}
FOUND = 12

type View = Callable[[HttpRequest], HttpResponse]


def _account(request: HttpRequest) -> Account | None:
    """The customer in view: the named one, else the first of the cast, else anybody."""
    known = Account.objects.filter(probe=False)
    number = request.GET.get("a", "") or request.POST.get("a", "")
    return known.filter(number=number[:64]).first() or known.order_by("number").first()


def _live(request: HttpRequest) -> dict[str, Any]:
    """All that changes while one looks."""
    account, now = _account(request), clock.now()
    found: dict[str, Any] = {
        "base": settings.DOENDA_BASE_URL,
        "now": showing.moment(now),
        "weekday": f"{clock.local(now):%a %-d %B %Y}",
        "ahead": showing.span(now - clock.wall()) if now - clock.wall() > timedelta(minutes=1) else "",
        "jump": jump.progress(),
        "boards": _boards(),
        "ways": inside.ways(),
        "outbox": inside.outbox(),
        "account": account,
    }
    return found | (_of_account(account) if account else {})


def _of_account(account: Account) -> dict[str, Any]:
    who = inside.who(account)
    inbox = world.inbox(who.phones)
    ahead = inside.next_step(account)
    return {
        "who": who,
        "messages": None if inbox is None else [messages.shown(one) for one in inbox[:30]],
        "named": inside.named(who.language),
        "case": inside.case(account),
        "next": (showing.moment(ahead[0]), ahead[1]) if ahead else None,
        "tables": [f(account) for f in (inside.attempts, inside.bills, inside.lines, inside.ledger, inside.tickets)],
        "timeline": timeline.of_account(account),
    }


def _boards() -> list[dict[str, Any]]:
    """What is broken at each peer, in words; None where it does not answer."""
    shown = []
    for peer in world.PEERS:
        board = world.faults(peer)
        broken = None if board is None else faults.described(peer, board)
        shown.append({"peer": peer, "lines": broken})
    return shown


def _note(account: Account) -> str:
    """Who this is."""
    cast = {one.account: one.note for one in carrier.cast(clock.today())}
    return f"{account.number}: {cast.get(account.number, 'one of the others')}"


def _customers(query: str) -> list[dict[str, str]]:
    """The cast; or whom the search finds by name, account, or the end of a phone number."""
    cast = {one.account: one.note for one in carrier.cast(clock.today())}
    rows = Account.objects.filter(probe=False)
    if query:
        by = Q(number__icontains=query) | Q(roles__party__name__icontains=query)
        digits = "".join(letter for letter in query if letter.isdigit())
        if len(digits) >= 4:
            by |= Q(lines__number__endswith=digits.removeprefix("0")[-8:])
        rows = rows.filter(pk__in=rows.filter(by).values("pk"))
    else:
        rows = rows.filter(number__in=cast)
    return [
        {"number": row.number, "name": inside.who(row).name, "note": cast.get(row.number, row.number)}
        for row in rows.order_by("number")[:FOUND]
    ]


@demo_only
@require_GET
@csp_override(_CSP)
def page(request: HttpRequest) -> HttpResponse:
    """The whole page."""
    query = request.GET.get("q", "").strip()[:60]
    catalogue = [
        {"peer": peer, "keys": faults.KEYS if peer == "bank" else {}, "faults": known}
        for peer, known in faults.KNOWN.items()
    ]
    found = _live(request)
    account: Account | None = found["account"]
    context = found | {
        "query": query,
        "customers": _customers(query),
        "note": _note(account) if account else "",
        "presets": faults.PRESETS,
        "catalogue": catalogue,
        "steps": {name: words for name, (words, _) in STEPS.items()},
    }
    return _fresh(render(request, "demo/page.html", context))


@demo_only
@require_GET
@csp_override(_CSP)
def live(request: HttpRequest) -> HttpResponse:
    """The live parts alone, for the script."""
    return _fresh(render(request, "demo/live.html", _live(request)))


def _fresh(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    response["X-Robots-Tag"] = "noindex"
    return response


def _ours(view: View) -> View:
    """Refuse a POST that another site's page makes the visitor's browser send."""

    def guarded(request: HttpRequest) -> HttpResponse:
        if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
            return HttpResponseForbidden("only the demo page itself may do this", content_type="text/plain")
        return view(request)

    return guarded


def _back(request: HttpRequest) -> HttpResponse:
    chosen = {name: request.POST[name] for name in ("a",) if request.POST.get(name)}
    return HttpResponseRedirect(f"/demo/?{urlencode(chosen)}" if chosen else "/demo/", status=303)


def _unreachable(peer: str) -> HttpResponse:
    return HttpResponse(f"the {peer} is not reachable", status=502, content_type="text/plain")


@demo_only
@require_POST
@_ours
def fault(request: HttpRequest) -> HttpResponse:
    """Plan a fault, by its preset or by hand; what was planned under the same key is replaced."""
    asked = _asked(request)
    if asked is None:
        return HttpResponseBadRequest("no such fault", content_type="text/plain")
    peer, key, said = asked
    board = world.faults(peer)
    if board is None or not world.plan(peer, {**board, key: said}):
        return _unreachable(peer)
    return _back(request)


def _asked(request: HttpRequest) -> tuple[str, str, dict[str, Any]] | None:
    chosen = faults.preset(request.POST.get("preset", ""))
    if chosen:
        return chosen.peer, chosen.key, chosen.said
    peer, key, name = (request.POST.get(field, "") for field in ("peer", "key", "fault"))
    times = {"once": 1, "three": 3}.get(request.POST.get("times", ""))
    key = key or "*"
    return (peer, key, faults.document(name, None, times)) if faults.known(peer, key, name) else None


@demo_only
@require_POST
@_ours
def heal(request: HttpRequest) -> HttpResponse:
    """Mend one peer, or all."""
    named = request.POST.get("peer", "")
    if named and named not in world.PEERS:
        return HttpResponseBadRequest("no such peer", content_type="text/plain")
    silent = [peer for peer in world.PEERS if named in ("", peer) and not world.plan(peer, {})]
    return _unreachable(", ".join(silent)) if silent else _back(request)


@demo_only
@require_POST
@_ours
def jump_ahead(request: HttpRequest) -> HttpResponse:
    """Make time pass: by a fixed step, or to where something happens to the customer in view."""
    wanted = request.POST.get("step", "")
    if wanted in STEPS:
        words, step = STEPS[wanted]
    elif wanted == "next":
        account = _account(request)
        ahead = inside.next_step(account) if account else None
        if ahead is None:
            return HttpResponse("nothing is ahead for this customer", status=409, content_type="text/plain")
        words, step = f"to {showing.moment(ahead[0])}: {ahead[1]}", ahead[0] - clock.now() + timedelta(seconds=1)
    else:
        return HttpResponseBadRequest("no such step", content_type="text/plain")
    if not jump.start(max(step, timedelta(0)), words):
        return HttpResponse("a jump is under way", status=409, content_type="text/plain")
    return _back(request)

"""The public board: what works now, what does not, and since when. The same facts as a page and as JSON.

It names as working only what guidance names in a text; of a failure it tells the method, never the provider.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from doenda.access.policy import public
from doenda.assurance import guidance, incidents
from doenda.assurance.models import Incident
from doenda.channels.web import language
from doenda.channels.web.presenter import frame
from doenda.kernel import clock, texts, words
from doenda.kernel.money import Money

FRESH = 5
"""Seconds for which a browser or a cache may keep the board: guidance itself is no older than that."""
DAYS = 14


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an incident's timeline."""

    at: datetime
    what: str
    method: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """An incident as the public sees it; seconds from its onset to our knowing, and to its repair."""

    incident: Incident
    kind: str
    methods: tuple[str, ...]
    timeline: tuple[Line, ...]

    @property
    def detection_seconds(self) -> float:
        return (self.incident.detected_at - self.incident.onset).total_seconds()

    @property
    def repair_seconds(self) -> float | None:
        mended = self.incident.mended_at
        return None if mended is None else (mended - self.incident.onset).total_seconds()


@dataclass(frozen=True, slots=True)
class Board:
    """`known` False: the database does not answer, so nothing is said to work."""

    at: datetime
    known: bool = False
    methods: tuple[str, ...] = ()
    valid_until: datetime | None = None
    told: tuple[Told, ...] = field(default_factory=tuple)


def board() -> Board:
    """What is known at this moment. Reads only."""
    try:
        seen, found = guidance.snapshot(), incidents.shown(DAYS)
    except (OperationalError, InterfaceError):
        return Board(clock.now())
    methods = tuple(dict.fromkeys(way.method for way in seen.named("notice")))
    return Board(clock.now(), bool(seen.ways), methods, seen.valid_until, tuple(_told(each) for each in found))


def _told(incident: Incident) -> Told:
    events = sorted(incident.events.all(), key=lambda event: (event.at, event.pk))
    lines = tuple(dict.fromkeys(Line(event.at, event.what, _method(event.way)) for event in events))
    methods = tuple(dict.fromkeys(_method(event.way) for event in events if event.way))
    return Told(incident, incident.cause.partition(":")[0], methods, lines)


def _method(way: str) -> str:
    return way.split("/")[1] if way else ""


@public
def status(request: HttpRequest) -> HttpResponse:
    """`GET /status`: the page, or JSON for who asks for it by the header or as `/status.json`."""
    if request.method not in {"GET", "HEAD"}:
        return HttpResponse(status=405, headers={"Allow": "GET, HEAD"})
    now = board()
    code = 200 if now.known else 503
    wants_json = request.path.endswith(".json") or request.get_preferred_type(["text/html", "application/json"]) == (
        "application/json"
    )
    response = JsonResponse(as_json(now), status=code) if wants_json else _page(request, now, code)
    response["Cache-Control"] = f"public, max-age={FRESH}" if now.known else "no-store"
    response["Vary"] = "Accept, Accept-Language"
    return response


def as_json(now: Board) -> dict[str, Any]:
    """The board as plain values: instants in ISO 8601, seconds, amounts in minor units."""
    return {
        "at": now.at.isoformat(),
        "known": now.known,
        "no_way": now.known and not now.methods,
        "methods": list(now.methods),
        "valid_until": now.valid_until.isoformat() if now.valid_until else None,
        "incidents": [_incident(each) for each in now.told],
    }


def _incident(each: Told) -> dict[str, Any]:
    row = each.incident
    return {
        "id": str(row.pk),
        "kind": each.kind,
        "open": row.mended_at is None,
        "methods": list(each.methods),
        "onset": row.onset.isoformat(),
        "detected_at": row.detected_at.isoformat(),
        "mended_at": row.mended_at.isoformat() if row.mended_at else None,
        "detection_seconds": each.detection_seconds,
        "repair_seconds": each.repair_seconds,
        "customers": row.affected,
        "money_delayed": row.delayed,
        "currency": row.currency,
        "timeline": [{"at": line.at.isoformat(), "what": line.what, "method": line.method} for line in each.timeline],
    }


def _page(request: HttpRequest, now: Board, code: int) -> HttpResponse:
    lang = language.of(request)
    failing = any(each.incident.mended_at is None for each in now.told)
    said = {
        "lang": lang,
        "frame": frame(lang),
        "switch": language.switch(request, lang),
        "title": texts.say("status-title", lang, part="title"),
        "state": _state(now, lang),
        "tone": "done" if now.methods and not failing else "attention",
        "at": texts.say("status-at", lang, when=words.moment(now.at, lang)),
        "open": [_shown(each, lang) for each in now.told if each.incident.mended_at is None],
        "past": [_shown(each, lang) for each in now.told if each.incident.mended_at is not None],
        "past_title": texts.say("status-past", lang, days=str(DAYS)),
        "none": texts.say("status-none", lang),
    }
    return render(request, "web/status.html", {"page": said}, status=code)


def _state(now: Board, lang: str) -> list[str]:
    if not now.known:
        return [texts.say("status-unknown", lang)]
    if not now.methods:
        return [texts.say("status-no-way", lang)]
    works = ", ".join(guidance.method_name(method, lang) for method in now.methods)
    return [texts.say("status-works", lang, ways=works)]


def _shown(each: Told, lang: str) -> dict[str, Any]:
    row = each.incident
    methods = ", ".join(guidance.method_name(method, lang) for method in each.methods)
    title = texts.say(f"status-incident-{each.kind.replace('_', '-')}", lang, methods=methods)
    facts = [
        (texts.say("status-since", lang), words.moment(row.onset, lang)),
        (texts.say("status-detected", lang), _minutes(each.detection_seconds, lang)),
    ]
    if each.repair_seconds is not None:
        facts.append((texts.say("status-repaired", lang), _minutes(each.repair_seconds, lang)))
    if row.affected:
        facts.append((texts.say("status-customers", lang), f"{row.affected:,}"))
    if row.currency:
        facts.append((texts.say("status-money", lang), words.amount(Money(row.delayed, row.currency), lang)))
    lines = [
        (
            line.at.isoformat(),
            words.moment(line.at, lang),
            texts.say(f"status-event-{line.what.replace('_', '-')}", lang, method=_name(line.method, lang)),
        )
        for line in each.timeline
    ]
    return {"id": str(row.pk), "title": title, "facts": facts, "lines": lines}


def _name(method: str, lang: str) -> str:
    return guidance.method_name(method, lang) if method else ""


def _minutes(seconds: float, lang: str) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return texts.say("status-lasted", lang, minutes=str(minutes) if minutes else "none", seconds=str(rest))

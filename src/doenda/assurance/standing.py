"""Where each way stands now, and the one place where that changes.

A change is written under the way's row lock: state, transition, exposure and fact in one transaction. Subscribers of
`assurance.way_changed` run in there and must lock no account: a payment that fails holds its account's lock and waits
for the way's.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import Greatest
from psycopg.types.json import Jsonb

from doenda.assurance import rule, ways
from doenda.assurance.models import Evidence, Exposure, Transition, Way
from doenda.assurance.rule import Name, WayState
from doenda.kernel import clock, facts, once, sweeps
from doenda.kernel.ids import new_id

# On the way of many a payment: plain statements, made once.
_STORED = """
SELECT count(*) FILTER (WHERE NOT synthetic), count(*), max(at) FROM assurance_evidence
 WHERE way_id = %s AND outcome = 'worked' AND id > %s AND id <> ALL(%s)
"""
_WRITTEN = (
    *("standing", "calm", "proven_until", "withdrawn_at", "hold_until", "closed_until", "retired_at"),
    *("version", "since", "judged_id"),
)
_WRITE = f"UPDATE assurance_way SET {', '.join(f'{name} = %s' for name in _WRITTEN)}, state = %s WHERE slug = %s"  # noqa: S608


class UnknownWay(LookupError):
    """No such way in this installation."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A way as it stands at `at`; `points` of the `rule.WITHDRAW_AT` that withdraw it. Instants in UTC.

    `closed_until`: set while it is closed, by its calendar or by hand. `withdrawn_at`: set while evidence or a person
    keeps it from customers, also when it is closed at the same time.
    """

    slug: str
    channel: str
    method: str
    provider: str
    purpose: str
    standing: Name
    since: datetime
    at: datetime
    last_proof_at: datetime | None
    proven_until: datetime | None
    withdrawn_at: datetime | None
    hold_until: datetime | None
    closed_until: datetime | None
    points: float
    version: int
    capabilities: frozenset[str] = frozenset()

    @property
    def open(self) -> bool:
        """May somebody who is already on a page try it? Not when evidence, the calendar or a person says no."""
        return self.standing not in (Name.WITHDRAWN, Name.CLOSED, Name.RETIRED)


def _with_proofs() -> "QuerySet[Way, Way]":
    proofs = Evidence.objects.filter(way_id=OuterRef("slug"), outcome=rule.Outcome.WORKED)
    last = Subquery(proofs.order_by("-at").values("at")[:1])
    return Way.objects.annotate(last_proof=last).order_by("position", "slug")


_every = once.query(_with_proofs)


@once.query
def _one(slug: once.Open) -> "QuerySet[Way]":
    return _with_proofs().filter(pk=slug)


def _state(way: Way) -> WayState:
    return rule.with_proof(ways.load(way), getattr(way, "last_proof", None))


def current(purpose: str | None = None) -> dict[str, Standing]:
    """Every way as it stands at this moment, in the order in which customers are told; one query.

    Time is let pass while reading: a lease that has ended is `unproven` here although no sweep has run. A way on one
    kind of device is none of them.
    """
    found, _ = everything()
    return {slug: way for slug, way in found.items() if purpose in (None, way.purpose)}


def everything() -> tuple[dict[str, Standing], dict[str, Standing]]:
    """Every way, and every way on one kind of device, as they stand at this moment; one query."""
    now, found = clock.now(), (dict[str, Standing](), dict[str, Standing]())
    for way in _every():
        found[way.purpose == ways.DEVICE][way.slug] = _read(way, now)
    return found


def one(slug: str) -> Standing | None:
    """One way, or way on one kind of device, as it stands at this moment."""
    way = _one.first(slug=slug)
    return None if way is None else _read(way, clock.now())


def _read(way: Way, now: datetime) -> Standing:
    state = rule.tick(_state(way), now)
    return Standing(
        slug=way.slug,
        channel=way.channel,
        method=way.method,
        provider=way.provider,
        purpose=way.purpose,
        standing=rule.standing(state, now),
        since=way.since,
        at=now,
        last_proof_at=state.last_proof_at,
        proven_until=state.proven_until,
        withdrawn_at=state.withdrawn_at if state.mode != "alive" else None,
        hold_until=state.hold_until,
        closed_until=rule.closed_until(state, now),
        points=state.points,
        version=way.version,
        capabilities=ways.terms(way.slug).capability,
    )


_NAMED = """
SELECT EXISTS (SELECT 1 FROM assurance_way WHERE purpose = %s AND standing IN ('proven', 'degraded') AND calm
                  AND proven_until > %s AND closed_until IS NULL AND retired_at IS NULL)
"""


def any_named(purpose: str) -> bool:
    """May any way be named for this purpose now? Asked for every case that is looked at: what the rows say is enough
    while it says yes (a withdrawal writes them), and only its no is looked into, for a proof not counted yet."""
    with connection.cursor() as cursor:
        cursor.execute(_NAMED, [purpose, clock.now()])
        if cursor.fetchone()[0]:
            return True
    return any(way.standing in rule.NAMED for way in current(purpose).values())


def word(slug: str) -> Name | None:
    """How one way stands at this moment; None if there is no such way."""
    found = one(slug)
    return None if found is None else found.standing


def lock(slug: str, *, but: Collection[UUID] = ()) -> tuple[Way, WayState]:
    """The way's row, locked until the transaction ends, and its state with the successes that were stored meanwhile.

    `but`: evidence that the caller will judge itself. Raises UnknownWay. The lock leaves foreign keys alone (FOR NO KEY
    UPDATE). What another transaction stored and has not committed yet is missed: a success less, on the side of
    caution.
    """
    way = _locked.first(slug=slug)
    if way is None:
        raise UnknownWay(slug)
    since, way.judged_id = way.judged_id, new_id()
    with connection.cursor() as cursor:
        cursor.execute(_STORED, [slug, since or UUID(int=0), list(but)])
        real, stored, last = cursor.fetchone()
    state = ways.load(way)
    if not stored:
        return way, state
    if not state.calm:
        return way, rule.with_proof(state, last)
    return way, rule.successes(state, real, max(last, state.counts_from or last), synthetic=stored - real)


@once.query
def _locked(slug: once.Open) -> "QuerySet[Way]":
    return Way.objects.select_for_update(no_key=True).filter(pk=slug)


def awaited(slug: str) -> int:
    """How many confirm runs the way's standing still waits for. Raises UnknownWay."""
    _, state = lock(slug)
    return 0 if state.doubt_at is None else max(0, state.confirms + 1 - state.doubt_failed - state.doubt_passed)


def write(way: Way, state: WayState, cause: str, *, evidence_id: UUID | None = None) -> bool:
    """Store what became of a locked way: its row, and if its word changed a transition, the exposure and the fact."""
    now = clock.now()
    was, word = Name(way.standing), rule.standing(state, now)
    way.standing, way.state, way.calm = word, ways.store(state), state.calm
    way.proven_until = state.proven_until
    way.withdrawn_at = state.withdrawn_at if state.mode != "alive" else None
    way.hold_until, way.closed_until, way.retired_at = state.hold_until, state.closed_until, state.retired_at
    way.version += 1
    if word is not was:
        way.since = now
    with connection.cursor() as cursor:
        values: list[Any] = [*(getattr(way, name) for name in _WRITTEN), Jsonb(way.state), way.slug]
        cursor.execute(_WRITE, values)
    if word is not was or rule.failing(state, now):
        _expose(way, state, word, now)
    if word is was:
        return False
    Transition.objects.create(
        way=way, was=was, now=word, at=now, cause=cause[:300], evidence_id=evidence_id, version=way.version
    )
    changed = {"way": way.slug, "from": was, "to": word, "at": now.isoformat(), "cause": cause[:300]}
    facts.record("assurance.way_changed", None, changed)
    return True


def _expose(way: Way, state: WayState, word: Name, now: datetime) -> None:
    running = Exposure.objects.filter(way=way, ended_at=None)
    if rule.failing(state, now):
        if not running.exists():
            Exposure.objects.create(way=way, onset=min(rule.onset(state, now), now), committed_at=now)
    elif word in (*rule.NAMED, Name.RETIRED):
        running.update(ended_at=Greatest("committed_at", now))  # the clock of whoever withdrew it may be ahead of ours


@sweeps.sweep("standing", every=2)
def sweep(limit: int = 100) -> int:
    """Let time pass for every way: leases lapse, holds and closures end. Returns the ways whose standing changed.

    A way that failed before its closure, and was not proven for a lease after it, fails without a change of its word.
    """
    now = clock.now()
    exposing = set(Exposure.objects.filter(ended_at=None).values_list("way_id", flat=True))
    due = [way.slug for way in _every() if _is_news(way, now, exposed=way.slug in exposing)]
    return sum(settle(slug) for slug in due[:limit])


def _is_news(way: Way, now: datetime, *, exposed: bool) -> bool:
    state = rule.tick(_state(way), now)
    word = rule.standing(state, now)
    return word != way.standing or state.degraded or (rule.failing(state, now) and not exposed)


def settle(slug: str) -> bool:
    """Note where the way stands now, in a transaction of its own. Returns whether that was news."""
    with transaction.atomic():
        way, state = lock(slug)
        state = rule.tick(state, clock.now())
        return write(way, state, _why(Name(way.standing), rule.standing(state, clock.now())))


def _why(was: Name, word: Name) -> str:
    if was is Name.CLOSED:
        return "open again" + (", and not walked yet" if word is Name.UNPROVEN else "")
    return {
        Name.UNPROVEN: "the lease ended without a new proof",
        Name.HALF_OPEN: "the minimum hold is over and walks pass again",
        Name.PROVEN: "proven again to the last step",
        Name.DEGRADED: "proven again, and more tries fail than usual",
    }.get(word, "its calendar")

"""Walking a journey for real: sessions as rows, answers taken once, actions run outside any transaction.

An answer names the step and version that it answers. The first to come moves the session; a repeat, or an answer to a
page that is no longer the current one, changes nothing and is shown where the session stands (design rule 12).
"""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import QuerySet

from doenda.journeys import actions
from doenda.journeys.catalog import HANDOVERS, JOURNEYS, is_handover
from doenda.journeys.engine import State, advance, begin
from doenda.journeys.models import Session
from doenda.journeys.reading import read_answer
from doenda.journeys.steps import Choose, Do, End, Journey, Step, Wait
from doenda.kernel import clock, once, randomness, sweeps
from doenda.kernel.db import atomic

ACTION_LEASE = timedelta(seconds=15)
ADDRESS_LENGTH = 26
PATIENCE = 3.0
"""Seconds that a second press waits for the action that the first one started, before it is told to ask again."""
ANSWERED = "answered"
"""The key of the state's data that holds the version last answered: a repeat of it is no surprise to the customer."""
STRANGERS_KEPT = timedelta(days=1)


class NoSession(LookupError):
    """No session has that address."""


@dataclass(frozen=True)
class Visit:
    """A session as a channel may present it. `state` already counts what has happened while the customer was away.
    `address` may be another than the one asked for: a session that handed over goes on at the address it handed to.

    `busy`: an action of it runs right now. `stale`: the answer was to a page that is no longer the current one.
    """

    address: str
    session: Session
    state: State
    busy: bool = False
    stale: bool = False

    @property
    def journey(self) -> Journey:
        return JOURNEYS[self.session.journey]

    @property
    def step(self) -> Step:
        return self.journey[self.state.step]

    @property
    def over(self) -> bool:
        return isinstance(self.step, End)


def _words_of(random: bytes) -> str:
    return base64.b32encode(random)[:ADDRESS_LENGTH].decode()


def _onward(address: str) -> str:
    """Where a session that hands over goes on: whoever holds the one address can work out the other, nobody else."""
    return _words_of(hashlib.sha256(b"onward" + address.encode()).digest())


def _digest(address: str) -> bytes:
    return hashlib.sha256(address.encode()).digest()


def open_session(
    journey: str,
    *,
    channel: str,
    lang: str,
    account_id: UUID | None = None,
    bill_id: UUID | None = None,
    entry: str | None = None,
    address: str | None = None,
    device: str = "",
    call: str = "",
    screened_at: datetime | None = None,
) -> Visit:
    """A new session with an unguessable address of its own (130 bits). `device`, `call`: see models.Session."""
    state = begin(JOURNEYS[journey], entry)
    address = address or _words_of(randomness.token_bytes(17))
    with atomic():
        session = Session.objects.create(
            journey=journey,
            journey_version=JOURNEYS[journey].version,
            account_id=account_id,
            bill_id=bill_id,
            digest=_digest(address),
            channel=channel,
            lang=lang,
            device=device,
            call=call,
            screened_at=screened_at,
            step=state.step,
        )
    return Visit(address, session, state)


def look(address: str, *, device: str | None = None, channel: str | None = None) -> Visit:
    """Where the session stands, shown on this kind of device. Writes nothing: a GET moves no session. Raises
    NoSession."""
    session = _seen.first(digest=_digest(address))
    if session is None:
        raise NoSession
    session.device = session.device if device is None else device
    session.channel = session.channel if channel is None else channel
    state = _state(session)
    if is_handover(JOURNEYS[session.journey][state.step]):
        return look(_onward(address), device=device, channel=channel)
    busy = isinstance(JOURNEYS[session.journey][state.step], Do)
    return Visit(address, session, state if busy else _caught_up(session, state), busy=busy)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a session stands, for whoever only watches it. `screened`: a page walks it beside a call."""

    step: str
    version: int
    screened: bool


def standing(addresses: Iterable[str]) -> dict[str, Standing]:
    """Where each of these sessions stands, what happened elsewhere counted; those that nobody knows are not there.

    One query, and those of a step that waits for something to happen.
    """
    named = {_digest(address): address for address in addresses}
    found = {}
    for session in Session.objects.filter(digest__in=list(named)).select_related("account", "bill"):
        state = _caught_up(session, _state(session))
        found[named[bytes(session.digest)]] = Standing(state.step, state.version, session.screened_at is not None)
    return found


def screen(address: str, *, call: str = "") -> Visit:
    """A page walks this session beside its call (or beside this one) from now on. Raises NoSession."""
    visit = look(address)
    with atomic():
        session = locked(visit.address)
        session.put(screened_at=session.screened_at or clock.now(), call=call or session.call)
    return visit


def answer(
    address: str,
    *,
    step: str,
    version: int,
    outcome: str,
    values: Mapping[str, str] | None = None,
    visitor: str = "",
    lang: str | None = None,
    device: str | None = None,
    channel: str | None = None,
) -> Visit:
    """Take one answer and walk on to the next step that stops.

    `lang`: the language that the visitor has just chosen; `device` and `channel`: on which this answer was given,
    for a session may be walked on a call and a page at once. Raises NoSession, and NotAnOutcome for a forged button.
    """
    said = {name: value.replace("\0", "") for name, value in (values or {}).items()}
    with atomic():
        session = locked(address)
        if lang not in {None, session.lang}:
            session.put(lang=lang)
        if device not in {None, session.device}:
            session.put(device=device)
        if channel not in {None, session.channel}:
            session.put(channel=channel)
        taken = _take(session, address, (step, version), outcome, said, visitor)
    if not isinstance(taken, Visit):
        return _run_actions(session, address, visitor, taken)
    return _patiently(taken) if taken.busy else taken


def _patiently(visit: Visit) -> Visit:
    """The same visit once its running action is done, or as it is when patience ends."""
    deadline = clock.monotonic() + PATIENCE
    while visit.busy and clock.monotonic() < deadline:
        clock.sleep(0.1)
        visit = look(visit.address)
    return visit


def _take(
    session: Session, address: str, answers: tuple[str, int], outcome: str, values: dict[str, str], visitor: str
) -> Visit | Mapping[str, str]:
    """Move the locked session by the answer to a step and version of it.

    Returns what the first action is handed (often nothing), when actions are to be run next.
    """
    journey, state = JOURNEYS[session.journey], _state(session)
    if answers != (state.step, state.version) or not _acts(journey, state, outcome):
        state = _caught_up(session, state)
    if is_handover(journey[state.step]):
        return look(_onward(address))
    if isinstance(journey[state.step], Do):
        if session.busy_until is not None and session.busy_until > clock.now():
            return Visit(address, session, state, busy=True)
        _save(session, state)  # whoever ran the action died: run it again
        return {}
    version = str(answers[1])
    if answers != (state.step, state.version):
        return Visit(address, session, state, stale=version != state.data.get(ANSWERED))
    read = read_answer(session, journey[state.step], outcome, values, visitor)
    state = advance(journey, state, read.outcome, {**read.values, ANSWERED: version})
    _save(session, state)
    if read.opens is not None:
        return _hand_over(session, read.opens, _onward(address))
    return read.handed_over if isinstance(journey[state.step], Do | Choose) else Visit(address, session, state)


def _acts(journey: Journey, state: State, outcome: str) -> bool:
    """Does this answer to a waiting step start an action? Then that looks under its lock at what happened meanwhile."""
    step = journey[state.step]
    return isinstance(step, Wait) and outcome in step.presses and isinstance(journey[step.then[outcome]], Do)


def _hand_over(session: Session, subject: tuple[UUID, UUID], address: str) -> Visit:
    """The other journey goes on, with the bill that was opened, at an address of its own."""
    journey, _ = HANDOVERS["opened"]
    account_id, bill_id = subject
    return open_session(
        journey,
        channel=session.channel,
        lang=session.lang,
        account_id=account_id,
        bill_id=bill_id,
        address=address,
        device=session.device,
        call=session.call,
        screened_at=session.screened_at,
    )


def _run_actions(session: Session, address: str, visitor: str, handed_over: Mapping[str, str]) -> Visit:
    """Run actions, each outside any transaction, until the session, as just saved, stands on a step that stops.

    `handed_over` is for the first of them.
    """
    while True:
        state = _state(session)
        step = JOURNEYS[session.journey][state.step]
        if isinstance(step, Do):
            context = actions.Context(session, state.data, address, visitor, handed_over)
            outcome, values = actions.run(step.action, context)
            handed_over = {}
        elif isinstance(step, Choose) and not actions.reachable(step.among, session):
            outcome, values = "none_open", {}
        else:
            return Visit(address, session, _caught_up(session, state))
        with atomic():
            moved = _save(session, advance(JOURNEYS[session.journey], state, outcome, values))
        if not moved:  # somebody else ran the same action
            return look(address)
        session._state.fields_cache.clear()  # the action may have changed the bill: whoever asks for it reads it again


@once.query
def _seen(digest: once.Open) -> "QuerySet[Session]":
    return Session.objects.select_related("account", "bill").filter(digest=digest)


@once.query
def _to_move(digest: once.Open) -> "QuerySet[Session]":
    return Session.objects.select_for_update(of=("self",)).select_related("account", "bill").filter(digest=digest)


def locked(address: str) -> Session:
    """The session's row, nobody else's until the transaction ends. Raises NoSession."""
    session = _to_move.first(digest=_digest(address))
    if session is None:
        raise NoSession
    return session


def _state(session: Session) -> State:
    return State(session.step, session.data, session.version)


def _save(session: Session, state: State) -> bool:
    """Move the session's row to `state`. False, and nothing written, if it no longer stands where `session` saw it."""
    runs = isinstance(JOURNEYS[session.journey][state.step], Do)
    return session.put_if(
        {"step": session.step, "version": session.version},
        step=state.step,
        data=dict(state.data),
        version=state.version,
        busy_until=clock.now() + ACTION_LEASE if runs else None,
        moved_at=clock.now(),
    )


def _caught_up(session: Session, state: State) -> State:
    """The state after what happened elsewhere while the step waited; only reads."""
    journey = JOURNEYS[session.journey]
    for _ in range(3):
        step = journey[state.step]
        if not isinstance(step, Wait):
            break
        happened = actions.happened(step.on, session, state.data)
        if happened is None:
            break
        outcome, values = happened
        state = advance(journey, state, outcome, values)
    return state


@sweeps.sweep("strangers' sessions", every=600)
def forget_strangers(limit: int = 100) -> int:
    """Sessions that never opened a bill are forgotten after a day."""
    with atomic():
        old = Session.objects.filter(account=None, moved_at__lt=clock.now() - STRANGERS_KEPT)[:limit]
        return Session.objects.filter(pk__in=[row.pk for row in old]).delete()[0]

"""Sending a notice: decide and render under the account's lock, hand over outside any transaction, commit the outcome.

The gateway knows our id, so a repeat after a crash is the same message. Nothing is dropped silently: what may not leave
now waits with its reason (night, cap, no proven way), and what will never leave ends as failed or cancelled with it.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from doenda.assurance import guidance
from doenda.billing import accounts
from doenda.billing.models import Account
from doenda.kernel import clock, facts, ids, once, outbox
from doenda.kernel.db import durable
from doenda.kernel.models import OutboxRow
from doenda.notices import gateways, objections, policy, reaching, wording
from doenda.notices.kinds import KINDS
from doenda.notices.models import Delivery, Notice
from doenda.notices.sending import OUTBOX

if TYPE_CHECKING:
    from django.db.models import QuerySet

NO_WAY = "no proven way to name"
NO_WAY_PAUSE = 300.0
"""Seconds, reached by doubling from 10: a way that is proven again brings those that wait forward (notices.waiting),
but one that lapsed and was proven within a moment tells nobody that it was away."""
TOO_LATE = "too late for the date that it tells"
LONGEST_PAUSE = 600.0
OBJECTED_PAUSE = 60.0
"""Seconds until it is asked again whether anything speaks against the notice."""
_OPEN = (Notice.State.DUE, Notice.State.HELD)


@dataclass(frozen=True, slots=True)
class _Ready:
    """Everything the network part needs; no row is read between here and the gateway."""

    notice_id: UUID
    phone: str
    text: wording.Text


@outbox.handles(OUTBOX, lease=30)
def hand_over(row: OutboxRow) -> outbox.Outcome:
    """The outbox's handler of notices."""
    notice_id = UUID(row.payload["notice"])
    ready = durable(lambda: _prepare(notice_id, row))
    if not isinstance(ready, _Ready):
        return ready
    gateway = gateways.chosen()
    answer = gateway.send(ids.outside(notice_id), ready.phone, ready.text.body, ready.text.kind)
    return durable(lambda: _conclude(notice_id, gateway.name, answer, row))


def _locked(notice_id: UUID) -> tuple[Account, Notice]:
    """The account first, as everywhere (design rule 2)."""
    (account_id,) = _account_of.one(notice_id=notice_id)
    account = accounts.lock(account_id)
    return account, _to_hand_over.one(notice_id=notice_id)


@once.query
def _account_of(notice_id: once.Open) -> "QuerySet[Any, Any]":
    return Notice.objects.filter(pk=notice_id).values_list("account_id")


@once.query
def _to_hand_over(notice_id: once.Open) -> "QuerySet[Notice]":
    return Notice.objects.filter(pk=notice_id).select_for_update(of=("self",)).select_related("bill", "party")


def _prepare(notice_id: UUID, row: OutboxRow) -> "_Ready | outbox.Outcome":
    account, notice = _locked(notice_id)
    if notice.state not in _OPEN:
        outbox.finish(row)
        return outbox.Sent()
    kind, found = KINDS[notice.kind], wording.debt(notice, account)
    if kind.asks and found.due.minor <= 0:
        return _end(notice, row, Notice.State.CANCELLED, "nothing is owed any more")
    if _too_late(notice):
        facts.record("notices.cancelled", notice.account_id, {"notice_id": str(notice.pk), "kind": notice.kind})
        return _end(notice, row, Notice.State.CANCELLED, TOO_LATE)
    if against := _against(notice):
        return _hold(notice, *against)
    phone = notice.party.phone if notice.party is not None else ""
    if not phone:
        return _end(notice, row, Notice.State.FAILED, "no number to send to")
    now = clock.now()
    if (leaves := _earliest(notice, now)) > now:
        reason = f"not before {clock.local(leaves):%Y-%m-%d %H:%M}: quiet hours or the contact cap"
        return _hold(notice, reason, (leaves - now).total_seconds())
    ways: tuple[guidance.OfferedWay, ...] = ()
    if kind.asks:
        ways = guidance.read().named("notice")
        method = notice.params.get("method")
        if not ways or (method and method not in {way.method for way in ways}):
            return _hold(notice, NO_WAY, min(NO_WAY_PAUSE, 5.0 * 2 ** min(row.tries, 6)))
        guidance.offer("pay", account.pk, "notice", lang=notice.lang, subject_id=notice.pk)
    elif kind.names:
        ways = guidance.offer("pay", account.pk, "notice", lang=notice.lang, subject_id=notice.pk).ways
    text = wording.compose(notice, found, phone, ways)
    notice.put(handed_at=now, state=Notice.State.DUE, held_reason="")
    _note(notice, Delivery.Event.HANDED_OVER, ways=[way.slug for way in ways], detail=text.kind)
    return _Ready(notice.pk, phone, text)


def _against(notice: Notice) -> tuple[str, float] | None:
    """Why it must wait whatever the hour, and for how many seconds: what it says may be untrue, or it cannot arrive."""
    if notice.handed_at is None and (why := objections.against(notice.kind, notice.account_id)):
        return why, OBJECTED_PAUSE
    return (reaching.AWAY, reaching.PAUSE) if reaching.withdrawn() else None


def _too_late(notice: Notice) -> bool:
    """Would it say something untrue by now? One that may have arrived already is repeated until that is known."""
    last = notice.params.get("leave_by")
    return notice.handed_at is None and bool(last) and clock.today() > date.fromisoformat(str(last))


def _earliest(notice: Notice, now: datetime) -> datetime:
    rules = policy.current()
    others = _contacts(account_id=notice.account_id, since=now - rules.window, but=notice.pk)
    contacts = [at for kind, at in others if kind in rules.capped]
    free = policy.uncapped_at(rules, notice.kind, contacts, max(now, notice.due_at))
    return policy.awake_at(rules, notice.kind, free, urgent=notice.urgent)


@once.query
def _contacts(account_id: once.Open, since: once.Open, but: once.Open) -> "QuerySet[Any, Any]":
    others = Notice.objects.filter(account_id=account_id, handed_at__gt=since).exclude(pk=but)
    return others.values_list("kind", "handed_at")


def _hold(notice: Notice, reason: str, seconds: float) -> outbox.Again:
    if (notice.state, notice.held_reason) != (Notice.State.HELD, reason):
        notice.put(state=Notice.State.HELD, held_reason=reason)
    return outbox.Again(seconds, reason)


def _end(notice: Notice, row: OutboxRow, state: Notice.State, reason: str) -> outbox.Sent:
    notice.put(state=state, held_reason=reason[:200])
    if state == Notice.State.FAILED:
        _note(notice, Delivery.Event.FAILED, detail=reason)
        failed(notice, reason)
    outbox.finish(row)
    return outbox.Sent()


def failed(notice: Notice, reason: str) -> None:
    """Tell the rooms above that the customer was not reached."""
    data = {"notice_id": str(notice.pk), "kind": notice.kind, "reason": reason[:200]}
    facts.record("notices.failed", notice.account_id, data)


def _conclude(notice_id: UUID, gateway: str, answer: gateways.HandOver, row: OutboxRow) -> outbox.Outcome:
    _, notice = _locked(notice_id)
    if notice.state not in _OPEN:
        return outbox.Sent()
    notice.gateway = gateway
    match answer:
        case gateways.Accepted(ref=ref):
            now = clock.now()
            notice.put(state=Notice.State.SENT, sent_at=now, receipt_due_at=now, gateway=gateway)
            _note(notice, Delivery.Event.ACCEPTED, ref=ref)
            outbox.finish(row)
            return outbox.Sent()
        case gateways.Refused(reason=reason):
            reaching.failed(notice, gateway, customers=True, why=reason)
            return _end(notice, row, Notice.State.FAILED, f"the gateway refused it: {reason}")
        case gateways.NotSent(reason=reason):
            _note(notice, Delivery.Event.NOT_SENT, detail=reason)
            if not notice.deliveries.filter(event=Delivery.Event.NO_ANSWER).exists():
                Notice.objects.filter(pk=notice.pk).update(handed_at=None)  # nobody was contacted
        case gateways.Unknown(reason=reason):
            _note(notice, Delivery.Event.NO_ANSWER, detail=reason)
    pause = min(LONGEST_PAUSE, 2.0 ** min(row.tries, 12)) if answer.after is None else answer.after
    return outbox.Again(pause, answer.reason[:200])


def _note(
    notice: Notice, event: Delivery.Event, *, ref: str = "", detail: str = "", ways: list[str] | None = None
) -> None:
    Delivery(
        notice=notice,
        gateway=notice.gateway,
        gateway_ref=ref,
        at=clock.now(),
        event=event,
        detail=detail[:200],
        ways=ways or [],
    ).insert()

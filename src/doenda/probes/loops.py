"""Loop texts: a text to a number of the carrier's own, whose delivery receipt proves that texts arrive.

It goes the whole way of a notice: an outbox row, the worker, its bind, the SMS centre, the phone, and back. So it fails
also when the worker is dead. It is named to nobody and counts for nobody's contacts.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings

from doenda.assurance import evidence, standing
from doenda.assurance.rule import FAILURES, Name, Outcome
from doenda.kernel import clock, ids, outbox
from doenda.kernel.db import atomic
from doenda.kernel.models import OutboxRow
from doenda.notices import gateways, reaching
from doenda.probes import turns
from doenda.probes.models import ProbeRun

OUTBOX = "loop"
PATIENCE = 45.0
"""Seconds from the decision to the delivery receipt; a phone that is on has it within a few."""
_LOOK = 0.5


def ways() -> list[str]:
    """The gateway of this installation, if there is a number to loop to and it is a way that is open."""
    if not settings.DOENDA_LOOP_NUMBER:
        return []
    found = standing.current("tell").values()
    mine = [way.slug for way in found if way.standing not in (Name.CLOSED, Name.RETIRED)]
    return [slug for slug in mine if slug == reaching.way()]


def walk(slug: str, *, patience: float = PATIENCE, runner: str = "", confirms: bool = False) -> ProbeRun:
    """Send one loop text and wait for its delivery receipt; record what that proved. See `walks.walk`."""
    standing.settle(slug)
    begun, ident = clock.monotonic(), ids.new_id()
    with atomic():
        outbox.put(OUTBOX, str(ident), {"until": (clock.now() + timedelta(seconds=patience)).isoformat()})
    receipt, steps = _receipt(ident, begun + patience)
    outcome = Outcome.WORKED if receipt.state == "delivered" else Outcome.FAILED_BY_PROVIDER
    trouble = "" if outcome is Outcome.WORKED else _why(ident, receipt)
    with atomic():
        OutboxRow.objects.filter(kind=OUTBOX, key=str(ident), done_at=None).update(done_at=clock.now())
        run = ProbeRun.objects.create(
            way=slug,
            outcome=outcome.value,
            seconds=clock.monotonic() - begun,
            steps=steps,
            trouble=trouble,
            runner=runner,
            confirms=confirms,
        )
        evidence.record(slug, outcome, source_kind="loop", source_id=str(run.id), synthetic=True, detail=trouble)
        if outcome in FAILURES and (awaited := standing.awaited(slug)):
            turns.ask(slug, awaited, asked_by=runner)
    return run


def _receipt(ident: UUID, deadline: float) -> tuple[gateways.Receipt, list[str]]:
    """The delivery receipt, or the last word at the deadline; and the words on the way to it."""
    gateway, steps = gateways.chosen(), [""]
    while True:
        receipt = gateway.receipt(ids.outside(ident))
        if receipt.state != steps[-1]:
            steps.append(receipt.state)
        if receipt.state in ("delivered", "failed") or clock.monotonic() >= deadline:
            return receipt, steps[1:]
        clock.sleep(_LOOK)


def _why(ident: UUID, receipt: gateways.Receipt) -> str:
    if receipt.state == "failed":
        return receipt.reason[:200]
    row = OutboxRow.objects.filter(kind=OUTBOX, key=str(ident)).first()
    if row is not None and row.done_at is None:
        return (f"not handed over: {row.reason}" if row.reason else "no worker handed it over")[:200]
    return f"no delivery receipt in time; {receipt.reason or receipt.state}"[:200]


@outbox.handles(OUTBOX, lease=30)
def hand_over(row: OutboxRow) -> outbox.Outcome:
    """The outbox's handler of loop texts: one that is too late to prove anything is not sent."""
    if clock.now() > datetime.fromisoformat(row.payload["until"]):
        return outbox.Sent()
    text = f"된다: 문자 발송 확인 {clock.local(clock.now()):%H:%M:%S}"
    answer = gateways.chosen().send(ids.outside(UUID(row.key)), settings.DOENDA_LOOP_NUMBER, text, "SMS")
    match answer:
        case gateways.Accepted():
            return outbox.Sent()
        case gateways.Refused(reason=reason):
            return outbox.Again(3600.0, reason)  # the walk ends it, and says why
        case _:
            return outbox.Again(2.0 if answer.after is None else min(answer.after, 5.0), answer.reason[:200])

"""What people do in the end, whatever happened: customers and staff who do not forget what waits for them."""

from typing import TYPE_CHECKING, Any

from django.db import connection

from doenda.payments.counter import payouts
from doenda.payments.debit import answers, home
from doenda.payments.debit.models import DebitItem, DebitParked
from doenda.payments.providers.debit.codes import RESULTS
from doenda.payments.staff import NotAllowed
from doenda.payments.states import NotAMove
from doenda.sim.acts import act, counter, staff

if TYPE_CHECKING:
    from doenda.sim.world import World


@act(0.3)
def people_catch_up(world: "World") -> None:
    """Everybody deals with whatever waits for them."""
    all_that_waits(world)


_WAITS = """
    SELECT EXISTS (SELECT FROM payments_refund WHERE needs_two AND approved_by = '' AND failed_at IS NULL
                   AND done_at IS NULL)
        OR EXISTS (SELECT FROM payments_refundcase WHERE closed_at IS NULL AND owner = 'desk')
        OR EXISTS (SELECT FROM payments_depositline WHERE state = 'parked')
        OR EXISTS (SELECT FROM payments_payout p WHERE withdrawn_at IS NULL
                   AND NOT EXISTS (SELECT FROM payments_receipt r WHERE r.payout_id = p.id))
        OR EXISTS (SELECT FROM payments_debititem i JOIN payments_attempt a ON a.id = i.attempt_id
                   WHERE i.state = 'filed' AND a.person_owns_at IS NOT NULL)
        OR EXISTS (SELECT FROM payments_debitparked WHERE closed_at IS NULL)
"""


def something_waits(world: "World") -> bool:
    """Is there anything for anybody to do? One question instead of many."""
    with connection.cursor() as cursor:
        cursor.execute(_WAITS)
        return bool(world.presses) or bool(cursor.fetchone()[0])


def all_that_waits(world: "World") -> None:
    """Presses that were not answered, refunds to hand out, the desk's lists, debits without a result."""
    if "counter" in world.drivers:
        for press in list(world.presses):
            counter.repeat(world, press)
    staff.approve(world, always=True)
    staff.give_back(world, always=True)
    if "deposit" in world.drivers:
        staff.lines(world, always=True)
    if "counter" in world.drivers:
        for payout in payouts.waiting():
            counter.hand_out(world, payout)
    if "debit" in world.drivers:
        _missing(world)
        _parked(world)


def _missing(world: "World") -> None:
    """The clearing house is telephoned about a debit that its answer left out, and says what was done."""
    peer: Any = world.peer("debit")
    owned = DebitItem.objects.filter(state="filed", kind="debit", attempt__person_owns_at__isnull=False)
    for item in list(owned.select_related("file").order_by("pk")):
        assert item.file is not None
        code = peer.truth.state.done.get(item.file.name, {}).get(item.serial)
        known = RESULTS.get(code) if code is not None else None
        if known is not None:
            _decide(world, item, known.word)


def _decide(world: "World", item: DebitItem, word: str) -> None:
    try:
        home.decide(item.pk, word=word, by=staff.AGENT)
    except NotAMove:
        raise
    except (NotAllowed, ValueError) as no:
        world.say(f"the desk could not decide a debit: {no}")
        return
    world.say(f"the desk asked the clearing house about a debit: {word}")


def _parked(world: "World") -> None:
    """The clearing house is telephoned about a record that does not fit; one of a debit that was taken back is decided
    so."""
    taken = world.peer("debit").control("GET", "books")["taken"]
    for record in DebitParked.objects.filter(closed_at=None).select_related("answer", "item__file").order_by("pk"):
        item, returns = record.item, record.answer.kind == "returns"
        if item is not None and item.file is not None and returns and item.state == "paid":
            there = taken.get(item.file.name, {}).get(str(item.serial))
            if not there:
                _decide(world, item, "RETURNED_BY_BANK")
        answers.close_parked(record.pk, by=staff.AGENT, note="found out by telephone")
        world.say(f"the desk closed a parked record: {record.reason}")

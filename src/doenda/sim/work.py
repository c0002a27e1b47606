"""The worker's sweeps in a world: the real ones, run where they could find something, so that a world costs little.

What is asked beforehand is only whether any row at all could be due; whatever might be is left to the sweep itself.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.db.models import Min, Q

from doenda.dunning.models import Case
from doenda.kernel import clock, sweeps
from doenda.kernel.models import FactRow, OutboxRow
from doenda.notices.models import Notice
from doenda.payments.debit import policy
from doenda.payments.debit.models import DebitAnswer, DebitItem
from doenda.payments.deposits.models import DepositFeed, DepositLine
from doenda.payments.models import Attempt
from doenda.payments.reconciliation import feeds
from doenda.payments.states import DATED

if TYPE_CHECKING:
    from doenda.sim.world import World

MONEY = ("facts", "deposits", "deposit numbers", "debit files", "debit answers", "debits home", "inquiries", "outbox")
"""What brings money and news home, in each round; then delivery receipts."""
HOURLY = ("promises", "cases", "standing", "debits to instruct", "debits overdue", "deposit pool", "cards to charge")
DAILY = ("due_soon", "stuck refunds", "late answers", "old doorbells", "old tries", "strangers' sessions")
LATER = timedelta(minutes=5)
READ_EVERY = timedelta(hours=1)


def _outbox(world: "World") -> bool:
    return OutboxRow.objects.filter(done_at=None, parked_at=None, due_at__lte=clock.now()).exists()


def _inquiries(world: "World") -> bool:
    now = clock.now()
    expired = Q(state__in=sorted(DATED), expires_at__lt=now, ask_at=None)
    return Attempt.objects.filter(Q(ask_at__lte=now) | expired).exists()


def _facts(world: "World") -> bool:
    return FactRow.objects.exclude(pending=[]).filter(retry_at__lte=clock.now()).exists()


def _receipts(world: "World") -> bool:
    return Notice.objects.filter(state=Notice.State.SENT, receipt_due_at__lte=clock.now()).exists()


def _deposits(world: "World") -> bool:
    """Is there anything at the bank that we have not heard of, or heard of and not booked?"""
    if unheard(world) or _not_read_lately():
        return True
    stored = DepositLine.objects.filter(state=DepositLine.State.STORED).exists()
    return stored or DepositFeed.objects.exclude(trouble="").exists()


def _not_read_lately() -> bool:
    """Collections want fresh news, where there are any: an empty answer is news too."""
    if not Case.objects.filter(closed_at=None).exists():
        return False
    read_at = DepositFeed.objects.values_list("read_at", flat=True).first()
    return read_at is None or clock.now() - read_at > READ_EVERY


def unheard(world: "World") -> bool:
    """Has the deposit bank more to tell than was read?"""
    bank: Any = world.hall.truths.get("deposits")
    if bank is None or not bank.state.entries:
        return False
    return len(bank.state.entries) > (DepositFeed.objects.values_list("cursor", flat=True).first() or 0)


def _answers(world: "World") -> bool:
    """Has the clearing house given anything out since the last file that we know, or is one not worked off?"""
    house: Any = world.hall.truths["clearing"]
    known = DebitAnswer.objects.filter(Q(accepted=False) | Q(done_at__isnull=False)).count()
    return bool(house.state.given) and known < len(house.state.given)


def _any(statement: str) -> Callable[["World"], bool]:
    """Is there such a row? `%(now)s` and `%(today)s` are the world's."""

    def could(world: "World") -> bool:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT EXISTS ({statement})", {"now": clock.now(), "today": clock.today()})
            return bool(cursor.fetchone()[0])

    return could


_MANDATE = _any("SELECT FROM payments_mandate")
_COULD: dict[str, Callable[["World"], bool]] = {
    "deposits": _deposits,
    "debit answers": _answers,
    "outbox": _outbox,
    "inquiries": _inquiries,
    "facts": _facts,
    "receipts": _receipts,
    "cases": _any(
        """SELECT FROM dunning_case WHERE closed_at IS NULL AND parked_at IS NULL
           AND (next_check_at <= %(now)s OR waiting_for = 'no_way_proven')
           UNION ALL SELECT FROM billing_bill b JOIN billing_account a ON a.id = b.account_id
           WHERE b.state = 'open' AND b.due_date < %(today)s AND NOT b.probe AND NOT a.probe
           AND NOT EXISTS (SELECT FROM dunning_case c WHERE c.account_id = a.id AND c.closed_at IS NULL)"""
    ),
    "promises": _any(
        "SELECT FROM dunning_promise WHERE kept_at IS NULL AND broken_at IS NULL AND next_look_at <= %(now)s"
    ),
    "deposit numbers": _any("SELECT FROM payments_depositlease WHERE closed_at IS NULL"),
    "debits to instruct": _MANDATE,
    "debit files": _MANDATE,
    "debits overdue": _MANDATE,
    "debits home": _MANDATE,
    "cards to charge": _MANDATE,
}


def of(world: "World") -> list[str]:
    """The sweeps that have anything to do with this world's providers, in the order of the alphabet."""
    found = sorted(sweeps.registered())
    if "deposit" not in world.drivers:
        found = [name for name in found if not name.startswith("deposit")]
    if "debit" not in world.drivers:
        found = [name for name in found if not name.startswith("debit")]
    return found


def sweep(world: "World", name: str) -> int:
    """Run one sweep. Returns the rows worked on."""
    could = _COULD.get(name)
    return sweeps.run(name) if could is None or could(world) else 0


def everything(world: "World", *, hourly: bool = True, daily: bool = True) -> int:
    """Each sweep once: the way news goes first, then the rest. Returns the rows worked on."""
    mine = of(world)
    order = [*(HOURLY if hourly else ()), *MONEY, "receipts", *(DAILY if daily else ())]
    if daily and not world.points.asleep:  # in healing, the banks' lists are looked at once
        order += [name for name in mine if name not in order]
    return sum(sweep(world, name) for name in order if name in mine)


def look_at_the_lists(world: "World") -> None:
    """Each bank's list is held against our ledger once, from the first attempt on until this morning: all the daily
    looks in one, since each costs as much."""
    until = clock.day_start(clock.today())
    first = dict(Attempt.objects.order_by("provider").values_list("provider").annotate(Min("created_at")))
    for name, begun in sorted(first.items()):
        since = clock.day_start(clock.local(begun).date())
        if feeds.has_list(name) and since < until:
            feeds.reconcile(name, since, until)


def next_hour(world: "World") -> datetime | None:
    """The next hour at which a file is built or answered: nobody may oversleep it."""
    return _debits() if "debit" in world.drivers else None


_DUE = """
    SELECT LEAST(
        (SELECT min(GREATEST(due_at, lease_until + interval '1 second')) FROM kernel_outboxrow
         WHERE done_at IS NULL AND parked_at IS NULL),
        (SELECT min(ask_at) FROM payments_attempt WHERE in_flight),
        (SELECT min(retry_at) FROM kernel_factrow WHERE pending <> '{}'),
        (SELECT min(try_at) FROM payments_depositlease
         WHERE closed_at IS NULL AND (close_wanted_at IS NOT NULL OR (attempt_id IS NULL AND opened_at IS NULL))))
"""


def next_due(world: "World") -> datetime | None:
    """When something that has to happen by itself can go on; None if nothing says so."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE)
        dues = [cursor.fetchone()[0]]
    for truth in world.hall.truths.values():
        at = truth.due()
        dues.append(None if at is None else datetime.fromtimestamp(at, UTC))
    return min((at for at in dues if at is not None), default=None)


def _debits() -> datetime | None:
    found = DebitItem.objects.filter(state__in=["waiting", "filed"]).order_by("scheme", "day")
    hours = list[datetime]()
    for scheme, day in found.values_list("scheme", "day").distinct():
        terms = policy.of_scheme(scheme, day)
        hours += [terms.cut_off_at(day), terms.results_due(day), terms.owned_from(day)]
    return min((hour + LATER for hour in hours if hour + LATER > clock.now()), default=None)

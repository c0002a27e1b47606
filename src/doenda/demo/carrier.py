"""The sample carrier as it would write its own files: who its customers are and what it billed them. Pure.

Dates follow from one day (`on`), everything else from one seed: the same three numbers always give the same files.
"""

import calendar
import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from random import Random  # noqa: TID251 - a type; the generator comes from the kernel

from doenda.demo import people
from doenda.demo.people import Person
from doenda.kernel import randomness

CURRENCY = "KRW"
LAST_DAY = 31
DUE_DAYS = (5, 10, 15, 20, 25, LAST_DAY)
"""The days of the month on which this carrier's bills fall due."""
BILLED_BEFORE = 17
_OVERDUE, _PAID = 0.15, 0.50


@dataclass(frozen=True, slots=True)
class Item:
    """`line` is the place of the line among the customer's."""

    item_class: str
    amount: int
    line: int = 0


@dataclass(frozen=True, slots=True)
class SampleBill:
    """`paid_on` None: nobody has paid it."""

    due: date
    items: tuple[Item, ...]
    paid_on: date | None = None

    @property
    def bill_date(self) -> date:
        return self.due - timedelta(BILLED_BEFORE)

    @property
    def period(self) -> tuple[date, date]:
        """The month before the one in which it was written."""
        end = self.bill_date.replace(day=1) - timedelta(1)
        return end.replace(day=1), end

    @property
    def amount(self) -> int:
        return sum(item.amount for item in self.items)


@dataclass(frozen=True, slots=True)
class Customer:
    """`note` says why this one is in the cast; `child` uses the last line, and the holder pays for it."""

    account: str
    holder: Person
    lines: tuple[str, ...]
    bills: tuple[SampleBill, ...]
    note: str = ""
    child: str = ""

    def number(self, bill: SampleBill) -> str:
        return f"{self.account}-{bill.due:%y%m%d}"


@dataclass
class Carrier:
    on: date
    customers: list[Customer] = field(default_factory=list)


def carrier(accounts: int, seed: int, on: date) -> Carrier:
    """`accounts` customers, the cast first. Raises ValueError for fewer than the cast needs."""
    known = cast(on)
    if accounts < len(known):
        raise ValueError(f"the cast alone are {len(known)} accounts")
    made = Carrier(on, known)
    with randomness.seeded(f"sample carrier {seed}") as chance:
        used = 10_000
        for place in range(len(known), accounts):
            customer = _customer(chance, place, used, on)
            used += len(customer.lines)
            made.customers.append(customer)
    return made


def next_bills(made: Carrier, today: date) -> Carrier:
    """What the cast is billed as time passes: their last bill again, every month, as far as written by `today`."""
    return Carrier(made.on, [replace(one, bills=tuple(_again(one, today))) for one in made.customers if one.note])


def _again(customer: Customer, today: date) -> Iterator[SampleBill]:
    last = customer.bills[-1]
    bill = SampleBill(following(last.due, last.due.day), last.items)
    while bill.bill_date <= today:
        yield bill
        bill = SampleBill(following(bill.due, last.due.day), last.items)


def due_on(month: date, day: int) -> date:
    """The due date in the month of `month`."""
    return month.replace(day=min(day, calendar.monthrange(month.year, month.month)[1]))


def previous(due: date, day: int) -> date:
    """The due date a month earlier."""
    return due_on(due.replace(day=1) - timedelta(1), day)


def following(due: date, day: int) -> date:
    """The due date a month later."""
    return due_on(due.replace(day=28) + timedelta(7), day)


def last_due(on: date, day: int) -> date:
    """The newest due date before `on`."""
    here = due_on(on, day)
    return here if here < on else previous(here, day)


def _account(place: int) -> str:
    return f"D{place + 1:07d}"


def _recent_day(on: date, least: int) -> int:
    """The day of the month on which a bill fell due most recently, at least `least` days ago."""
    return min(DUE_DAYS, key=lambda day: ((on - last_due(on - timedelta(least - 1), day)).days, day))


def cast(on: date) -> list[Customer]:
    """The people whom the demo's visitor meets first."""
    hero_day = _recent_day(on, 2)
    hero_due = last_due(on - timedelta(1), hero_day)
    ago = [last_due(on, 10)]
    ago.append(previous(ago[0], 10))
    fresh = last_due(on, _recent_day(on, 1))
    soon = on + timedelta(2)
    return [
        Customer(
            _account(0),
            Person("김민수"),
            ("010-0000-1234",),
            (
                _paid(previous(hero_due, hero_day), Item("service", 34_300)),
                SampleBill(hero_due, (Item("service", 34_300), Item("device_instalment", 18_000))),
            ),
            note="Mr A of the story: the first bill with his new phone's instalment is overdue",
        ),
        Customer(
            _account(1),
            Person("이서연"),
            ("010-0000-2001",),
            tuple(SampleBill(due, (Item("service", 55_000), Item("content", 7_900))) for due in reversed(ago)),
            note="two bills overdue: the ladder goes up to outgoing service",
        ),
        Customer(
            _account(2),
            Person("박정희"),
            ("010-0000-3001", "010-0000-3002"),
            (_bill(ago[0], Item("service", 69_000), Item("service", 22_000, 1), Item("small_payment", 9_900, 1)),),
            note="a parent who pays for a child's line; 91,000 of it may bar",
            child="박하준",
        ),
        Customer(
            _account(3),
            Person("한빛물류 주식회사", kind="company"),
            tuple(f"010-0000-40{n:02d}" for n in range(1, 6)),
            tuple(SampleBill(due, tuple(Item("service", 44_000, line) for line in range(5))) for due in reversed(ago)),
            note="a company with five lines, two bills overdue",
        ),
        Customer(
            _account(4),
            Person("Anna Petrova", language="en"),
            ("010-0000-5555",),
            (SampleBill(fresh, (Item("service", 61_600), Item("roaming", 18_700))),),
            note="reads English; overdue since a few days",
        ),
        Customer(
            _account(5),
            Person("최영자"),
            ("010-0000-6868",),
            (_paid(previous(soon, soon.day), Item("service", 16_500)), SampleBill(soon, (Item("service", 16_500),))),
            note="nothing is late: falls due in two days",
        ),
    ]


def _bill(due: date, *items: Item) -> SampleBill:
    return SampleBill(due, items)


def _paid(due: date, *items: Item) -> SampleBill:
    return SampleBill(due, items, paid_on=due - timedelta(2))


def _customer(chance: Random, place: int, used: int, on: date) -> Customer:
    who = people.person(chance)
    lines = chance.randint(2, 5) if who.kind == "company" else chance.choices((1, 2, 3), (80, 15, 5))[0]
    numbers = tuple(people.phone(used + n) for n in range(lines))
    plan = tuple(_plan(chance, lines))
    return Customer(_account(place), who, numbers, tuple(_bills(chance, on, plan)))


def _plan(chance: Random, lines: int) -> Iterator[Item]:
    """What a customer's bill consists of each month."""
    for line in range(lines):
        yield Item("service", chance.choice((16_500, 22_000, 33_000, 44_000, 55_000, 69_000, 89_000)), line)
        if chance.random() < 0.4:
            yield Item("device_instalment", chance.randrange(9_000, 48_000, 100), line)
        if chance.random() < 0.15:
            yield Item("content", chance.choice((4_900, 7_900, 13_900)), line)
        if chance.random() < 0.12:
            yield Item("small_payment", chance.randrange(1_100, 50_000, 100), line)
        if chance.random() < 0.04:
            yield Item("roaming", chance.randrange(9_900, 120_000, 100), line)


def _bills(chance: Random, on: date, items: tuple[Item, ...]) -> Iterator[SampleBill]:
    day, fate = chance.choice(DUE_DAYS), chance.random()
    due = last_due(on, day)
    if fate < _OVERDUE:
        if chance.random() < 0.3:
            yield SampleBill(previous(due, day), items)
        yield SampleBill(due, items)
    elif fate < _OVERDUE + _PAID:
        yield _paid(due, *items)
    else:
        yield SampleBill(min(following(due, day), on + timedelta(BILLED_BEFORE)), items)


def bills_csv(made: Carrier) -> str:
    """The carrier's bills, one item a row, as docs/imports.md describes them."""
    header = (
        *("account", "account_holder", "holder_kind", "party", "phone", "language", "bill", "bill_date", "due_date"),
        *("period_start", "period_end", "currency", "total", "class", "amount", "line"),
    )
    return _csv(header, (row for customer in made.customers for row in _bill_rows(customer)))


def _bill_rows(customer: Customer) -> Iterator[tuple[object, ...]]:
    who = customer.holder
    for bill in customer.bills:
        for item in bill.items:
            yield (
                *(customer.account, who.name, who.kind, f"P-{customer.account}", customer.lines[0], who.language),
                *(customer.number(bill), bill.bill_date, bill.due, *bill.period, CURRENCY, bill.amount),
                *(item.item_class, item.amount, customer.lines[item.line]),
            )


def payments_csv(made: Carrier) -> str:
    """What others took for the carrier before it ran Doenda."""
    header = ("payment_id", "account", "bill", "amount", "currency", "paid_at")
    paid = ((each, bill) for each in made.customers for bill in each.bills if bill.paid_on)
    rows = (
        (f"SAMPLE-{each.number(bill)}", each.account, each.number(bill), bill.amount, CURRENCY, bill.paid_on)
        for each, bill in paid
    )
    return _csv(header, rows)


def _csv(header: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()

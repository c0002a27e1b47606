"""Who they are: the same customers for both sides, each with all that they would do. Pure; follows from the seed alone.

What a customer would do on a day is drawn beforehand and not when it is needed: so that both sides meet the same
people, however differently their days go.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from doenda.demo import people
from doenda.demo.story.scenario import Scenario
from doenda.kernel import randomness

BILLED_BEFORE = timedelta(days=17)


@dataclass(frozen=True, slots=True)
class Day:
    """What a customer would do on one day, should it come to it."""

    hour: int
    tries_again: bool
    calls: bool
    asks_a_store: bool
    looks_elsewhere: bool
    told: float
    """Against the share of agents (or stores) that help."""
    patience: float
    """Where in the hour the call comes, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Customer:
    """`number` 1 is the one of whom the article tells. `begins`: the day, from 0, of the first try; beyond the end:
    none. `prefers`: methods, the first choice first. `takes_another`: a number to pay into, or a store, if need be.
    `other_browser`: not the one in which everything works."""

    number: int
    name: str
    lang: str
    amount: int
    due: date
    begins: int
    phones_first: bool
    prefers: tuple[str, ...]
    takes_another: bool
    other_browser: bool
    goes_back: bool
    reports: bool
    same_day: bool
    days: tuple[Day, ...]

    @property
    def account(self) -> str:
        return f"S{self.number:07}"

    @property
    def phone(self) -> str:
        return people.phone(self.number)


def make(count: int, seed: int, scenario: Scenario) -> tuple[Customer, ...]:
    """Raises ValueError for fewer than one."""
    if count < 1:
        raise ValueError("the story needs at least the one customer of whom it is told")
    return tuple(
        _reported(_customer(1, seed, scenario)) if n == 1 else _customer(n, seed, scenario) for n in _to(count)
    )


def _to(count: int) -> range:
    return range(1, count + 1)


def _reported(one: Customer) -> Customer:
    """The article's: an office worker who called every day, and in the end looked elsewhere and tried two browsers."""
    last = len(one.days) - 1
    days = tuple(
        replace(each, tries_again=True, calls=True, asks_a_store=at == last, looks_elsewhere=at >= last - 1)
        for at, each in enumerate(one.days)
    )
    mind = replace(one, phones_first=True, prefers=("transfer", "card", "deposit", "store"), days=days)
    return replace(mind, begins=0, lang="ko", takes_another=True, other_browser=True, goes_back=True, reports=True)


def _customer(number: int, seed: int, scenario: Scenario) -> Customer:
    chance = randomness.stream(f"story {seed} {number}")
    left = dict(scenario.prefers)
    order: list[str] = []
    while left:
        order.append(chance.choices(list(left), list(left.values()))[0])
        del left[order[-1]]
    begins = next((day for day in range(scenario.days) if chance.random() < scenario.acts_each_day), scenario.days)
    return Customer(
        number=number,
        name=people.person(chance).name,
        lang="en" if chance.random() < scenario.english else "ko",
        amount=chance.choice(scenario.amounts),
        due=chance.choice(scenario.due),
        begins=begins,
        phones_first=chance.random() < scenario.phones_first,
        prefers=tuple(order),
        other_browser=chance.random() < scenario.other_browsers,
        takes_another=chance.random() < scenario.takes_another or order[0] not in scenario.broken,
        goes_back=chance.random() < scenario.goes_back,
        reports=chance.random() < scenario.reports,
        same_day=chance.random() < scenario.brings_same_day,
        days=tuple(
            Day(
                hour=chance.choice(scenario.hours),
                tries_again=chance.random() < scenario.tries_again,
                calls=chance.random() < scenario.calls_after,
                asks_a_store=chance.random() < scenario.asks_a_store,
                looks_elsewhere=chance.random() < scenario.looks_elsewhere,
                told=chance.random(),
                patience=chance.random(),
            )
            for _ in range(scenario.days)
        ),
    )


def bills_csv(customers: Sequence[Customer]) -> str:
    """The carrier's bills, as docs/imports.md describes them."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    holder = ("account", "account_holder", "party", "phone", "language")
    bill_of = ("bill", "bill_date", "due_date", "period_start", "period_end", "currency", "total")
    writer.writerow((*holder, *bill_of, "class", "amount", "line"))
    for one in customers:
        billed = one.due - BILLED_BEFORE
        end = billed.replace(day=1) - timedelta(days=1)
        who = (one.account, one.name, f"P-{one.account}", one.phone, one.lang)
        bill = (f"B-{one.account}", billed, one.due, end.replace(day=1), end, "KRW", one.amount)
        writer.writerow((*who, *bill, "service", one.amount, one.phone))
    return text.getvalue()

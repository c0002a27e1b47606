"""The book in which both sides' days are written down, and the rules by which both are judged. Pure.

The judge knows the truth of the faults, which neither side is told: which method works for whom, and when.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from doenda.demo.story.population import Customer
from doenda.demo.story.scenario import Scenario

AFTER_A_FAILURE = timedelta(days=3)
"""A step so soon after a try that failed through the carrier is wrongful, whatever else was named meanwhile."""
IN_TRANSIT = timedelta(minutes=5)
"""What was named within this time after a fault began could not be known better."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What works: `breaks` is the instant of the fault."""

    scenario: Scenario
    breaks: datetime
    ends: datetime

    def works(self, method: str, customer: Customer, at: datetime) -> bool:
        """Could this customer, with this browser, pay so to the last step?"""
        if method in self.scenario.only_in_one_browser and customer.other_browser:
            return False
        return method not in self.scenario.broken or at < self.breaks


@dataclass
class _Known:
    """What the judge remembers of one customer."""

    failed_at: datetime | None = None
    led_on_at: datetime | None = None
    dead_ends: int = 0
    unnamed: set[str] = field(default_factory=set)
    paid: int = 0
    promised: bool = False


class Book:
    """One side's. Methods are words of `ways.toml`; instants in UTC; amounts in won."""

    def __init__(self, truth: Truth) -> None:
        self.truth = truth
        self.counts: Counter[str] = Counter()
        self.noticed_at: datetime | None = None
        self.waits: Counter[int] = Counter()
        self.by_day: dict[str, Counter[int]] = {name: Counter() for name in ("dead_ends", "collected", "paid")}
        self._known: dict[int, _Known] = {}

    def of(self, customer: Customer) -> _Known:
        return self._known.setdefault(customer.number, _Known())

    def text(self, customer: Customer, at: datetime, *, threat: bool, named: Iterable[str]) -> None:
        """A text was sent that names these methods; a threat is one that says that service will stop."""
        named = set(named)
        self.counts["texts"] += 1
        self.counts["threats"] += threat
        works = [method for method in named if self.truth.works(method, customer, at)]
        self.counts["wrongful_threats"] += threat and not works
        self._broken_named(named, at)

    def tried(self, customer: Customer, at: datetime, ended: str, named: Iterable[str] = ()) -> None:
        """A try is over: "paid", "promised" (a date, with the clock stopped), "number" (to pay into), or "failed".

        `named`: what was named to the customer in it. A failed try that named nothing that works is a dead end.
        """
        named, known = set(named), self.of(customer)
        self.counts["tries"] += 1
        self._broken_named(named, at)
        works = any(self.truth.works(method, customer, at) for method in named)
        if works or ended in ("paid", "promised", "number"):
            known.led_on_at = at
        if ended == "promised":
            known.promised = True
        if ended != "failed":
            return
        self.counts["failed_tries"] += 1
        known.failed_at = at
        known.unnamed |= {each for each in self.truth.scenario.works - named if self.truth.works(each, customer, at)}
        if not works:
            self._dead_end(known, at)

    def met_a_fault(self, customer: Customer, at: datetime) -> None:
        """A try failed through the carrier, and the customer is still there."""
        self.of(customer).failed_at = at

    def call(self, customer: Customer, at: datetime, *, disconnected: bool, told: bool = False) -> None:
        """A call; who is disconnected, or told of nothing that works, has met a dead end."""
        self.counts["calls"] += 1
        self.counts["disconnected_calls"] += disconnected
        if disconnected or not told:
            self._dead_end(self.of(customer), at)

    def waited(self, seconds: float, *, said_until: float = 0.0, called_back: bool = False) -> None:
        """A caller was connected after so long. `said_until`: the seconds that were promised; 0: none were."""
        self.waits[round(seconds / 60)] += 1
        self.counts["connected_calls"] += 1
        self.counts["called_back"] += called_back
        if said_until and not called_back:
            self.counts["waits_told"] += 1
            self.counts["waits_kept"] += seconds <= said_until

    def _wait(self, share: float) -> int:
        """Whole minutes within which this share of those who were connected was."""
        left = share * sum(self.waits.values())
        for minutes, many in sorted(self.waits.items()):
            left -= many
            if left <= 0:
                return minutes
        return 0

    def step(self, customer: Customer, at: datetime, what: str) -> None:
        """ "late_fee" or "suspension"."""
        known = self.of(customer)
        self.counts[f"{what}s"] += 1
        self.counts["wrongful_steps"] += self.wrongful(known, at)

    @staticmethod
    def wrongful(known: _Known, at: datetime) -> bool:
        """Had the carrier failed the customer lately, or never since led anywhere that works?"""
        if known.failed_at is None:
            return False
        lately = at - known.failed_at < AFTER_A_FAILURE
        return lately or known.led_on_at is None or known.led_on_at < known.failed_at

    def paid(self, customer: Customer, at: datetime, amount: int) -> None:
        self.of(customer).paid += amount
        day = self._day(at)
        self.by_day["collected"][day] += amount
        self.by_day["paid"][day] += 1

    def _dead_end(self, known: _Known, at: datetime) -> None:
        known.dead_ends += 1
        self.counts["dead_ends"] += 1
        self.by_day["dead_ends"][self._day(at)] += 1

    def _broken_named(self, named: set[str], at: datetime) -> None:
        late = at >= self.truth.breaks + IN_TRANSIT
        self.counts["broken_ways_named"] += late and bool(named & self.truth.scenario.broken)

    def _day(self, at: datetime) -> int:
        """From 0; what comes after the last day belongs to none."""
        begins = self.truth.ends - timedelta(days=self.truth.scenario.days)
        return (at - begins) // timedelta(days=1)

    def figures(self) -> dict[str, int | float | bool]:
        """The contract of `doenda story`: add, do not rename."""
        everyone = self._known.values()
        noticed = (self.noticed_at or self.truth.ends) - self.truth.breaks
        names = (
            *("dead_ends", "wrongful_steps", "disconnected_calls", "wrongful_threats", "broken_ways_named", "calls"),
            *("texts", "threats", "tries", "failed_tries", "late_fees", "suspensions", "callbacks"),
            *("connected_calls", "called_back", "waits_told", "waits_kept"),
        )
        return {
            **{name: self.counts[name] for name in names},
            "wait_minutes_median": self._wait(0.5),
            "wait_minutes_p95": self._wait(0.95),
            "noticed": self.noticed_at is not None,
            "days_until_noticed": round(noticed / timedelta(days=1), 4),
            "seconds_until_noticed": round(noticed.total_seconds()),
            "collected": sum(each.paid for each in everyone),
            "customers_paid": sum(each.paid > 0 for each in everyone),
            "customers_promised": sum(each.promised and not each.paid for each in everyone),
            "customers_with_dead_ends": sum(each.dead_ends > 0 for each in everyone),
            "most_dead_ends": max((each.dead_ends for each in everyone), default=0),
            "ways_unnamed": sum(len(each.unnamed) for each in everyone),
        }

    def as_data(self) -> dict[str, Any]:
        """Plain values, for another process; what only further judging needs is left out."""
        return {
            "counts": dict(self.counts),
            "waits": dict(self.waits),
            "noticed_at": self.noticed_at.isoformat() if self.noticed_at else None,
            "by_day": {name: dict(days) for name, days in self.by_day.items()},
            "known": {
                number: [each.dead_ends, sorted(each.unnamed), each.paid, each.promised]
                for number, each in self._known.items()
            },
        }

    def add(self, data: Mapping[str, Any]) -> None:
        """Take in what another process has written down of other customers; noticed is what the slowest noticed."""
        first = not self._known
        self.counts.update(data["counts"])
        self.waits.update({int(minutes): many for minutes, many in data["waits"].items()})
        for name, days in data["by_day"].items():
            self.by_day[name].update({int(day): count for day, count in days.items()})
        for number, (dead_ends, unnamed, paid, promised) in data["known"].items():
            self._known[int(number)] = _Known(None, None, dead_ends, set(unnamed), paid, promised)
        noticed = datetime.fromisoformat(data["noticed_at"]) if data["noticed_at"] else None
        if first:
            self.noticed_at = noticed
        elif self.noticed_at is not None:
            self.noticed_at = None if noticed is None else max(self.noticed_at, noticed)

    def dead_ends_by_customer(self) -> Counter[int]:
        """How many customers met how many; who is not in the book met none."""
        return Counter(each.dead_ends for each in self._known.values())

    def met(self, customer: Customer) -> int:
        """Dead ends of this customer."""
        return self.of(customer).dead_ends

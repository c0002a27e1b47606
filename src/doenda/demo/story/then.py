"""The carrier's way of then: a model as small as it can be, and no smaller than the article. Pure.

What it does by the article's rows (the list in docs/story.md; every figure stands in scenario.toml):

1 a text a day to whoever owes, with the threat and the link to the web's own ways, whatever happens to those;
2 a queue that disconnects who has waited for five minutes, and keeps nobody's place;
3 the visual ARS to which its announcement leads has ended: a customer goes there once;
4 account transfer stops in every browser but one, and no server sees it;
5 at the last step, a service fault; the page names the same ways again;
6 a store knows, and tells nobody who could act: nothing is ever noticed, and no clock stops.

Invented, to its favour: an agent who does answer, and a store, sometimes name a way that works. Its ladder is the same
policy as ours (days, amounts, notice), only that no clock stops.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from doenda.demo.story.book import Book
from doenda.demo.story.calls import Call, answered
from doenda.demo.story.population import Customer, Day
from doenda.demo.story.scenario import Scenario
from doenda.dunning import policy
from doenda.kernel import clock

TEXTS_AT = 10
ALWAYS_DISCONNECTED = 1
"""The article's customer: "after about five minutes, every time" (row 2)."""
BRINGS = timedelta(hours=2)


@dataclass
class _One:
    """A customer on the way through the days. `pays_at`: has a number or a counter, and brings the money then."""

    customer: Customer
    failed: bool = False
    saw_visual_ars: bool = False
    in_the_one_browser: bool = False
    paid_at: datetime | None = None
    pays_at: datetime | None = None


def play(customers: Sequence[Customer], scenario: Scenario, book: Book, seed: int) -> None:
    """Play the days into the book."""
    everyone = [_One(each) for each in customers]
    for number in range(scenario.days):
        day = scenario.day(number)
        active = [one for one in everyone if _comes(one, number)]
        calls = {one.customer.number: _call_at(one, day, number) for one in active if _calls(one, number)}
        through = answered(
            [Call(at.timestamp(), who) for who, at in calls.items()],
            opens=clock.at(day, scenario.opens).timestamp(),
            closes=clock.at(day, scenario.closes).timestamp(),
            scenario=scenario,
            customers=len(customers),
            seed=f"{seed} {number}",
        )
        for who, waited in through.items():
            if who != ALWAYS_DISCONNECTED:
                book.waited(waited)
        _texts(everyone, day, scenario, book)
        for one in active:
            at = clock.at(day, one.customer.days[number].hour)
            connected = None if one.customer.number not in calls else one.customer.number in through
            _live(one, at, one.customer.days[number], connected, scenario, book)
        for one in everyone:
            if one.pays_at is not None and clock.local(one.pays_at).date() <= day:
                _pay(one, one.pays_at, book)
    _ladder(everyone, scenario, book)


def _comes(one: _One, number: int) -> bool:
    if one.paid_at or one.pays_at or number < one.customer.begins:
        return False
    return number == one.customer.begins or one.customer.days[number].tries_again


def _calls(one: _One, number: int) -> bool:
    """Who wants to be told a number to pay into has nobody else to ask."""
    by_nature = one.customer.phones_first or one.customer.prefers[0] == "deposit"
    return by_nature or (one.failed and one.customer.days[number].calls)


def _call_at(one: _One, day: date, number: int) -> datetime:
    drawn = one.customer.days[number]
    return clock.at(day, drawn.hour) + drawn.patience * timedelta(hours=1)


def _live(one: _One, at: datetime, day: Day, connected: bool | None, scenario: Scenario, book: Book) -> None:
    """One day of one customer: the call (2), or else the visual ARS (3), the web (4, 5), a store (6).

    `connected`: None for who does not call. Who calls in vain looks elsewhere only on some days, and goes to the visual
    ARS once.
    """
    customer = one.customer
    if connected is not None:
        connected = connected and customer.number != ALWAYS_DISCONNECTED
        told = connected and customer.takes_another and day.told < scenario.agent_tells
        book.call(customer, at, disconnected=not connected, told=told)
        if told:
            _will_pay(one, at)
        elif not connected and day.looks_elsewhere and not one.saw_visual_ars:
            one.saw_visual_ars = True
            book.tried(customer, at, "failed")
        if told or not day.looks_elsewhere:
            return
    if customer.prefers[0] == "store" or day.asks_a_store:
        if day.told < scenario.store_takes and customer.number != ALWAYS_DISCONNECTED:
            book.tried(customer, at, "paid", ["store"])
            _pay(one, at, book)
        else:
            book.tried(customer, at, "failed")
        return
    _web(one, at, scenario, book)


def _web(one: _One, at: datetime, scenario: Scenario, book: Book) -> None:
    """The link's page on the phone; who has learnt there that it needs another browser may go to that one."""
    customer, works = one.customer, book.truth.works
    offered = [method for method in customer.prefers if method in scenario.names]
    stops = offered[0] in scenario.only_in_one_browser and customer.other_browser
    if stops and not one.in_the_one_browser:
        one.failed = True
        book.tried(customer, at, "failed", scenario.names)
        if not customer.goes_back:
            return
        one.in_the_one_browser = True
    if any(works(method, customer, at) for method in offered) or (stops and at < book.truth.breaks):
        book.tried(customer, at, "paid", scenario.names)
        _pay(one, at, book)
        return
    one.failed = True
    book.tried(customer, at, "failed", scenario.names)


def _will_pay(one: _One, at: datetime) -> None:
    one.pays_at = at + (BRINGS if one.customer.same_day else timedelta(days=1))


def _pay(one: _One, at: datetime, book: Book) -> None:
    one.paid_at, one.pays_at = at, None
    if at < book.truth.ends:
        book.paid(one.customer, at, one.customer.amount)


def _texts(everyone: Sequence[_One], day: date, scenario: Scenario, book: Book) -> None:
    at = clock.at(day, TEXTS_AT)
    if scenario.daily_text or day == scenario.first_day:
        for one in everyone:
            if one.paid_at is None:
                book.text(one.customer, at, threat=True, named=scenario.names)


def _ladder(everyone: Sequence[_One], scenario: Scenario, book: Book) -> None:
    """Late fee and suspension on the policy's own days, counted from the first text, with no clock stopped."""
    rules = policy.in_force("KR", scenario.first_day)
    first = rules.ladder[0]
    for one in everyone:
        due = one.customer.due
        month_end = (due.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)
        free = max(month_end, scenario.first_day + timedelta(days=rules.fee_reminded_days))
        _step(one, free + timedelta(days=1 + rules.posting_grace_days), "late_fee", rules, book)
        if not rules.meets_threshold("KRW", [one.customer.amount]):
            continue
        noticed = max(
            due + timedelta(days=first.notice_after_days), scenario.first_day + timedelta(days=first.after_step_days)
        )
        effective = rules.first_adverse_day(noticed + timedelta(days=rules.notice_days + rules.delivery_margin_days))
        _step(one, effective + timedelta(days=rules.posting_grace_days), "suspension", rules, book)


def _step(one: _One, day: date, what: str, rules: policy.Policy, book: Book) -> None:
    at = clock.at(rules.first_adverse_day(day), rules.opens)
    if at < book.truth.ends and (one.paid_at is None or one.paid_at > at):
        book.step(one.customer, at, what)

"""Our side: the days hour by hour, through the real journeys, notices, collections, probes, tickets and tills."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Min, QuerySet

from doenda.assurance import guidance, hours
from doenda.assurance.models import Incident
from doenda.contact import tickets
from doenda.contact.models import Ticket
from doenda.contact.queue import entering
from doenda.demo.story.bodies import Body, InProcess, OnPages, approve_at
from doenda.demo.story.book import Book
from doenda.demo.story.house import MOMENT, House, house
from doenda.demo.story.population import Customer
from doenda.demo.story.scenario import Scenario
from doenda.demo.story.telephone import Connected, Telephone
from doenda.demo.story.visits import Visit, visit
from doenda.dunning.models import CaseStep
from doenda.dunning.words import SUSPENSIONS
from doenda.kernel import clock
from doenda.kernel.models import Row
from doenda.notices.models import Delivery
from doenda.payments.models import Attempt
from doenda.payments.states import State

OTHERS = 1_000_000
"""From this number on: customers who paid at the store on the eve, and are in no figure."""
BRINGS = timedelta(hours=2)
WALKED_AGAIN = 60
STEPS = {"fee": "late_fee", "bar": "suspension"}
_FIRST_ID = UUID(int=0)


@dataclass
class _One:
    """A customer on the way through the days. `brings_at`: has `number` to pay into, and goes there then.
    `waits_for_call`: stands in line, on the telephone or to be called."""

    customer: Customer
    on_pages: bool = False
    paid: bool = False
    waits_for_call: bool = False
    brings_at: datetime | None = None
    number: str = ""
    method: str = ""


def play(customers: Sequence[Customer], scenario: Scenario, book: Book, seed: int | str, *, sample: int) -> None:
    """Play the days into the book, on the empty, migrated database that this process is connected to.

    `sample` customers walk the whole web channel; the others walk the engine and its actions.
    """
    eve = scenario.first_day - timedelta(days=1)
    others = [replace(customers[0], number=OTHERS + at, name="표본고객") for at in range(2)]
    with house([*customers, *others], clock.at(eve, scenario.hours[0]), seed) as made:
        days = Days(made, customers, scenario, book, sample, seed)
        days.eve(others)
        for number in range(scenario.days):
            days.live(number)
        made.now.set(book.truth.ends - timedelta(seconds=1))
        days.write_down()


class Days:
    """The hours of one house; everything that is judged goes into `book`."""

    def __init__(
        self,
        made: House,
        customers: Sequence[Customer],
        scenario: Scenario,
        book: Book,
        sample: int,
        seed: int | str = 0,
    ) -> None:
        self.house, self.scenario, self.book = made, scenario, book
        self.telephone = Telephone(scenario, len(customers), seed)
        every = max(1, len(customers) // sample) if sample else len(customers) + 1
        self.everyone = [_One(each, on_pages=sample > 0 and at % every == 0) for at, each in enumerate(customers)]
        self.by_account = {made.bills[one.customer.number][0]: one for one in self.everyone}
        self._seen: dict[type[Row], UUID] = {}
        self._booked: set[UUID] = set()
        self._looked = clock.now()

    def eve(self, others: Sequence[Customer]) -> None:
        """The day before: every way works and is proven: by walks, and the store's by two who pay there."""
        self.house.prove()
        at_the_till, with_a_slip = others
        self.house.take_cash(*self.house.bills[at_the_till.number], at_the_till.amount)
        body = self._body(_One(with_a_slip))
        seen = visit(replace(with_a_slip, prefers=("store",), other_browser=False), body, self.scenario, phones=False)
        self.house.take_slip(seen.number, with_a_slip.amount)

    def live(self, number: int) -> None:
        """One day, from the first hour to the last. An hour at which nobody comes and nothing is due is left out."""
        day = self.scenario.day(number)
        by_hour: dict[int, list[_One]] = {}
        for one in self.everyone:
            if self._comes(one, number):
                by_hour.setdefault(one.customer.days[number].hour, []).append(one)
        if any(not one.paid for one in self.everyone):
            self.house.now.set(clock.at(day, self.scenario.hours[0]))
            self.house.prove()
            self.house.morning()
            self.write_down()
        for hour in self.scenario.hours:
            self._hour(by_hour.get(hour, []), clock.at(day, hour))

    def _hour(self, come: list[_One], at: datetime) -> None:
        bring = [one for one in self.everyone if one.brings_at is not None and one.brings_at <= at]
        breaks = at == self.book.truth.breaks
        if not (come or bring or breaks or self._waiting_for_calls()):
            return
        if at > self.house.now.instant:
            self.house.now.set(at)
            self.house.prove()
        if breaks:
            come = self._it_breaks(come)
        for connected in self.telephone.advance(clock.now()):
            self._talks(connected)
        self._visits(come)
        for one in bring:
            self._bring(one)
        self.house.work()
        self.write_down()

    def _waiting_for_calls(self) -> bool:
        return any(one.waits_for_call for one in self.everyone)

    def _it_breaks(self, come: list[_One]) -> list[_One]:
        """The fault; half of the hour's customers are there before anybody can know. Returns those who come later."""
        self.house.breaks(sorted(self.scenario.broken))
        first, later = come[: len(come) // 2], come[len(come) // 2 :]
        self._visits(first)
        self.house.prove_until_still()
        return later

    def _comes(self, one: _One, number: int) -> bool:
        if one.paid or one.brings_at or one.waits_for_call or number < one.customer.begins:
            return False
        return number == one.customer.begins or one.customer.days[number].tries_again

    def _body(self, one: _One) -> Body:
        if one.on_pages:
            return OnPages(self.house.link(one.customer.number), one.customer.lang)
        account_id, bill_id = self.house.bills[one.customer.number]
        return InProcess(account_id, bill_id, one.customer.lang, approve_at)

    def _visits(self, come: Sequence[_One]) -> None:
        """One a second; what a walk has proven is proven anew before its lease ends. Who telephones first does so."""
        for place, one in enumerate(come, 1):
            if one.customer.phones_first:
                self._calls(one)
            else:
                self._visit(one, phones=False)
            self.house.now.advance(MOMENT)
            if place % WALKED_AGAIN == 0:
                self.house.prove()

    def _visit(self, one: _One, *, phones: bool, told: frozenset[str] = frozenset()) -> None:
        """`told`: what an agent has just named on the telephone."""
        if one.paid:
            return
        at = clock.now()
        seen = visit(one.customer, self._body(one), self.scenario, phones=phones)
        if seen.faults:
            self.book.met_a_fault(one.customer, at)
        self.book.tried(one.customer, at, seen.ended, frozenset() if seen.lost else seen.named | told)
        self.book.counts["pages_that_lead_nowhere"] += seen.lost
        self.book.counts["reports"] += seen.reported
        self.book.counts["callbacks"] += seen.called_back
        self.book.counts["visits_on_pages"] += one.on_pages
        if seen.called_back:
            one.waits_for_call = True
            self.telephone.call(one.customer.number, at, to_be_called=True)
        if seen.ended == "paid":
            one.paid = True
        elif seen.ended == "number":
            self._will_bring(one, seen, at)

    def _will_bring(self, one: _One, seen: Visit, at: datetime) -> None:
        goes = at + (BRINGS if one.customer.same_day else timedelta(days=1))
        if seen.method == "store":
            goes = hours.opens(hours.named("store"), goes)
        one.brings_at, one.number, one.method = goes, seen.number, seen.method

    def _bring(self, one: _One) -> None:
        if one.method == "store":
            said = self.house.take_slip(one.number, one.customer.amount)
            one.paid = said == "taken"
            if not one.paid:
                self.book.tried(one.customer, clock.now(), "failed")
        else:
            self.house.deposit(one.number, one.customer.amount, one.customer.name)
            one.paid = True
        one.brings_at = None

    def _calls(self, one: _One) -> None:
        """Stand in line by telephone: the ticket is the place, and the clock stands until somebody has answered."""
        account_id, bill_id = self.house.bills[one.customer.number]
        now = clock.now()
        entering.enter(
            channel="call",
            call_id=f"story-{one.customer.number}-{now:%m%d}",
            lang=one.customer.lang,
            phone=one.customer.phone,
            account_id=account_id,
            bill_id=bill_id,
        )
        self.telephone.call(one.customer.number, now)
        self.book.tried(one.customer, now, "promised")
        one.waits_for_call = True

    def _talks(self, connected: Connected) -> None:
        """An agent names what guidance gives to name, and the customer pays, or not."""
        one = self.by_account[self.house.bills[connected.who][0]]
        account_id, _ = self.house.bills[connected.who]
        ticket = (
            Ticket.objects.filter(kind="person", answered_at=None, account=account_id).order_by("queued_at").first()
        )
        one.waits_for_call = False
        if ticket is None or one.paid:
            return
        offered = guidance.offer("pay", account_id, "script", lang=ticket.lang, subject_id=ticket.pk)
        named = frozenset(_method(way.slug) for way in offered.ways)
        tickets.answer(ticket.pk, by="agent:lee", words=guidance.names(offered.ways, "en") or "nothing works now")
        now = clock.now()
        works = any(self.book.truth.works(method, one.customer, now) for method in named)
        self.book.call(one.customer, now, disconnected=False, told=works)
        self.book.waited(connected.waited, said_until=connected.said_until, called_back=connected.called_back)
        self._visit(one, phones=False, told=named)

    def write_down(self) -> None:
        """What the house has done since the last look: texts, steps, money, and what it noticed."""
        for delivery in self._new(Delivery.objects.filter(event="handed_over").select_related("notice")):
            if one := self.by_account.get(delivery.notice.account_id):
                named = {_method(slug) for slug in delivery.ways}
                threat = delivery.notice.kind in SUSPENSIONS
                self.book.text(one.customer, delivery.at, threat=threat, named=named)
        for step in self._new(CaseStep.objects.filter(step__in=STEPS)):
            if one := self.by_account.get(step.account_id):
                self.book.step(one.customer, step.decided_at, STEPS[step.step])
        self._money()
        if self.book.noticed_at is None:
            mine = Incident.objects.filter(detected_at__gte=self.book.truth.breaks, cause__startswith="provider:")
            self.book.noticed_at = mine.aggregate(first=Min("detected_at"))["first"]

    def _money(self) -> None:
        since = self._looked
        self._looked = clock.now()
        paid = Attempt.objects.filter(state=State.PAID, synthetic=False, settled_at__gte=since).order_by(
            "settled_at", "pk"
        )
        for attempt in paid:
            one = self.by_account.get(attempt.account_id)
            if one is not None and attempt.pk not in self._booked:
                self._booked.add(attempt.pk)
                one.paid = True
                self.book.paid(one.customer, attempt.settled_at or clock.now(), attempt.amount)

    def _new[R: Row](self, rows: "QuerySet[R, R]") -> list[R]:
        """Those written since the last look, in their order."""
        found = list(rows.filter(pk__gt=self._seen.get(rows.model, _FIRST_ID)).order_by("pk"))
        if found:
            self._seen[rows.model] = found[-1].pk
        return found


def _method(slug: str) -> str:
    """A way's method as the book names it: whatever is paid at the counter is paid at a store."""
    channel, method, _ = slug.split("/")
    return "store" if channel == "counter" else method

"""A small world around the pure rule: it carries decisions out as the actions do."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from uuid import UUID

from doenda.dunning import decide as rule
from doenda.dunning.case_facts import Debt, Facts, LineFacts, Told
from doenda.dunning.clock import Stop, counted
from doenda.dunning.policy import load
from doenda.dunning.words import STAGE_OF, Bar, HoldKind, Stage
from doenda.kernel import clock

KR = load("KR")[-1]
START = date(2014, 10, 20)


def uid(number: int) -> UUID:
    return UUID(int=number)


def debt(number: int, due: date, amount: int = 80_000, **more: object) -> Debt:
    return replace(Debt(uid(number), f"B{number}", due, amount, amount, amount), **more)  # type: ignore[arg-type]


@dataclass
class World:
    """One account. `log` holds (day, decision); `barred` what the network was asked for."""

    bills: dict[UUID, Debt] = field(default_factory=dict)
    stops: list[Stop] = field(default_factory=list)
    stage: Stage = Stage.WATCHING
    stage_since: date = START
    told: list[Told] = field(default_factory=list)
    lines: dict[UUID, Bar] = field(default_factory=lambda: {uid(1000): Bar.NONE})
    barred_since: date | None = None
    pending: str = ""
    not_heard: bool = False
    way_proven: bool = True
    delivery_days: int | None = 0
    open_case: bool = False
    bar_used_up: bool = False
    log: list[tuple[date, rule.Decision]] = field(default_factory=list)

    def facts(self, now: datetime) -> Facts:
        today = clock.local(now).date()
        debts = tuple(sorted((b for b in self.bills.values() if b.due < today), key=lambda b: b.due))
        return Facts(
            currency="KRW",
            stage=self.stage,
            stage_since=self.stage_since,
            debts=debts,
            told=tuple(replace(t, usable_days=self._usable(t, today)) for t in self.told),
            stops=tuple(self.stops),
            pending=self.pending,
            not_heard=self.not_heard,
            lines=tuple(LineFacts(line, bar, bar, barrable=True) for line, bar in self.lines.items()),
            way_proven=self.way_proven,
            barred_since=self.barred_since,
            bar_used_up=self.bar_used_up,
        )

    def _usable(self, told: Told, today: date) -> int:
        failing = [stop for stop in self.stops if stop.kind == HoldKind.EXPOSURE]
        return counted(clock.local(told.delivered_at).date(), today, failing) if told.delivered_at else 0

    def deliver(self, now: datetime) -> None:
        """Notices arrive `delivery_days` after they were decided; None: never."""
        if self.delivery_days is None:
            return
        for place, told in enumerate(self.told):
            decided = next(day for day, d in self.log if isinstance(d, rule.NoticeSuspension) and _is(d, told))
            if told.delivered_at is None and clock.local(now).date() >= decided + timedelta(self.delivery_days):
                self.told[place] = replace(told, delivered_at=now, ways=("web/card/sandbox",))

    def day(self, today: date, hour: int = 10) -> list[rule.Decision]:
        """Everything that is decided on one day, until there is nothing more to do."""
        done: list[rule.Decision] = []
        for _ in range(20):
            now = clock.at(today, hour)
            self.deliver(now)
            facts = self.facts(now)
            if not self.open_case:
                if not facts.debts:
                    return done
                self._reopen(today)
                facts = self.facts(now)
            decision = rule.decide(facts, KR, now)
            if isinstance(decision, rule.Nothing):
                assert decision.until > now
                return done
            self.carry_out(decision, today, now)
            done.append(decision)
        raise AssertionError(f"the rule does not come to rest on {today}: {done}")

    def run(self, first: date, days: int) -> None:
        for ahead in range(days):
            self.day(first + timedelta(ahead))

    def _reopen(self, today: date) -> None:
        self.open_case, self.stage, self.stage_since = True, Stage.WATCHING, today
        self.bills = {key: replace(bill, reminded=False) for key, bill in self.bills.items()}
        self.told, self.barred_since, self.bar_used_up = [], None, False

    def carry_out(self, decision: rule.Decision, today: date, now: datetime) -> None:
        self.log.append((today, decision))
        match decision:
            case rule.Remind(bills=bills):
                for bill in bills:
                    self.bills[bill] = replace(
                        self.bills[bill], reminded=True, told_on=self.bills[bill].told_on or today
                    )
                if self.stage == Stage.WATCHING:
                    self._move(Stage.REMINDED, today)
            case rule.NoticeSuspension(step=step, effective=effective, bills=noticed):
                self.told.append(Told(uid(5000 + len(self.log)), step, effective, noticed))
                if step == Bar.OUTGOING:
                    self._move(Stage.NOTICED, today)
            case rule.AssessFee(bill_id=bill_id, amount=amount):
                old = self.bills[bill_id]
                self.bills[bill_id] = replace(old, fee_assessed=True, remaining=old.remaining + amount)
            case rule.DoBar(step=step, lines=lines):
                self.lines |= dict.fromkeys(lines, step)
                self.barred_since = self.barred_since or today
                self._move(STAGE_OF[step], today)
            case rule.Restore(lines=lines, whole=whole, why=why):
                self.bar_used_up = self.bar_used_up or why == "longest_bar"
                self.lines |= dict.fromkeys(lines, Bar.NONE)
                if whole:
                    self._step_down(today)
            case rule.StandDown():
                self._step_down(today)
            case rule.Close(lines=lines):
                self.lines |= dict.fromkeys(lines, Bar.NONE)
                self.open_case = False

    def _move(self, stage: Stage, today: date) -> None:
        self.stage, self.stage_since = stage, today

    def _step_down(self, today: date) -> None:
        if self.stage != Stage.WATCHING:
            self._move(Stage.REMINDED, today)
        self.told = [replace(told, live=False) for told in self.told]
        self.barred_since = None

    def pay(self, bill: UUID) -> None:
        self.bills.pop(bill, None)

    def hold(self, first: date, last: date, kind: HoldKind = HoldKind.PROMISE) -> None:
        self.stops.append(Stop(kind, clock.at(first), clock.at(last, 23, 59)))

    def decided(self, kind: type) -> list[date]:
        return [day for day, decision in self.log if isinstance(decision, kind)]


def _is(decision: rule.NoticeSuspension, told: Told) -> bool:
    return (decision.step, decision.effective, decision.bills) == (told.step, told.effective, told.bills)

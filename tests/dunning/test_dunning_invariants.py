"""The invariants of collections as properties: whatever happens to a debt, on whatever days, these hold."""

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.dunning.dunning_world import KR, START, World, debt, uid

from doenda.dunning import decide as rule
from doenda.dunning.clock import Stop
from doenda.dunning.words import STAGE_OF, Bar, HoldKind, Stage
from doenda.kernel import clock

KINDS = st.sampled_from([HoldKind.PROMISE, HoldKind.OUR_FAULT, HoldKind.EXPOSURE, HoldKind.NO_WAY, HoldKind.CLAIM])
EVENTS = st.one_of(
    st.tuples(st.just("bill"), st.integers(1, 6), st.sampled_from([20_000, 50_000, 90_000, 300_000])),
    st.tuples(st.just("pay"), st.integers(1, 6), st.just(0)),
    st.tuples(st.just("part"), st.integers(1, 6), st.integers(1, 60_000)),
    st.tuples(st.just("hold"), st.integers(0, 12), KINDS),
    st.tuples(st.just("pending"), st.integers(0, 1), st.just(0)),
    st.tuples(st.just("heard"), st.integers(0, 1), st.just(0)),
    st.tuples(st.just("proven"), st.integers(0, 1), st.just(0)),
    st.tuples(st.just("delivery"), st.sampled_from([0, 1, 3, 9]), st.just(0)),
)
HISTORIES = st.lists(st.tuples(st.integers(0, 9), EVENTS, st.booleans()), min_size=4, max_size=25)


def happen(w: World, today: date, event: tuple[str, int, object]) -> None:
    what, number, value = event
    known = w.bills.get(uid(number))
    match what:
        case "bill":
            w.bills.setdefault(uid(number), debt(number, today - timedelta(number % 3), int(str(value))))
        case "pay":
            w.pay(uid(number))
        case "part" if known and known.remaining > int(str(value)) and known.may_bar > int(str(value)):
            left = known.may_bar - int(str(value))
            w.bills[uid(number)] = debt(
                number,
                known.due,
                left,
                reminded=known.reminded,
                fee_assessed=known.fee_assessed,
                told_on=known.told_on,
            )
        case "hold":
            w.hold(today, today + timedelta(number), HoldKind(str(value)))
        case "pending":
            w.pending = "unknown" if number else ""
        case "heard":
            w.not_heard = not number
        case "proven":
            w.way_proven = bool(number)
        case "delivery":
            w.delivery_days = number
        case _:
            pass


@settings(max_examples=250)
@given(HISTORIES)
def test_whatever_happens_every_step_is_fair(history: list[tuple[int, tuple[str, int, object], bool]]) -> None:
    w, today = World(), START
    w.bills[uid(1)] = debt(1, START)
    for gap, event, runs in history:
        happen(w, today, event)
        for _ in range(gap):
            today += timedelta(1)
            if runs or gap > 4:
                one_day(w, today)
        one_day(w, today)


def one_day(w: World, today: date) -> None:
    """Run a day twice and hold every decision to the invariants."""
    for decision in checked(w, today):
        assert_fair(w, decision, today)
    assert w.day(today) == [], "a second run on the same day changes something"


def checked(w: World, today: date) -> list[rule.Decision]:
    before = w.stage if w.open_case else Stage.WATCHING
    done = w.day(today)
    for decision in done:
        if isinstance(decision, rule.DoBar):
            expected = Stage.OUTGOING_BARRED if decision.step == Bar.BOTH else Stage.NOTICED
            assert before == expected, "a step was skipped"
            before = STAGE_OF[decision.step]
        elif isinstance(decision, rule.NoticeSuspension) and decision.step == Bar.OUTGOING:
            assert before in {Stage.REMINDED, Stage.NOTICED}
            before = Stage.NOTICED
        elif isinstance(decision, rule.Remind):
            before = Stage.REMINDED if before == Stage.WATCHING else before
        elif isinstance(decision, rule.StandDown | rule.Restore | rule.Close):
            before = w.stage
    return done


def assert_fair(w: World, decision: rule.Decision, today: date) -> None:
    stopped = w.pending or any(stop.covers(today) for stop in w.stops)
    if isinstance(decision, rule.Remind | rule.NoticeSuspension | rule.AssessFee | rule.DoBar):
        assert not stopped, "something was done while the clock stood"
        assert isinstance(decision, rule.Remind) or not w.not_heard, "on news that was too old"
    match decision:
        case rule.DoBar():
            told = next(told for told in w.told if told.notice_id == decision.notice_id)
            assert told.delivered_at is not None
            delivered = clock.local(told.delivered_at).date()
            assert told.ways
            assert w.way_proven
            assert told.effective - delivered >= timedelta(KR.notice_days)
            assert today > told.effective
            usable = [today - timedelta(back) for back in range((today - delivered).days)]
            assert sum(not any(stop.covers(day) for stop in w.stops) for day in usable) >= KR.notice_days
            assert KR.adverse_day(today)
            owed = [w.bills[bill].may_bar for bill in told.bills if bill in w.bills]
            assert KR.meets_threshold("KRW", owed)
        case rule.NoticeSuspension():
            told_before = [told.effective for told in w.told if told.step == decision.step]
            assert decision.effective == max(told_before), "a date moved earlier"
            assert decision.effective - today >= timedelta(KR.notice_days)
            assert KR.adverse_day(decision.effective)
        case rule.AssessFee():
            assert today > decision.last_free
            told_on = w.bills[decision.bill_id].told_on
            assert told_on is not None
            assert today - told_on > timedelta(KR.fee_reminded_days)
            assert KR.adverse_day(today)
        case _:
            pass


@settings(max_examples=150)
@given(HISTORIES, st.integers(0, 23))
def test_payment_of_everything_closes_the_case_and_restores_at_any_hour(
    history: list[tuple[int, tuple[str, int, object], bool]], hour: int
) -> None:
    w, today = World(), START
    w.bills[uid(1)] = debt(1, START)
    for gap, event, _ in history:
        happen(w, today, event)
        today += timedelta(gap)
        w.day(today)
    w.bills.clear()
    w.day(today, hour)
    assert not w.open_case
    assert set(w.lines.values()) == {Bar.NONE}


@settings(max_examples=100)
@given(st.integers(0, 8), st.integers(1, 12), KINDS)
def test_a_stop_before_a_step_never_brings_that_step_forward(start: int, length: int, kind: HoldKind) -> None:
    plain, held = World(), World()
    for w in (plain, held):
        w.bills[uid(1)] = debt(1, START)
    held.stops.append(
        Stop(kind, clock.at(START + timedelta(start)), clock.at(START + timedelta(start + length), 23, 59))
    )
    for w in (plain, held):
        w.run(START, 70)
    for step, (early, late) in {k: (first(plain, k), first(held, k)) for k in STEPS}.items():
        assert early <= late, step


STEPS: list[tuple[type, Bar | None]] = [
    (rule.Remind, None),
    (rule.AssessFee, None),
    *((kind, bar) for kind in (rule.NoticeSuspension, rule.DoBar) for bar in (Bar.OUTGOING, Bar.BOTH)),
]


def first(w: World, wanted: tuple[type, Bar | None]) -> date:
    """The day of the first such step; a day far away if it never came."""
    kind, bar = wanted
    days = [day for day, d in w.log if isinstance(d, kind) and getattr(d, "step", None) == bar]
    return min(days, default=date.max)


@settings(max_examples=200)
@given(HISTORIES, st.integers(0, 23))
def test_the_rule_is_total_and_a_wait_always_ends_later(
    history: list[tuple[int, tuple[str, int, object], bool]], hour: int
) -> None:
    w, today = World(), START
    w.bills[uid(1)] = debt(1, START)
    for gap, event, runs in history:
        happen(w, today, event)
        today += timedelta(gap)
        now = clock.at(today, hour)
        decision = rule.decide(w.facts(now), KR, now)
        if isinstance(decision, rule.Nothing):
            assert decision.until > now
        if runs:
            w.day(today, hour)

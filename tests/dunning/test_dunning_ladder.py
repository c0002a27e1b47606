"""The ladder on the pure rule, and other systems' mistakes: each that belongs here is a test of its own."""

from dataclasses import replace
from datetime import date, timedelta

from tests.dunning.dunning_world import KR, START, World, debt, uid

from doenda.dunning import decide as rule
from doenda.dunning.case_facts import as_json, of_json
from doenda.dunning.words import Bar, HoldKind, Stage
from doenda.kernel import clock

DUE = date(2014, 10, 25)


def world(**more: object) -> World:
    made = World(**more)  # type: ignore[arg-type]
    made.bills = {uid(1): debt(1, DUE)}
    return made


def test_an_unpaid_bill_goes_up_the_whole_ladder_in_order() -> None:
    w = world()
    w.run(START, 60)
    kinds = [type(d).__name__ for _, d in w.log]
    assert kinds == ["Remind", "NoticeSuspension", "AssessFee", "DoBar", "NoticeSuspension", "DoBar"]
    assert w.decided(rule.Remind) == [date(2014, 10, 26)]
    assert w.decided(rule.NoticeSuspension)[0] == date(2014, 11, 1)
    assert w.told[0].effective == date(2014, 11, 10)
    assert w.decided(rule.AssessFee) == [date(2014, 11, 3)]  # free to 31 October, a day's grace, then a weekend
    assert w.decided(rule.DoBar)[0] == date(2014, 11, 11)  # told for the 10th, and a day's grace for late posting
    assert w.stage == Stage.FULLY_BARRED


def test_full_barring_comes_two_weeks_after_outgoing_with_a_notice_of_its_own() -> None:
    w = world()
    w.run(START, 60)
    first, second = w.decided(rule.DoBar)
    assert second - first >= timedelta(14)
    assert second - w.decided(rule.NoticeSuspension)[1] >= timedelta(7)


def test_the_late_fee_is_two_per_cent_once_and_rounded_down() -> None:
    w = world()
    w.bills = {uid(1): debt(1, DUE, 52_399)}
    w.run(START, 100)
    fees = [d for _, d in w.log if isinstance(d, rule.AssessFee)]
    assert [(fee.amount, fee.last_free) for fee in fees] == [(1_047, date(2014, 10, 31))]


def test_a_small_single_bill_is_reminded_and_never_barred() -> None:
    w = world()
    w.bills = {uid(1): debt(1, DUE, 76_999)}
    w.run(START, 120)
    assert not w.decided(rule.NoticeSuspension)
    assert w.stage == Stage.REMINDED


def test_a_class_that_may_not_bar_never_bars() -> None:
    w = world()
    w.bills = {uid(1): debt(1, DUE, 500_000, may_bar=0), uid(2): debt(2, DUE, 400_000, may_bar=0)}
    w.run(START, 120)
    assert not w.decided(rule.NoticeSuspension)


def test_kb1_paying_the_older_of_two_bills_never_jumps_to_barred_without_a_new_notice() -> None:
    w = world()
    w.bills = {uid(1): debt(1, DUE, 50_000), uid(2): debt(2, DUE + timedelta(3), 50_000)}
    w.run(START, 18)  # noticed about both
    assert w.stage == Stage.NOTICED
    w.pay(uid(1))
    w.run(START + timedelta(18), 60)
    assert not w.decided(rule.DoBar)
    w.bills[uid(3)] = debt(3, START + timedelta(70), 50_000)
    w.run(START + timedelta(78), 40)
    notice, bar = w.decided(rule.NoticeSuspension)[1], w.decided(rule.DoBar)[0]
    assert bar - notice >= timedelta(7)


def test_kb2_a_large_old_debt_starts_at_the_first_step_all_the_same() -> None:
    w = world()
    w.bills = {uid(n): debt(n, date(2014, 5 + n, 25), 900_000) for n in (1, 2, 3)}
    w.day(START)
    assert w.stage == Stage.REMINDED
    w.run(START + timedelta(1), 40)
    steps = [type(d) for _, d in w.log if not isinstance(d, rule.AssessFee)]
    assert steps[:3] == [rule.Remind, rule.NoticeSuspension, rule.DoBar]
    assert w.decided(rule.NoticeSuspension)[0] - w.decided(rule.Remind)[0] >= timedelta(3)


def test_kb3_the_next_look_comes_from_the_debts_dates_whenever_we_looked() -> None:
    w = world()
    w.day(date(2014, 10, 26))
    looks = set()
    for hour in (10, 12, 15, 22):
        now = clock.at(date(2014, 10, 27), hour)
        decision = rule.decide(w.facts(now), KR, now)
        assert isinstance(decision, rule.Nothing)
        looks.add(decision.until)
    assert looks == {clock.at(date(2014, 11, 1), 9)}


def test_oc1_a_missed_day_or_month_loses_no_step() -> None:
    w = world()
    for ahead in range(0, 100, 3):  # the run failed on two days of three
        w.day(START + timedelta(ahead))
    assert {rule.Remind, rule.NoticeSuspension, rule.AssessFee, rule.DoBar} <= {type(d) for _, d in w.log}


def test_lg2_a_part_payment_counts_and_below_the_threshold_the_notice_falls() -> None:
    w = world()
    w.run(START, 16)
    assert w.stage == Stage.NOTICED
    w.bills[uid(1)] = debt(1, DUE, 40_000, reminded=True, told_on=date(2014, 10, 26))
    w.run(START + timedelta(16), 60)
    assert isinstance(w.log[-1][1], rule.AssessFee | rule.StandDown)
    assert w.stage.value == "reminded"
    assert not w.decided(rule.DoBar)
    fee = next(d for _, d in w.log if isinstance(d, rule.AssessFee))
    assert fee.amount in {800, 1_600}


def test_en1_one_paid_bill_does_not_close_the_case_of_another() -> None:
    w = world()
    w.bills[uid(2)] = debt(2, DUE + timedelta(1), 90_000)
    w.run(START, 12)
    w.pay(uid(2))
    assert rule.Close not in {type(d) for d in w.day(START + timedelta(12))}


def test_oa2_each_bill_is_reminded_of_and_reminding_one_hides_no_other() -> None:
    w = world()
    w.bills[uid(2)] = debt(2, DUE + timedelta(5), 10_000)
    w.run(START, 20)
    assert [d.bills for _, d in w.log if isinstance(d, rule.Remind)] == [(uid(1),), (uid(2),)]


def test_oa2_a_bill_that_is_not_overdue_is_left_alone() -> None:
    w = world()
    w.run(START, 6)
    assert not w.log


def test_lg6_payment_closes_and_restores_and_a_new_debt_begins_at_the_first_step() -> None:
    w = world()
    w.run(START, 60)
    w.pay(uid(1))
    closing = w.day(START + timedelta(60), hour=3)
    assert closing == [rule.Close("nothing_overdue", (uid(1000),))]
    assert set(w.lines.values()) == {Bar.NONE}
    w.bills[uid(2)] = debt(2, START + timedelta(70), 500_000)
    w.run(START + timedelta(61), 11)
    assert isinstance(w.log[-1][1], rule.Remind)


def test_kb10_while_an_outcome_is_unknown_nothing_adverse_is_decided() -> None:
    w = world(pending="attempt 7 is unknown")
    w.run(START, 90)
    assert not w.log


def test_on_old_news_of_who_has_paid_in_nobody_is_threatened_barred_or_charged() -> None:
    w = world(not_heard=True)
    w.run(START, 60)
    assert {type(decision) for _, decision in w.log} == {rule.Remind}
    w.not_heard = False
    w.run(START + timedelta(60), 30)
    assert w.decided(rule.DoBar)


def test_the_2021_case_no_bar_without_seven_days_between_a_delivered_notice_and_the_date() -> None:
    w = world(delivery_days=6)  # the text arrives when less than seven days are left
    w.run(START, 60)
    assert not w.decided(rule.DoBar)
    assert len(w.decided(rule.NoticeSuspension)) >= 3  # each with a new date
    assert [told.effective for told in w.told] == sorted(told.effective for told in w.told)


def test_an_undelivered_notice_bars_nobody_and_is_not_repeated_every_day() -> None:
    w = world(delivery_days=None)
    w.run(START, 60)
    assert not w.decided(rule.DoBar)
    assert len(w.decided(rule.NoticeSuspension)) <= 4


def test_a_notice_that_named_no_way_bars_nobody() -> None:
    w = world()
    w.run(START, 15)
    now = clock.at(date(2014, 11, 12), 10)
    facts = w.facts(now)
    told = facts.told[0]
    assert isinstance(rule.decide(facts, KR, now), rule.DoBar)
    bare = replace(facts, told=(replace(told, ways=()),))
    assert rule.decide(bare, KR, now).why == "notice_named_no_way"  # type: ignore[union-attr]
    short = replace(facts, told=(replace(told, usable_days=2),))
    assert rule.decide(short, KR, now).why == "way_not_usable_long_enough"  # type: ignore[union-attr]


def test_nobody_is_barred_while_no_way_to_pay_is_proven() -> None:
    w = world()
    w.run(START, 15)
    w.way_proven = False
    w.run(START + timedelta(15), 20)
    assert not w.decided(rule.DoBar)


def test_a_fault_of_ours_moves_fee_notice_and_bar_by_its_days() -> None:
    plain, held = world(), world()
    held.hold(date(2014, 10, 27), date(2014, 10, 30), HoldKind.OUR_FAULT)
    plain.run(START, 60)
    held.run(START, 60)
    assert held.decided(rule.NoticeSuspension)[0] - plain.decided(rule.NoticeSuspension)[0] == timedelta(4)
    assert held.decided(rule.AssessFee)[0] >= plain.decided(rule.AssessFee)[0] + timedelta(3)
    assert held.decided(rule.DoBar)[0] >= plain.decided(rule.DoBar)[0] + timedelta(3)


def test_a_promise_over_the_told_date_brings_a_new_notice_before_any_bar() -> None:
    w = world()
    w.run(START, 14)
    told = w.told[0].effective
    w.hold(told - timedelta(2), told + timedelta(3))
    w.run(START + timedelta(14), 60)
    second = w.decided(rule.NoticeSuspension)[1]
    assert told + timedelta(3) < second
    assert w.decided(rule.DoBar)[0] >= second + timedelta(7)


def test_while_nobody_can_pay_a_barred_line_works_again_and_barring_needs_a_new_notice() -> None:
    w = world()
    w.run(START, 25)
    assert w.stage == Stage.OUTGOING_BARRED
    w.hold(START + timedelta(25), START + timedelta(28), HoldKind.NO_WAY)
    assert [type(d) for d in w.day(START + timedelta(25))] == [rule.Restore]
    assert set(w.lines.values()) == {Bar.NONE}
    w.run(START + timedelta(26), 60)
    again, bar = w.decided(rule.NoticeSuspension)[1], w.decided(rule.DoBar)[1]
    assert bar - again >= timedelta(7)


def test_after_the_longest_time_the_line_works_again() -> None:
    w = world()
    w.run(START, 90)
    barred = w.decided(rule.DoBar)[0]
    assert w.decided(rule.Restore)[0] == barred + timedelta(60)


def test_a_line_that_became_barrable_later_takes_the_steps_one_at_a_time() -> None:
    w = world()
    w.run(START, 25)
    w.lines[uid(1001)] = Bar.NONE
    w.run(START + timedelta(25), 25)
    assert w.lines == {uid(1000): Bar.BOTH, uid(1001): Bar.NONE}


def test_the_sender_is_told_what_speaks_against_a_bar() -> None:
    w = world()
    w.run(START, 23)
    now = clock.at(date(2014, 11, 11), 11)
    notice = w.told[0].notice_id
    ask = {"line_id": uid(1000), "step": Bar.OUTGOING, "notice_id": notice, "now": now}
    assert rule.may_leave(w.facts(now), KR, **ask) == ""  # type: ignore[arg-type]
    assert rule.may_leave(w.facts(now), KR, **{**ask, "notice_id": uid(9)}) == "no_notice"  # type: ignore[arg-type]
    assert rule.may_leave(w.facts(now), KR, **{**ask, "now": clock.at(date(2014, 11, 11), 20)}) == "outside_hours"  # type: ignore[arg-type]
    w.not_heard = True
    assert rule.may_leave(w.facts(now), KR, **ask) == "not_heard"  # type: ignore[arg-type]
    w.pending = "attempt 1 is unknown"
    assert rule.may_leave(w.facts(now), KR, **ask) == "pending"  # type: ignore[arg-type]


def test_facts_survive_storage_so_that_a_decision_can_be_replayed() -> None:
    w = world()
    w.run(START, 20)
    w.hold(date(2014, 11, 12), date(2014, 11, 13))
    facts = w.facts(clock.at(date(2014, 11, 9), 10))
    assert of_json(as_json(facts)) == facts


def test_a_date_once_told_is_never_told_earlier() -> None:
    w = world()
    w.run(START, 14)
    later = replace(w.told[0], effective=date(2014, 11, 25), live=False)
    w.told = [later]
    facts = w.facts(clock.at(date(2014, 11, 3), 10))
    assert rule.effective_day(facts, KR, Bar.OUTGOING, date(2014, 11, 3)) == date(2014, 11, 25)
    assert rule.effective_day(facts, KR, Bar.BOTH, date(2014, 11, 3)) == date(2014, 11, 11)


def test_a_notice_from_before_the_case_stepped_down_bars_nobody() -> None:
    w = world()
    w.run(START, 22)
    now = clock.at(date(2014, 11, 11), 10)
    facts = w.facts(now)
    rung = KR.ladder[0]
    assert rule.standing_notice(facts, KR, rung, now) == facts.told[0]
    old = replace(facts, told=(replace(facts.told[0], live=False),), stage=Stage.REMINDED)
    assert rule.standing_notice(old, KR, rung, now) is None
    assert isinstance(rule.decide(old, KR, now), rule.NoticeSuspension)

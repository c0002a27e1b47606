"""A provider's own list against our ledger: what differs is found and named, and is clean again after it is mended."""

import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.db import IntegrityError
from tests.worlds import World, overdue_bill, world

from doenda.billing.models import Bill
from doenda.kernel import clock, net, sweeps
from doenda.kernel.db import atomic
from doenda.kernel.ids import new_id, outside
from doenda.payments import attempts, charge, providers, refunds
from doenda.payments.models import Attempt, ReconLine, ReconRun
from doenda.payments.moves import locked
from doenda.payments.reconciliation import feeds, matching
from doenda.payments.reconciliation.models import Reason
from peers.bank.state import Transaction

S = ReconLine.State
DAY = date(2014, 10, 22)


@pytest.fixture
def bank(db: None, noon: clock.Frozen) -> Iterator[World]:
    with world() as made:
        yield made


def begin(number: int = 1, amount: int = 52_300) -> Attempt:
    bill = overdue_bill(amount, number=f"B-{number}", phone=f"+8210{number:08d}")
    return begin_for(bill)


def begin_for(bill: Bill) -> Attempt:
    begun = attempts.start(
        bill.account_id,
        [(bill.pk, bill.remaining)],
        channel="web",
        method="card",
        provider="sandbox",
        return_url="http://shop.test/return",
        lang="ko",
    )
    assert begun.attempt_id is not None, begun
    return Attempt.objects.get(pk=begun.attempt_id)


def confirm(bank: World, attempt: Attempt) -> str:
    path = urlsplit(attempt.redirect_url)
    url = f"{providers.get('sandbox')._url}{path.path}"  # type: ignore[attr-defined]
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    said = bank.transport(net.Request("payer", "POST", url, form, b"decision=approve"))
    came = dict(parse_qsl(urlsplit(said.headers["location"]).query))
    seen = charge.confirm(attempt.pk, order_id=came["order_id"], ref=came["payment_key"], amount=came["amount"])
    return str(seen.outcome)


def paid(bank: World, number: int = 1, amount: int = 52_300) -> Attempt:
    attempt = begin(number, amount)
    assert confirm(bank, attempt) == "paid"
    attempt.refresh_from_db()
    return attempt


def give_back(attempt: Attempt) -> None:
    with atomic():
        _, fresh = locked(attempt.pk)
        refunds.ask(fresh, "agreed")
    sweeps.run("outbox")
    attempt.refresh_from_db()
    assert attempt.state == "reversed"


def tell(bank: World, like: Attempt | None = None, **changes: Any) -> Transaction:
    """A line in the bank's own journal, which nothing of ours has caused."""
    values: dict[str, Any] = {
        "n": len(bank.bank.state.transactions) + 1,
        "payment_key": like.provider_ref if like else "pay_stranger",
        "order_id": outside(like.pk) if like else "ORDER-OF-NOBODY",
        "merchant": "doenda",
        "method": "card",
        "kind": "capture",
        "amount": like.amount if like else 9_900,
        "at": clock.now().timestamp(),
    }
    line = Transaction(**(values | changes))
    bank.bank.commit(line)
    return line


def look(**more: Any) -> ReconRun:
    since = clock.day_start(DAY)
    return feeds.reconcile("sandbox", more.get("since", since), more.get("until", since + timedelta(days=1)))


def parked() -> list[tuple[str, str, str]]:
    rows = ReconLine.objects.filter(state=S.PARKED).order_by("at", "ident")
    assert all(row.owner and row.due_at and row.due_at > clock.now() for row in rows)
    return [(row.ident, row.reason, row.kind) for row in rows]


def real(run: ReconRun) -> dict[str, Any]:
    found: list[dict[str, Any]] = [each for each in run.told["balances"] if not each["probe"]]
    assert len(found) == 1
    return found[0]


def test_every_line_of_a_quiet_day_is_matched_with_its_posting(bank: World, noon: clock.Frozen) -> None:
    one, two = paid(bank, 1), paid(bank, 2, 30_000)
    noon.advance(timedelta(minutes=5))
    give_back(two)
    run = look()
    assert (run.ok, run.lines, run.matched, run.parked) == (True, 3, 3, 0)
    assert (run.their_total, run.our_total, run.difference) == (52_300, 52_300, 0)
    facts = {(row.fact_kind, row.fact_id) for row in ReconLine.objects.all()}
    assert ("payment", one.fact_id) in facts
    assert {kind for kind, _ in facts} == {"payment", "refund"}
    assert {row.account_id for row in ReconLine.objects.all()} == {one.account_id, two.account_id}


def test_a_second_look_finds_everything_known_and_changes_nothing(bank: World) -> None:
    paid(bank)
    first, second = look(), look()
    assert (second.ok, second.lines, second.known, second.matched) == (True, 1, 1, 1)
    assert (first.known, ReconLine.objects.count(), ReconRun.objects.count()) == (0, 1, 2)


def test_money_that_we_do_not_know_of_is_asked_about_and_booked_by_the_ordinary_door(
    bank: World, noon: clock.Frozen
) -> None:
    bank.fault("card", "timeout_after", remaining=1)
    attempt = begin()
    assert confirm(bank, attempt) == "unknown"
    bank.heal()
    run = look()
    attempt.refresh_from_db()
    assert (attempt.state, run.ok, run.matched, run.parked, run.told["questions"]) == ("paid", True, 1, 0, 1)


def test_nothing_is_posted_from_a_list_alone(bank: World) -> None:
    attempt = begin()
    tell(bank, attempt)  # the list has it; asked about the order, the bank knows of no payment
    run = look()
    attempt.refresh_from_db()
    assert attempt.state == "needs_redirect"
    assert parked() == [("1", Reason.NOT_IN_LEDGER, "in")]
    assert (run.ok, run.difference, real(run)["causes"]) == (True, 52_300, {"parked": 52_300})
    assert run.told["questions"] == 1


def test_a_parked_line_is_matched_once_the_ledger_has_it(bank: World, noon: clock.Frozen) -> None:
    attempt = begin()
    bank.fault("card", "timeout_after", remaining=1)
    assert confirm(bank, attempt) == "unknown"
    bank.control(bank.bank, "PUT", "faults", {"card": {"fault": "inquiry_down"}})
    assert look().parked == 1
    bank.heal()
    noon.advance(timedelta(minutes=1))
    sweeps.run("inquiries")
    run = look()
    assert (run.ok, run.parked, run.matched, run.difference, parked()) == (True, 0, 1, 0, [])


def test_an_order_that_is_none_of_ours_is_parked(bank: World) -> None:
    tell(bank)
    tell(bank, order_id=outside(new_id()), payment_key="pay_other")
    run = look()
    assert [reason for _, reason, _ in parked()] == [Reason.NOT_IN_LEDGER, Reason.NOT_IN_LEDGER]
    assert (run.ok, run.difference, run.told["questions"]) == (True, 2 * 9_900, 0)


def test_what_came_and_went_at_the_provider_alone_waits_for_nobody(bank: World) -> None:
    tell(bank)
    assert look().parked == 1
    tell(bank, kind="cancel")
    run = look()
    assert (run.ok, run.parked, run.difference, parked()) == (True, 0, 0, [])
    assert {row.handled_by for row in ReconLine.objects.all()} == {"system"}


def test_money_taken_twice_for_one_order_is_named(bank: World, noon: clock.Frozen) -> None:
    attempt = paid(bank)
    noon.advance(timedelta(minutes=1))
    tell(bank, attempt)
    run = look()
    assert parked() == [("2", Reason.TWICE, "in")]
    assert (run.ok, run.difference) == (True, 52_300)
    tell(bank, attempt, kind="cancel")
    run = look()
    assert (run.ok, run.difference, parked()) == (True, 0, []), "the bank mended it by itself"


def test_the_same_order_under_another_key_is_twice_as_well(bank: World, noon: clock.Frozen) -> None:
    attempt = paid(bank)
    noon.advance(timedelta(minutes=1))
    tell(bank, attempt, payment_key="pay_another")
    look()
    assert parked() == [("2", Reason.TWICE, "in")]


def amended(bank: World, number: int, **changes: Any) -> None:
    """The bank's own journal says otherwise."""
    found = bank.bank.state.transactions
    values = {name: getattr(found[number - 1], name) for name in Transaction.__slots__}
    found[number - 1] = Transaction(**(values | changes))


@pytest.mark.parametrize("amount", [5_230, 25_300, 52_301])
def test_another_amount_is_named_with_what_we_have(bank: World, noon: clock.Frozen, amount: int) -> None:
    attempt = paid(bank)
    amended(bank, 1, amount=amount)
    noon.advance(timedelta(hours=1))
    run = look()
    assert parked() == [("1", Reason.AMOUNT_DIFFERS, "in")]
    assert ReconLine.objects.get().suggestion["fact"] == ["payment", attempt.fact_id]
    assert (run.ok, run.difference) == (True, amount - 52_300)


def test_another_currency_is_named(bank: World, monkeypatch: pytest.MonkeyPatch) -> None:
    paid(bank)
    in_transport(bank, monkeypatch, currency="USD")
    look()
    assert ("1", Reason.CURRENCY_DIFFERS, "in") in parked()


def test_another_merchants_line_is_named(bank: World, monkeypatch: pytest.MonkeyPatch) -> None:
    paid(bank)
    in_transport(bank, monkeypatch, merchant="nobody")
    look()
    assert ("1", Reason.OTHER_MERCHANT, "in") in parked()


def in_transport(bank: World, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    """The bank's list says so of each line."""
    ask = bank.bank.handle

    def said(request: Any) -> Any:
        reply = ask(request)
        if "/v1/transactions" in request.path:
            rows = [each | changes for each in json.loads(reply.body)]
            reply = type(reply)(reply.status, reply.headers, json.dumps(rows).encode())
        return reply

    monkeypatch.setattr(bank.bank, "handle", said)


def test_what_we_have_and_they_do_not_is_parked_only_after_their_longest_time(bank: World, noon: clock.Frozen) -> None:
    attempt = paid(bank)
    lost = bank.bank.state.transactions.pop()
    run = look()
    assert (run.ok, parked(), run.difference) == (True, [], -52_300)
    assert real(run)["causes"] == {"in_transit": -52_300}
    noon.advance(providers.get("sandbox").longest + timedelta(seconds=1))
    run = look()
    assert parked() == [(f"ours:payment:{attempt.fact_id}", Reason.NOT_AT_PROVIDER, "in")]
    assert (run.ok, real(run)["causes"]) == (True, {"parked": -52_300})
    bank.bank.state.transactions.append(lost)
    run = look()
    assert (run.ok, run.difference, run.matched, parked()) == (True, 0, 1, [])


def test_a_line_that_is_listed_a_day_late_is_found_by_the_next_days_look(bank: World, noon: clock.Frozen) -> None:
    paid(bank)
    late = bank.bank.state.transactions.pop()
    noon.advance(timedelta(hours=16))
    assert look().parked == 0
    assert [reason for _, reason, _ in parked()] == [Reason.NOT_AT_PROVIDER]
    noon.advance(timedelta(hours=24))
    bank.bank.state.transactions.append(late)
    since = clock.day_start(DAY + timedelta(days=1))
    run = look(since=since, until=since + timedelta(days=1))
    assert (run.ok, run.matched, run.difference, parked()) == (True, 1, 0, [])


def test_money_that_was_found_weeks_late_is_looked_for_where_they_tell_it(bank: World, noon: clock.Frozen) -> None:
    attempt = begin()
    bank.fault("card", "timeout_after", remaining=1)
    assert confirm(bank, attempt) == "unknown"
    bank.control(bank.bank, "PUT", "faults", {"card": {"fault": "inquiry_down"}})
    noon.advance(timedelta(days=8))
    bank.heal()
    sweeps.run("inquiries")
    attempt.refresh_from_db()
    assert attempt.state == "paid"
    noon.advance(timedelta(days=1))
    since = clock.day_start(DAY + timedelta(days=8))
    run = look(since=since, until=since + timedelta(days=1))
    assert (run.ok, run.difference, parked()) == (True, -52_300, [])
    assert real(run)["causes"] == {"timing": -52_300}


def test_a_refund_of_theirs_that_we_do_not_know_is_asked_about_and_booked(bank: World, noon: clock.Frozen) -> None:
    attempt = paid(bank)
    noon.advance(timedelta(minutes=1))
    path = f"{providers.get('sandbox')._url}/v1/payments/{attempt.provider_ref}/cancel"  # type: ignore[attr-defined]
    auth = {"Authorization": "Bearer sandbox-key", "Content-Type": "application/json"}
    bank.transport(net.Request("desk", "POST", path, auth, json.dumps({"reason": "at the bank's counter"}).encode()))
    run = look()
    attempt.refresh_from_db()
    assert (attempt.state, run.ok, run.matched, run.difference) == ("reversed", True, 2, 0)


def test_a_refund_whose_answer_was_lost_is_confirmed_by_its_own_door(bank: World, noon: clock.Frozen) -> None:
    attempt = paid(bank)
    bank.control(bank.bank, "PUT", "faults", {"card": {"fault": "error_after", "on": ["cancel"], "remaining": 1}})
    with atomic():
        _, fresh = locked(attempt.pk)
        refunds.ask(fresh, "agreed")
    sweeps.run("outbox")
    attempt.refresh_from_db()
    assert attempt.state == "paid"
    bank.heal()
    noon.advance(timedelta(seconds=30))
    run = look()
    attempt.refresh_from_db()
    assert (attempt.state, run.ok, run.matched, parked()) == ("reversed", True, 2, [])


@pytest.mark.parametrize("fault", ["not_reached", "inquiry_down", "dead"])
def test_a_page_that_cannot_be_read_fails_the_look_and_loses_nothing(bank: World, fault: str) -> None:
    paid(bank, 1)
    tell(bank)
    if fault == "not_reached":
        bank.down.add("bank")
    else:
        bank.control(bank.bank, "PUT", "faults", {"*": {"fault": fault}})
    run = look()
    assert (run.ok, run.lines, bool(run.told["stopped"])) == (False, 0, True)
    assert not ReconLine.objects.filter(reason=Reason.NOT_AT_PROVIDER).exists(), "nothing is missed in a list not read"
    bank.heal()
    bank.down.clear()
    run = look()
    assert (run.ok, run.lines, run.matched, run.parked) == (True, 2, 1, 1)


def small_pages(monkeypatch: pytest.MonkeyPatch, size: int = 2) -> None:
    monkeypatch.setattr(providers.get("sandbox"), "_page", size)


def test_a_list_that_is_cut_in_the_middle_is_read_again_from_its_beginning(
    bank: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_pages(monkeypatch)
    for number in range(1, 6):
        paid(bank, number)
    ask, pages = bank.bank.handle, list[str]()

    def cut(request: Any) -> Any:
        if "/v1/transactions" in request.path:
            pages.append(request.path)
            if len(pages) == 2:
                bank.down.add("bank")
        return ask(request)

    monkeypatch.setattr(bank.bank, "handle", cut)
    run = look()
    assert (run.ok, run.lines, bool(run.told["stopped"])) == (False, 4, True)
    assert ReconLine.objects.filter(reason=Reason.NOT_AT_PROVIDER).count() == 0
    bank.down.clear()
    run = look()
    assert (run.ok, run.lines, run.known, run.matched, run.difference) == (True, 5, 4, 5, 0)


def test_the_same_page_twice_counts_once(bank: World, monkeypatch: pytest.MonkeyPatch) -> None:
    small_pages(monkeypatch)
    for number in range(1, 4):
        paid(bank, number)
    terms = providers.get("sandbox")
    pages = [terms.transactions(datetime(2014, 10, 1, tzinfo=clock.zone()), clock.now() + timedelta(days=1), "")]
    pages.append(pages[0])
    pages.append(terms.transactions(datetime(2014, 10, 1, tzinfo=clock.zone()), clock.now(), "2"))
    answers = iter([type(pages[0])(p.lines, cursor) for p, cursor in zip(pages, ("2", "3", ""), strict=True)])
    monkeypatch.setattr(type(terms), "transactions", lambda *_: next(answers))
    run = look()
    assert (run.lines, run.matched, ReconLine.objects.count()) == (2, 2, 2)


def test_a_list_that_leads_in_a_circle_fails(bank: World, monkeypatch: pytest.MonkeyPatch) -> None:
    paid(bank)
    terms = providers.get("sandbox")
    page = terms.transactions(clock.day_start(DAY), clock.now() + timedelta(days=1), "")
    monkeypatch.setattr(type(terms), "transactions", lambda *_: type(page)(page.lines, "1"))
    run = look()
    assert (run.ok, run.told["stopped"], run.lines) == (False, "CURSOR_AGAIN", 1)


def test_a_line_that_is_told_otherwise_than_before_is_not_believed(bank: World) -> None:
    paid(bank)
    look()
    amended(bank, 1, amount=1)
    run = look()
    assert (run.ok, run.told["told_otherwise"], run.their_total) == (False, ["1"], 52_300)
    assert ReconLine.objects.get().amount == 52_300


def test_a_look_that_dies_in_the_middle_is_made_again_whole(bank: World, monkeypatch: pytest.MonkeyPatch) -> None:
    small_pages(monkeypatch)
    for number in range(1, 6):
        paid(bank, number)
    terms, read = providers.get("sandbox"), list[str]()
    ask = terms.transactions

    def die(since: datetime, until: datetime, cursor: str = "") -> Any:
        read.append(cursor)
        if len(read) == 2:
            raise KeyboardInterrupt
        return ask(since, until, cursor)

    monkeypatch.setattr(terms, "transactions", die)
    with pytest.raises(KeyboardInterrupt):
        look()
    assert (ReconRun.objects.count(), ReconLine.objects.count()) == (0, 2)
    run = look()
    assert (run.ok, run.lines, run.matched) == (True, 5, 5)


@pytest.mark.parametrize("clash", [False, True])
def test_two_looks_at_once_store_every_line_once(bank: World, monkeypatch: pytest.MonkeyPatch, clash: bool) -> None:
    paid(bank)
    judge, write, met = matching.judge, matching._write, list[str]()

    def judged_late(*asked: Any) -> Any:
        found = judge(*asked)
        if not met:
            met.append("judged")
            assert look().ok  # the other look is quicker
        return found

    def refused_once(*asked: Any) -> None:
        if "refused" not in met:
            met.append("refused")
            raise IntegrityError("recon_line_once")
        write(*asked)

    monkeypatch.setattr(matching, "judge", judged_late)
    if clash:
        monkeypatch.setattr(matching, "_write", refused_once)
    run = look()
    assert (run.ok, run.matched, ReconLine.objects.count()) == (True, 1, 1)


def test_probes_lines_are_kept_apart(bank: World) -> None:
    paid(bank, 1)
    probe = begin(2)
    probe.account.probe = True
    probe.account.save()
    Attempt.objects.filter(pk=probe.pk).update(synthetic=True)
    assert confirm(bank, probe) == "paid"
    sweeps.run("outbox")
    run = look()
    assert (run.ok, run.lines, run.probes, run.their_total, run.our_total) == (True, 3, 2, 52_300, 52_300)
    apart = [each for each in run.told["balances"] if each["probe"]]
    assert [(each["theirs"], each["ours"], each["ok"]) for each in apart] == [(0, 0, True)]


def test_a_period_must_end_after_it_begins(bank: World) -> None:
    with pytest.raises(ValueError, match="a period"):
        look(since=clock.now(), until=clock.now())
    with pytest.raises(KeyError):
        feeds.reconcile("nobody", clock.now() - timedelta(days=1), clock.now())

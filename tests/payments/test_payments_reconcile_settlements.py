"""What a provider paid out against what it took: each line once, in time, less the fee that was agreed."""

from datetime import date, timedelta
from typing import Any

import pytest
from tests.payments.test_payments_toss_house import begin, come_back
from tests.payments.test_payments_toss_house import wired as toss  # noqa: F401 - a fixture
from tests.worlds import overdue_bill

from doenda.kernel import clock, net
from doenda.payments import providers
from doenda.payments.models import Attempt, ReconLine, ReconRun
from doenda.payments.reconciliation import feeds, settlements
from doenda.payments.reconciliation.reasons import Reason
from peers.toss import feeds as peers_feeds

DAY = date(2014, 10, 22)
PAID_OUT = DAY + timedelta(days=2)
FEE = 1438  # 275 basis points of 52,300


@pytest.fixture
def taken(toss: Any, noon: clock.Frozen) -> Attempt:  # noqa: F811
    attempt = begin(overdue_bill(), "card")
    assert come_back(toss, attempt) == "paid"
    run = feeds.reconcile("toss", clock.day_start(DAY), clock.day_start(DAY + timedelta(days=1)))
    assert run.ok
    attempt.refresh_from_db()
    return attempt


def look(day: date = PAID_OUT, days: int = 1) -> ReconRun:
    return settlements.reconcile("toss", clock.day_start(day), clock.day_start(day + timedelta(days=days)))


def lines() -> list[tuple[str, str, str]]:
    rows = ReconLine.objects.filter(source="settlement:toss").order_by("ident")
    return list(rows.values_list("state", "reason", "owner"))


def test_what_was_taken_is_paid_out_once_less_the_fee(taken: Attempt, noon: clock.Frozen) -> None:
    noon.advance(timedelta(days=3))
    run = look()
    assert (run.ok, run.lines, run.matched, run.parked, run.difference) == (True, 1, 1, 0, 0)
    assert run.told == run.told | {"gross": 52_300, "fees": FEE, "paid_out": 52_300 - FEE}
    again = look()
    assert (again.ok, again.known, again.lines, ReconLine.objects.count()) == (True, 1, 1, 2)


def test_a_payout_that_is_missing_is_billings_until_it_comes(
    taken: Attempt, noon: clock.Frozen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peers_feeds, "PAID_OUT_AFTER", timedelta(days=9))
    noon.advance(timedelta(days=5))
    assert look(DAY + timedelta(days=4)).ok
    assert lines() == [], "its day is not over yet"
    noon.advance(timedelta(days=2))
    assert look(DAY + timedelta(days=6)).ok
    assert lines() == [("parked", Reason.NOT_PAID_OUT, "billing")]
    noon.advance(timedelta(days=3))
    run = look(DAY + timedelta(days=9))
    assert (run.ok, run.parked) == (True, 1)
    assert sorted(lines()) == [
        ("parked", Reason.NOT_PAID_OUT, "billing"),
        ("settled_by_hand", Reason.NOT_PAID_OUT, "billing"),
    ], "it came, and too late"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"fee": 20_000, "payOutAmount": 32_300}, Reason.FEE_DIFFERS),
        ({"payOutAmount": 50_000}, Reason.FEE_DIFFERS),
        ({"amount": 5_230, "fee": 100, "payOutAmount": 5_130}, Reason.AMOUNT_DIFFERS),
        ({"transactionKey": "strange"}, Reason.NOT_IN_LEDGER),
        ({"currency": "USD"}, Reason.CURRENCY_DIFFERS),
    ],
)
def test_a_payout_that_does_not_fit_is_named_and_billings(
    taken: Attempt,
    noon: clock.Frozen,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, Any],
    reason: Reason,
) -> None:
    monkeypatch.setattr(peers_feeds, "_settled", lambda one, said=peers_feeds._settled: said(one) | changes)
    noon.advance(timedelta(days=3))
    run = look()
    assert (run.parked, run.matched) == (1, 0)
    assert lines() == [("parked", reason, "billing")]
    assert all(row.due_at is not None and row.due_at > clock.now() for row in ReconLine.objects.filter(state="parked"))
    monkeypatch.undo()


def test_a_payout_is_matched_once_the_line_that_was_taken_is_known(
    toss: Any,  # noqa: F811
    noon: clock.Frozen,
) -> None:
    assert come_back(toss, begin(overdue_bill(), "card")) == "paid"
    noon.advance(timedelta(days=3))
    assert (look().parked, lines()) == (1, [("parked", Reason.NOT_IN_LEDGER, "billing")])
    feeds.reconcile("toss", clock.day_start(DAY), clock.day_start(DAY + timedelta(days=1)))
    run = look()
    assert (run.ok, run.matched, run.parked) == (True, 1, 0)


def test_a_payout_that_is_told_otherwise_than_before_is_not_believed(
    taken: Attempt, noon: clock.Frozen, monkeypatch: pytest.MonkeyPatch
) -> None:
    noon.advance(timedelta(days=3))
    look()
    monkeypatch.setattr(peers_feeds, "FEE_BASIS_POINTS", 300)
    run = look()
    assert (run.ok, len(run.told["told_otherwise"])) == (False, 1)
    assert lines() == [("matched", "", "")]


def test_payouts_that_cannot_be_read_fail_the_look(toss: Any, taken: Attempt, noon: clock.Frozen) -> None:  # noqa: F811
    noon.advance(timedelta(days=8))
    toss.says = net.Reply(429, {}, b'{"code":"TOO_MANY_REQUESTS"}')
    run = look(DAY + timedelta(days=7))
    assert (run.ok, run.told["stopped"], lines()) == (False, "TOO_MANY_REQUESTS", [])
    toss.says = net.NoAnswer("silence")
    assert look().told["stopped"]
    toss.says = None
    assert look().ok


def test_only_some_providers_have_a_list_of_payouts(toss: Any) -> None:  # noqa: F811
    assert [settlements.has_payouts(name) for name in ("toss", "sandbox")] == [True, False]
    assert providers.get("sandbox").settlements(clock.now(), clock.now()).code == "NO_FEED"

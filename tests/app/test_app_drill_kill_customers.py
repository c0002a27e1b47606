"""Customers of the kill drill: they pay a number once whatever is cut off, and nobody outruns the killer."""

import threading
from typing import Any, cast

import pytest

from doenda.app.drills import customers, killer
from doenda.app.stage import Stage
from doenda.channels.web import walker
from doenda.kernel import clock, net


class Bank:
    """A stage that is only the control doors of two banks; `cut` drops so many answers after the effect."""

    base = "http://us"

    def __init__(self, *, cut: int = 0, of: str = "deposits") -> None:
        self.cut, self.of = cut, of
        self.taken: list[int] = []

    def control(self, peer: str, method: str, path: str, body: Any = None) -> Any:
        if method == "GET":
            return self._books(peer)
        if peer != self.of:
            raise RuntimeError(f"{peer} said 404")
        self.taken.append(body["amount"])
        if self.cut:
            self.cut -= 1
            raise net.NoAnswer("cut off after the effect")
        return {}

    def _books(self, peer: str) -> Any:
        total = sum(self.taken) if peer == self.of else 0
        if peer == "deposits":
            return {"by_number": {"1002": total}}
        account = {"orderId": "O", "virtualAccount": {"accountNumber": "1002"}}
        return {"payments": [account, {"orderId": "P", "virtualAccount": None}], "by_order": {"O": total}}


@pytest.mark.parametrize("of", ["deposits", "toss"])
@pytest.mark.parametrize("cut", [0, 1])
def test_money_is_brought_once_to_whichever_bank_gave_the_number_even_if_the_answer_was_cut_off(
    of: str, cut: int
) -> None:
    bank = Bank(cut=cut, of=of)
    purse = customers.Purse(cast(Stage, bank))
    purse("1002", 500)
    assert purse.brought
    assert bank.taken == [500]


def test_a_number_that_no_bank_takes_money_for_leaves_the_purse_full() -> None:
    bank = Bank(of="none")
    purse = customers.Purse(cast(Stage, bank))
    purse("1002", 500)
    assert not purse.brought


def test_who_finds_that_no_method_is_offered_comes_back_another_day(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    tried: list[str] = []

    def pay(url: str, *, method: str, **_: Any) -> walker.Walk:
        tried.append(method)
        if url == "works" and method == "b":
            return walker.Walk("paid", (), 0.0)
        return walker.Walk("method", (), 0.0, "", "Lost: it is not offered: []")

    monkeypatch.setattr(walker, "pay", pay)
    monkeypatch.setattr(clock, "sleep", lambda seconds: None)
    receipts = customers.Acknowledged(tmp_path / "receipts")
    errands = [customers.Errand("B-1", "works", ("a",)), customers.Errand("B-2", "works not", ("a",))]
    seen = customers.Seen()
    unpaid = customers.pay_all(cast(Stage, Bank()), errands, ("a", "b"), receipts, seen)
    assert [errand.number for errand in unpaid] == ["B-2"]
    assert receipts.seen() == ["B-1"]
    assert seen.begun_again == 1 + 2 * customers.NOTHING_WORKS
    assert set(tried) == {"a", "b"}


class Mortals:
    def __init__(self) -> None:
        self.killed: list[str] = []

    def kill(self, service: str) -> int:
        self.killed.append(service)
        return 1


def test_the_killer_and_the_customers_wait_for_each_other_and_both_come_to_their_end() -> None:
    mortals = Mortals()
    blows = [killer.Blow(after, 0.0, ("web", "worker"), 0.5) for after in (0, 0, 3, 6, 9)]
    death = killer.Killer(cast(Stage, mortals))
    death.begin(blows)
    thread = threading.Thread(target=death.run, daemon=True)
    thread.start()
    for place in range(10):
        death.may_begin(place)
        assert len(mortals.killed) >= 2 * (sum(blow.after < place for blow in blows) - 1)
    thread.join(10)
    assert not thread.is_alive()
    assert death.kills == {"web": 5, "worker": 5}
    assert death.figures()["kills"] == 10

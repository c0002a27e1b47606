"""The kill drill's own parts: its plan, what customers saw, and that its comparison sees what must not be."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import pytest
from tests.payments.test_payments_deposit import deposit_world
from tests.payments.test_payments_deposit_parallel import come_to_rest, scene_of
from tests.worlds import overdue_bill

from doenda.app import system
from doenda.app.drills import books, customers, killer, parallel_pay, provider_books
from doenda.app.stage import Stage
from doenda.channels.web.walker import Seen
from doenda.kernel import clock
from doenda.kernel.db import atomic
from doenda.kernel.ids import outside
from doenda.payments.models import Attempt, AttemptBill


def test_the_plan_follows_from_its_seed_alone() -> None:
    assert killer.plan(500, 7) == killer.plan(500, 7)
    assert killer.plan(500, 7) != killer.plan(500, 8)


@pytest.mark.parametrize("walks", [1, 60, 500])
@pytest.mark.parametrize("seed", range(5))
def test_every_kind_of_kill_comes_at_least_once_and_none_after_the_last_customer(walks: int, seed: int) -> None:
    blows = killer.plan(walks, seed)
    assert {target for blow in blows for target in blow.targets} == {*killer.KINDS, *killer.POSTGRES} - {"postgres"}
    assert all(0 <= blow.after < walks and 0 <= blow.pause <= killer.LONGEST_PAUSE for blow in blows)
    assert [blow.after for blow in blows] == sorted(blow.after for blow in blows)


def test_receipts_are_kept_in_a_file_of_their_own(tmp_path: Path) -> None:
    receipts = customers.Acknowledged(tmp_path / "receipts.jsonl")
    assert receipts.seen() == []
    receipts.note("B-1")
    receipts.note("B-2")
    assert customers.Acknowledged(tmp_path / "receipts.jsonl").seen() == ["B-1", "B-2"]


def page(text: str, *, status: int = 200, step: str = "pay.bill", url: str = "http://us/p/x") -> Seen:
    return Seen(url, status, step, "ko", text, [], [], len(text))


def test_a_fault_must_have_a_page_of_ours_and_no_page_may_show_the_inside_of_the_house() -> None:
    seen = customers.Seen()
    seen.pages([page("요금 88,000원"), page("그만", status=500, step="error.ours")], "http://us")
    seen.pages([page("", status=503, step="provider", url="http://bank/pay")], "http://us")
    assert (seen.error_pages, seen.bad_pages) == (1, [])
    seen.pages([page("Server Error", status=500, step="provider")], "http://us")
    seen.pages([page("Traceback (most recent call last)")], "http://us")
    assert (seen.error_pages, len(seen.bad_pages)) == (2, 2)


def test_two_systems_that_may_take_any_port_hardly_ever_want_the_same(tmp_path: Path) -> None:
    found = [system.lay_out(tmp_path, demo=True, port=0).ports for _ in range(2)]
    for ports in found:
        assert len(set(ports.values())) == len(ports)
        assert all(port in range(10_000, 31_000) for port in ports.values())
    assert found[0] != found[1]


class Books:
    """The fakes' books, which a test may falsify."""

    def __init__(self, bank: Mapping[str, Any], deposits: Mapping[str, Any]) -> None:
        self.bank: dict[str, int] = dict(bank["by_order"])
        self.deposits = {**deposits, "entries": [dict(one) for one in deposits["entries"]]}

    def __call__(self, peer: str) -> Mapping[str, Any]:
        return {"by_order": self.bank} if peer == "bank" else self.deposits


PROVIDERS = ("sandbox", "deposit", "counter")


@pytest.fixture
def paid(committed_db: str, noon: clock.Frozen) -> Books:
    """One bill paid by card and one by deposit, all at rest."""
    with deposit_world() as world:
        scene = scene_of(world, overdue_bill(88000))
        parallel_pay.by_card(scene, "once")
        come_to_rest(noon)
        parallel_pay.by_deposit(replace(scene, bill=overdue_bill(88000, number="B-2")), "once")
        come_to_rest(noon)
        return Books(world.books(), world.control(world.pool, "GET", "books"))


def test_books_that_agree_are_silent(paid: Books) -> None:
    assert Counter(Attempt.objects.values_list("state", flat=True)) == {"paid": 2}
    assert provider_books.compare(paid, PROVIDERS) == []


def test_what_the_provider_took_and_we_do_not_have_is_named_and_so_is_the_sum(paid: Books) -> None:
    stranger = outside(UUID(int=7))
    paid.bank[stranger] = 5
    found = provider_books.compare(paid, PROVIDERS)
    assert any(stranger in one and "took 5, we posted 0" in one for one in found)
    assert any("sandbox holds 88005 in all, our clearing book 88000" in one for one in found)


def test_what_we_posted_and_the_provider_does_not_have_is_named(paid: Books) -> None:
    paid.bank.clear()
    assert any("took 0, we posted 88000" in one for one in provider_books.compare(paid, PROVIDERS))


def test_a_deposit_that_the_bank_has_otherwise_or_alone_is_named(paid: Books) -> None:
    [entry] = paid.deposits["entries"]
    entry["amount"] = 88_001
    assert any("deposit line" in one for one in provider_books.compare(paid, PROVIDERS))
    paid.deposits["entries"] = []
    assert any("is ours alone" in one for one in provider_books.compare(paid, PROVIDERS))


class Told:
    """A stage of which only the books are known."""

    def __init__(self, truth: Books) -> None:
        self.truth = truth

    def control(self, peer: str, method: str, path: str) -> Any:
        return self.truth(peer)


def test_an_order_that_was_charged_twice_is_told_with_its_bill_and_a_deposit_is_no_charge(
    paid: Books, settings: Any
) -> None:
    settings.DOENDA_OFFERED = ["sandbox", "deposit"]
    stage = cast(Stage, Told(paid))
    assert books.charged_twice(stage) == []
    [order] = paid.bank
    paid.bank[order] *= 2
    [words] = books.charged_twice(stage)
    assert words.startswith("bill B-1 of 88000 was charged [('web/card/sandbox ")
    assert "176000" in words


def test_two_charges_of_one_bill_are_told_even_if_each_is_right_by_itself(paid: Books, settings: Any) -> None:
    settings.DOENDA_OFFERED = ["sandbox", "deposit"]
    first = Attempt.objects.get(provider="sandbox")
    with atomic():
        second = Attempt.objects.get(provider="deposit")
        second.provider, second.method = "sandbox", "card"
        second.save(update_fields=["provider", "method"])
        AttemptBill.objects.filter(attempt=second).update(bill_id=first.bills.get().bill_id)
    paid.bank[outside(second.pk)] = 88_000
    assert len(books.charged_twice(cast(Stage, Told(paid)))) == 1

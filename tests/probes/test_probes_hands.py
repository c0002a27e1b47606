"""What a synthetic customer does besides reading pages: a deposit is paid in by a hand, or not walked at all."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from doenda.assurance import standing, ways
from doenda.assurance.rule import Name
from doenda.channels.web import walker
from doenda.kernel import clock, net
from doenda.probes import control, hands, walks
from doenda.probes.models import ProbeRun

DEPOSIT = "web/deposit/deposit"
URL = "http://127.0.0.1:1/pay-in"


@pytest.fixture
def offered(db: None, noon: clock.Frozen, settings: Any) -> None:
    settings.DOENDA_OFFERED = ["sandbox", "toss", "portone", "stripe", "deposit", "debit", "counter"]
    settings.DOENDA_DEPOSIT_HAND_URL = URL
    ways.ensure_ways()


def answering(status: int, seen: list[net.Request]) -> Callable[[net.Request], net.Reply]:
    def answer(request: net.Request) -> net.Reply:
        seen.append(request)
        return net.Reply(status, {}, b"")

    return answer


def test_the_hand_pays_the_amount_into_the_account_at_the_configured_address(settings: Any) -> None:
    settings.DOENDA_DEPOSIT_HAND_URL = "deposit=http://127.0.0.1:1/pay-in,toss=http://127.0.0.1:1/toss/pay-in?a=b"
    seen: list[net.Request] = []
    hand = hands.hand("web/deposit/toss")
    assert hand is not None
    with net.using(answering(201, seen)):
        hand("110-222-333", 1000)
    [request] = seen
    assert (request.method, request.url) == ("POST", "http://127.0.0.1:1/toss/pay-in?a=b")
    assert json.loads(request.content) == {"number": "110-222-333", "amount": 1000}
    assert (hand.used, hand.trouble) == (True, "")


def down(request: net.Request) -> net.Reply:
    raise net.NotSent("hand: connection refused")


@pytest.mark.parametrize("transport", [down, answering(500, [])])
def test_a_hand_that_cannot_pay_says_so_and_raises_nothing(settings: Any, transport: net.Transport) -> None:
    settings.DOENDA_DEPOSIT_HAND_URL = URL
    hand = hands.hand(DEPOSIT)
    assert hand is not None
    with net.using(transport):
        hand("110-222-333", 1000)
    assert hand.trouble
    assert "110-222-333" not in hand.trouble


def test_without_an_address_there_is_no_hand_and_no_walk_of_a_deposit(offered: None, settings: Any) -> None:
    settings.DOENDA_DEPOSIT_HAND_URL = ""
    assert hands.hand(DEPOSIT) is None
    assert not [slug for slug in walks.ways() if "/deposit/" in slug]
    assert standing.current()[DEPOSIT].standing is Name.UNPROVEN


def test_one_address_may_pay_into_accounts_of_every_provider_or_of_some(settings: Any) -> None:
    settings.DOENDA_DEPOSIT_HAND_URL = "http://127.0.0.1:1/pay-in?key=1"
    assert {ways.hand_address(name) for name in ("deposit", "toss")} == {"http://127.0.0.1:1/pay-in?key=1"}
    settings.DOENDA_DEPOSIT_HAND_URL = "deposit=http://127.0.0.1:1/pay-in"
    assert hands.hand("web/deposit/deposit") is not None
    assert hands.hand("web/deposit/toss") is None
    assert not ways.terms("web/deposit/toss").walked


def test_only_a_deposit_needs_a_hand(settings: Any) -> None:
    settings.DOENDA_DEPOSIT_HAND_URL = URL
    assert hands.hand("web/card/toss") is None


type Pay = Callable[..., walker.Walk]


def ends(outcome: str, *, pays_in: bool = True) -> Pay:
    def pay(url: str, *, hand: Callable[[str, int], None], **asked: Any) -> walker.Walk:
        assert (asked["method"], asked["provider"]) == ("deposit", "deposit")
        if pays_in:
            hand("110-222-333", 1000)
        return walker.Walk(outcome, ("pay.account",), 1.0)

    return pay


@pytest.mark.parametrize(
    ("status", "outcome", "pays_in", "found", "word"),
    [
        (200, "paid", True, "worked", Name.PROVEN),
        (200, "pay.account", True, "failed_by_us", Name.UNPROVEN),  # paid in, and never heard of
        (200, "pay.method", False, "failed_by_us", Name.UNPROVEN),  # never came as far as an account
        (500, "pay.account", True, "pending", Name.UNPROVEN),  # our own hand is no fault of the way
    ],
)
def test_a_deposit_is_proven_by_money_that_arrived(
    offered: None,
    monkeypatch: pytest.MonkeyPatch,
    *,
    status: int,
    outcome: str,
    pays_in: bool,
    found: str,
    word: Name,
) -> None:
    monkeypatch.setattr(walker, "pay", ends(outcome, pays_in=pays_in))
    monkeypatch.setattr(control, "passes", lambda: True)
    with net.using(answering(status, [])):
        run = walks.walk(DEPOSIT)
    assert run.outcome == found, run.trouble
    assert standing.current()[DEPOSIT].standing is word
    assert standing.awaited(DEPOSIT) == (2 if found == "failed_by_us" else 0)
    assert "110-222-333" not in ProbeRun.objects.get().trouble

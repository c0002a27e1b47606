"""PortOne as a provider: every status and code of its tables, whatever a network can do, and keys in rotation."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.payments.test_payments_portone import (
    CHARGE,
    CONFIG,
    DEPOSIT,
    ORDER,
    Wired,
    approved,
    reply_of,
    said,
)

from doenda.kernel import net
from doenda.payments.providers.contract import Outcome
from doenda.payments.providers.portone import codes
from doenda.payments.providers.portone.provider import PortOne as Provider
from doenda.payments.providers.portone.wire import code_of


@pytest.fixture
def wired() -> Iterator[Wired]:
    made = Wired()
    with net.using(made):
        yield made


@pytest.fixture
def portone(wired: Wired) -> Provider:
    return Provider(CONFIG)


def _secret() -> dict[str, str]:
    return {"Authorization": "PortOne portone-secret"}


@pytest.mark.parametrize("status", codes.STATUSES)
def test_every_status_in_the_table_is_read(wired: Wired, portone: Provider, status: str) -> None:
    portone.start(DEPOSIT)
    document = net.call("x", "GET", f"{CONFIG['url']}/payments/{ORDER}", headers=_secret()).json()
    wired.says = reply_of(200, document | {"status": status})
    answer = portone.inquire(DEPOSIT)
    assert answer.outcome is codes.STATUSES[status]
    assert (answer.order_id, answer.amount, answer.currency, answer.merchant) == (ORDER, 52_300, "KRW", "store-doenda")
    assert (answer.pay_into is not None) == (answer.outcome is Outcome.NEEDS_DEPOSIT)


def test_a_status_that_is_not_in_the_table_is_unknown(wired: Wired, portone: Provider) -> None:
    portone.start(DEPOSIT)
    document = net.call("x", "GET", f"{CONFIG['url']}/payments/{ORDER}", headers=_secret()).json()
    wired.says = reply_of(200, document | {"status": "ABROAD"})
    assert said(portone.inquire(DEPOSIT)) == (Outcome.UNKNOWN, "ABROAD")
    for broken in ({"amount": {"total": 52300.9}}, {"amount": 3}, {"id": None}, {"storeId": 7}, {"method": None}):
        wired.says = reply_of(200, document | broken)
        assert said(portone.inquire(DEPOSIT)) == (Outcome.UNKNOWN, "UNREADABLE")


def test_what_others_were_paid_is_not_taken_for_ours(wired: Wired, portone: Provider) -> None:
    portone.start(DEPOSIT)
    document = net.call("x", "GET", f"{CONFIG['url']}/payments/{ORDER}", headers=_secret()).json()
    wired.says = reply_of(200, document | {"storeId": "store-x", "id": "other", "status": "PAID", "currency": "USD"})
    answer = portone.inquire(DEPOSIT)
    assert (answer.merchant, answer.order_id, answer.currency) == ("store-x", "other", "USD"), "said as it is"


TRANSPORT = [
    (net.NoAnswer("x"), Outcome.UNKNOWN, "NO_ANSWER"),
    (reply_of(500, b"oops"), Outcome.UNKNOWN, "HTTP_500"),
    (reply_of(503, {"type": "INVALID_REQUEST"}), Outcome.UNKNOWN, "INVALID_REQUEST"),
    (reply_of(429, b""), Outcome.UNKNOWN, "HTTP_429"),
    (reply_of(404, b"<html>"), Outcome.UNKNOWN, "HTTP_404"),
    (reply_of(302, {}), Outcome.UNKNOWN, "HTTP_302"),
    (reply_of(200, b"garbage"), Outcome.UNKNOWN, "HTTP_200"),
    (reply_of(200, {}), Outcome.UNKNOWN, "HTTP_200"),
    (reply_of(200, []), Outcome.UNKNOWN, "HTTP_200"),
    (reply_of(200, {"payment": 3}), Outcome.UNKNOWN, "HTTP_200"),
    (reply_of(200, b"[" * 100_000), Outcome.UNKNOWN, "HTTP_200"),
    (reply_of(400, {"type": 3}), Outcome.UNKNOWN, "HTTP_400"),
    (reply_of(400, {"type": "NEW_ERROR"}), Outcome.UNKNOWN, "NEW_ERROR"),
    (reply_of(400, {"type": "X\0" * 900}), Outcome.UNKNOWN, "X" * 60),
    (reply_of(502, {"type": "PG_PROVIDER", "pgCode": "4111111111111111"}), Outcome.UNKNOWN, "PG_PROVIDER"),
]


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize(("reply", "outcome", "code"), TRANSPORT, ids=range(len(TRANSPORT)))
def test_whatever_the_network_does_a_confirm_is_unknown(
    wired: Wired, portone: Provider, reply: Any, outcome: Outcome, code: str, first: bool
) -> None:
    ready = approved(wired, portone)
    wired.says = reply
    assert said(portone.confirm(ready, first_try=first)) == (outcome, code)
    asked = portone.inquire(ready).outcome
    assert asked is Outcome.UNKNOWN, "a question that fails says nothing"
    assert portone.refund(ready, amount=1, key="k", reason="r").outcome is Outcome.UNKNOWN


def test_a_line_that_was_never_made_is_certain_only_at_the_first_try(wired: Wired, portone: Provider) -> None:
    ready = approved(wired, portone)
    wired.says = net.NotSent("refused")
    assert said(portone.confirm(ready, first_try=True)) == (Outcome.OUR_FAULT, "NOT_REACHED")
    assert said(portone.confirm(ready, first_try=False)) == (Outcome.UNKNOWN, "NOT_REACHED")
    assert said(portone.inquire(ready)) == (Outcome.UNKNOWN, "NOT_REACHED")
    assert said(portone.void(DEPOSIT)) == (Outcome.UNKNOWN, "NOT_REACHED")


@pytest.mark.parametrize("code", codes.CODES)
def test_every_code_in_the_table_means_what_it_says(wired: Wired, portone: Provider, code: str) -> None:
    ready = approved(wired, portone)
    wired.says = reply_of(409, {"type": code, "message": "m"})
    assert said(portone.confirm(ready, first_try=True)) == (codes.CODES[code], code)
    later = portone.confirm(ready, first_try=False).outcome
    assert later in (Outcome.UNKNOWN, Outcome.NOT_FOUND), "a refused retry says nothing of the first request"
    assert portone.inquire(ready).outcome is Outcome.UNKNOWN
    wired.says = reply_of(404, {"type": "PAYMENT_NOT_FOUND"})
    assert portone.inquire(ready).outcome is Outcome.NOT_FOUND


def test_an_older_secret_serves_until_the_newest_is_accepted(wired: Wired) -> None:
    both = Provider(CONFIG | {"secrets": ["not-yet-known", "portone-secret"]})
    assert both.start(CHARGE).outcome is Outcome.NEEDS_REDIRECT
    assert [call.headers["Authorization"] for call in wired.calls] == [
        "PortOne not-yet-known",
        "PortOne portone-secret",
    ]
    none = Provider(CONFIG | {"secrets": ["wrong"]})
    assert said(none.start(CHARGE)) == (Outcome.OUR_FAULT, "UNAUTHORIZED")
    assert none.inquire(CHARGE).outcome is Outcome.UNKNOWN
    with pytest.raises(ValueError, match="no API secret"):
        Provider(CONFIG | {"secrets": []})


def test_no_number_of_somebody_gets_into_a_code() -> None:
    assert code_of("REJECT_CARD_COMPANY") == "REJECT_CARD_COMPANY"
    assert code_of("CARD 4111-1111-1111-1111") == ""
    assert code_of("E0042") == "E0042"
    assert code_of(None) == code_of(7) == ""

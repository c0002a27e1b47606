"""Stripe's words in ours: by scripted replies, for what localstripe cannot say. The rest: test_payments_conformance."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.payments.payments_stripe import CHARGE, KEY, Scripted, error, intent, said, stripe

from doenda.kernel import net
from doenda.payments.providers.contract import Charge, Moves, Outcome
from doenda.payments.providers.stripe import codes


def confirm(*replies: net.Reply | Exception, first_try: bool = True, **more: object) -> Any:
    with net.using(Scripted(*replies)):
        return stripe(**more).confirm(CHARGE, first_try=first_try)


def test_a_hold_moves_no_money_so_it_moves_at_confirm() -> None:
    assert stripe().methods == {"card": Moves.AT_CONFIRM}


@pytest.mark.parametrize(("code", "outcome"), sorted(codes.CODES.items()))
def test_every_code_of_the_table_means_its_outcome(code: str, outcome: Outcome) -> None:
    if code == "HTTP_401":
        assert confirm(error(401)).outcome is outcome
    elif code != "payment_intent_unexpected_state":  # that one brings the intent, and the intent is read
        assert confirm(error(402, code=code)).outcome is outcome


@pytest.mark.parametrize(("status", "outcome"), sorted(codes.STATUSES.items()))
def test_every_status_of_the_table_means_its_outcome(status: str, outcome: Outcome) -> None:
    with net.using(Scripted(said(intent(status)))):
        assert stripe().inquire(CHARGE).outcome is outcome


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (error(400), Outcome.UNKNOWN),
        (error(402), Outcome.UNKNOWN),
        (error(402, code="a_code_of_next_year"), Outcome.UNKNOWN),
        (error(409, code="idempotency_key_in_use"), Outcome.UNKNOWN),
        (error(429, code="lock_timeout"), Outcome.UNKNOWN),
        (error(500), Outcome.UNKNOWN),
        (net.Reply(503, {}, b"<html>"), Outcome.UNKNOWN),
        (net.Reply(200, {}, b""), Outcome.UNKNOWN),
        (net.Reply(200, {}, b"[" * 100_000), Outcome.UNKNOWN),
        (said(intent(amount="a lot")), Outcome.PAID),
        (said([]), Outcome.UNKNOWN),
        (said({"object": "payment_intent"}), Outcome.UNKNOWN),
        (said(intent("requires_capture")), Outcome.UNKNOWN),
        (net.NoAnswer("late"), Outcome.UNKNOWN),
        (net.NotSent("down"), Outcome.OUR_FAULT),
    ],
)
def test_what_a_capture_meets_on_its_way_is_unknown_unless_it_is_certain(
    reply: net.Reply | Exception, outcome: Outcome
) -> None:
    assert confirm(reply).outcome is outcome
    if isinstance(reply, net.NotSent):
        assert confirm(reply, first_try=False).outcome is Outcome.UNKNOWN


def test_the_decline_code_says_more_than_the_code() -> None:
    answer = confirm(error(402, code="card_declined", decline_code="insufficient_funds"))
    assert (answer.outcome, answer.code) == (Outcome.REFUSED, "insufficient_funds")


def test_an_unexpected_state_is_read_from_the_intent_that_comes_with_it() -> None:
    paid = error(400, code="payment_intent_unexpected_state", payment_intent=intent())
    answer = confirm(paid)
    assert (answer.outcome, answer.amount) == (Outcome.PAID, 52_300)
    with net.using(Scripted(paid)):
        assert stripe().void(CHARGE).outcome is Outcome.PAID
    assert confirm(error(400, code="payment_intent_unexpected_state")).outcome is Outcome.UNKNOWN


def test_a_capture_is_for_exactly_our_amount_under_the_same_key_whenever_it_is_tried() -> None:
    line = Scripted(error(500), said(intent()))
    with net.using(line):
        stripe().confirm(CHARGE, first_try=True)
        stripe().confirm(CHARGE, first_try=False)
    assert {one.headers["Idempotency-Key"] for one in line.asked} == {"confirm-ORDER1"}
    assert line.form()["amount_to_capture"] == "52300"
    assert line.asked[0].headers["Authorization"] == f"Bearer {KEY}"
    assert "application/x-www-form-urlencoded" in line.asked[0].headers["Content-Type"]


@pytest.mark.parametrize(
    ("change", "merchant"),
    [
        ({}, "acct_doenda"),
        ({"livemode": True}, ""),
        ({"livemode": None}, ""),
        ({"metadata": {"order_id": "ORDER1"}}, ""),
        ({"metadata": {"order_id": "ORDER1", "merchant": "acct_staging"}}, "acct_staging"),
        ({"metadata": None}, ""),
    ],
)
def test_the_merchant_is_what_the_intent_says_and_a_rehearsal_is_nobodys(change: dict[str, Any], merchant: str) -> None:
    assert confirm(said(intent(**change))).merchant == merchant


def test_a_live_key_takes_live_intents_only() -> None:
    assert confirm(said(intent(livemode=True)), key="sk_live_x").merchant == "acct_doenda"
    assert confirm(said(intent()), key="rk_live_x").merchant == ""


def test_what_was_received_counts_not_what_was_asked_for() -> None:
    assert confirm(said(intent(amount_received=50_000))).amount == 50_000


def test_a_disputed_payment_is_marked_for_people_and_not_undone_by_the_flag() -> None:
    charge = {"object": "charge", "captured": True, "paid": True, "amount_refunded": 0, "disputed": True}
    answer = confirm(said(intent(latest_charge=charge)))
    assert (answer.outcome, answer.code) == (Outcome.PAID, "DISPUTED")


@pytest.mark.parametrize(
    ("currency", "amount", "asked"), [("KRW", 52_300, "52300"), ("USD", 9, "9"), ("ISK", 7, "700")]
)
def test_minor_units_are_stripes_units_but_for_the_currencies_that_it_counts_otherwise(
    currency: str, amount: int, asked: str
) -> None:
    begun = intent("requires_payment_method", amount=int(asked), currency=currency.lower())
    line = Scripted(said(begun))
    with net.using(line):
        answer = stripe().start(Charge("ORDER1", amount, currency, "card", "x", "http://house.test/r"))
    assert line.form()["amount"] == asked
    assert line.form()["currency"] == currency.lower()
    assert (answer.amount, answer.currency) == (amount, currency)


def test_a_start_pins_amount_order_and_merchant_and_gives_the_page_its_words() -> None:
    line = Scripted(said(intent("requires_payment_method")))
    with net.using(line):
        answer = stripe().start(CHARGE)
    form = line.form()
    assert form["capture_method"] == "manual"
    assert (form["metadata[order_id]"], form["metadata[merchant]"]) == ("ORDER1", "acct_doenda")
    assert (answer.outcome, answer.ref, answer.redirect_url) == (Outcome.NEEDS_REDIRECT, "pi_1", "")
    assert answer.client["client_secret"] == "pi_1_secret_x"
    assert answer.client["publishable_key"] == "pk_test_x"
    assert answer.client["return_url"] == "http://house.test/return?s=1&order_id=ORDER1"
    assert KEY not in repr(answer)


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (net.NotSent("down"), Outcome.OUR_FAULT),
        (net.NoAnswer("late"), Outcome.OUR_FAULT),
        (error(500), Outcome.OUR_FAULT),
        (error(401), Outcome.OUR_FAULT),
        (error(402, code="card_declined"), Outcome.REFUSED),
        (said(intent("succeeded")), Outcome.OUR_FAULT),
    ],
)
def test_a_start_that_is_not_a_start_took_nothing(reply: net.Reply | Exception, outcome: Outcome) -> None:
    with net.using(Scripted(reply)):
        assert stripe().start(CHARGE).outcome is outcome


def test_korean_cards_go_by_redirect_and_need_no_script() -> None:
    action = {"type": "redirect_to_url", "redirect_to_url": {"url": "https://pay.test/kr"}}
    line = Scripted(said(intent("requires_action", next_action=action)))
    terms = stripe(card="kr_card")
    with net.using(line):
        answer = terms.start(CHARGE)
    assert (answer.redirect_url, dict(answer.client), terms.script) == ("https://pay.test/kr", {}, None)
    form = line.form()
    assert form["payment_method_options[kr_card][capture_method]"] == "manual"
    assert form["return_url"].endswith("&order_id=ORDER1")
    with net.using(Scripted(said(intent("requires_action")))):
        assert terms.start(CHARGE).outcome is Outcome.OUR_FAULT, "there is nowhere to send the customer"


def test_the_script_and_all_that_it_reaches_are_named() -> None:
    script = stripe().script
    assert script is not None
    assert script.src == "https://js.stripe.com/v3/"
    assert "https://api.stripe.com" in script.origins
    stand_in = stripe(script_url="http://127.0.0.1:8420/js.stripe.com/v3/").script
    assert stand_in is not None
    assert stand_in.origins == ("http://127.0.0.1:8420",)


@pytest.mark.parametrize(
    ("query", "failed", "cancelled"),
    [
        ({"redirect_status": "succeeded"}, "", False),
        ({"redirect_status": "pending"}, "", False),
        ({}, "", False),
        ({"redirect_status": "failed"}, "redirect_failed", False),
        ({"redirect_status": "failed", "code": "card_declined"}, "card_declined", False),
        ({"redirect_status": "canceled"}, "redirect_canceled", True),
    ],
)
def test_what_a_customer_brings_back(query: Mapping[str, str], failed: str, cancelled: bool) -> None:
    came = stripe().returned({"payment_intent": "pi_1", "order_id": "ORDER1", **query})
    assert (came.order_id, came.ref, came.failed, came.cancelled) == ("ORDER1", "pi_1", failed, cancelled)


def test_without_its_id_an_intent_is_searched_by_our_order_id() -> None:
    other = intent("canceled", id="pi_0", metadata={"order_id": "OTHER", "merchant": "acct_doenda"})
    first = intent("requires_payment_method", id="pi_2")
    page = {"object": "search_result", "data": [other, first, intent()], "has_more": False}
    line = Scripted(said(page), said({**page, "data": [other]}), said({**page, "data": [], "has_more": True}))
    charge = Charge("ORDER1", 52_300, "KRW", "card", "x")
    with net.using(line):
        assert stripe().inquire(charge).ref == "pi_1"
        assert stripe().inquire(charge).outcome is Outcome.NOT_FOUND
        assert stripe().inquire(charge).outcome is Outcome.UNKNOWN
    asked = parse_qs(urlsplit(line.asked[0].url).query)["query"][0]
    assert "metadata['order_id']:'ORDER1'" in asked


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (error(401), Outcome.UNKNOWN),
        (error(400, code="parameter_unknown"), Outcome.UNKNOWN),
        (error(402, code="card_declined"), Outcome.UNKNOWN),
        (error(429, code="rate_limit"), Outcome.UNKNOWN),
        (error(404, code="resource_missing"), Outcome.NOT_FOUND),
        (error(404), Outcome.UNKNOWN),
        (net.NotSent("down"), Outcome.UNKNOWN),
        (net.NoAnswer("late"), Outcome.UNKNOWN),
        (net.Reply(200, {}, b"<html>"), Outcome.UNKNOWN),
    ],
)
def test_a_question_or_a_void_that_fails_says_nothing_of_the_money(
    reply: net.Reply | Exception, outcome: Outcome
) -> None:
    with net.using(Scripted(reply, reply)):
        assert stripe().inquire(CHARGE).outcome is outcome
        assert stripe().void(CHARGE).outcome is outcome


def test_the_newest_of_several_keys_is_used() -> None:
    line = Scripted(said(intent()))
    with net.using(line):
        stripe(key=["sk_test_new", "sk_test_old"]).inquire(CHARGE)
    assert line.asked[0].headers["Authorization"] == "Bearer sk_test_new"


def test_what_was_never_shown_to_anybody_is_void_without_a_question() -> None:
    with net.using(Scripted()):
        assert stripe().void(Charge("ORDER1", 1, "KRW", "card", "x")).outcome is Outcome.GIVEN_BACK


def refunds(*rows: dict[str, object], more: bool = False) -> net.Reply:
    return said({"object": "list", "data": list(rows), "has_more": more})


def refund(*replies: net.Reply | Exception, amount: int = 1_000) -> tuple[Any, Scripted]:
    line = Scripted(*replies)
    with net.using(line):
        return stripe().refund(CHARGE, amount=amount, key="refund-1", reason="drill"), line


def row(status: str = "succeeded", key: str = "refund-1", amount: int = 1_000) -> dict[str, object]:
    return {"object": "refund", "status": status, "amount": amount, "currency": "krw", "metadata": {"key": key}}


@pytest.mark.parametrize(("status", "outcome"), [*sorted(codes.REFUNDS.items()), ("new_word", Outcome.UNKNOWN)])
def test_every_status_of_a_refund_means_its_outcome(status: str, outcome: Outcome) -> None:
    answer, _ = refund(refunds(), said(row(status)))
    assert answer.outcome is outcome


def test_a_refund_that_stripe_forgot_the_key_of_is_still_paid_once() -> None:
    """Stripe prunes idempotency keys after a day: the same key a day later would be a second refund."""
    answer, line = refund(refunds(row()))
    assert answer.outcome is Outcome.GIVEN_BACK
    assert [one.method for one in line.asked] == ["GET"]


def test_a_refund_goes_out_under_its_own_key_and_carries_it() -> None:
    answer, line = refund(refunds(row(key="another")), said(row()))
    assert answer.outcome is Outcome.GIVEN_BACK
    assert line.asked[1].headers["Idempotency-Key"] == "refund-1"
    assert line.form()["metadata[key]"] == "refund-1"
    assert line.form()["amount"] == "1000"


def test_no_more_goes_back_than_came() -> None:
    answer, line = refund(refunds(row(key="another", amount=52_000)))
    assert (answer.outcome, len(line.asked)) == (Outcome.REFUSED, 1)
    answer, _ = refund(refunds(row("failed", key="another", amount=52_000)), said(row()))
    assert answer.outcome is Outcome.GIVEN_BACK, "a refund that failed gave nothing back"


@pytest.mark.parametrize("unread", [net.NotSent("x"), net.NoAnswer("x"), error(500), error(401), refunds(more=True)])
def test_a_refund_whose_past_cannot_be_read_is_not_sent(unread: net.Reply | Exception) -> None:
    answer, line = refund(unread)
    assert (answer.outcome, len(line.asked)) == (Outcome.UNKNOWN, 1)


def test_given_back_in_part_is_paid_and_given_back_whole_is_not() -> None:
    part = {"object": "charge", "captured": True, "paid": True, "amount_refunded": 1_000}
    assert confirm(said(intent(latest_charge=part))).given_back == 1_000
    whole = part | {"amount_refunded": 52_300}
    assert confirm(said(intent(latest_charge=whole))).outcome is Outcome.GIVEN_BACK


def test_no_answer_and_no_doorbell_carries_a_key(caplog: pytest.LogCaptureFixture) -> None:
    leaky = error(401, message=f"Invalid API Key provided: {KEY}")
    answer = confirm(leaky)
    assert KEY not in repr(answer)
    assert KEY not in caplog.text

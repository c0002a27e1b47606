"""The deposit bank's words, silences and webhooks: what each means, what is never believed, what is never told."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from tests.payments.test_payments_deposit import ENTRY, DepositWorld, agree, begin, deposit_world, number_of, run
from tests.worlds import overdue_bill

from doenda.billing import books
from doenda.kernel import clock, net, sweeps
from doenda.kernel.db import atomic
from doenda.payments import doorbells, inquiry, providers
from doenda.payments.deposits import arrivals, tending
from doenda.payments.deposits.models import DepositFeed, DepositLine
from doenda.payments.models import Attempt, Doorbell
from doenda.payments.moves import charge_of
from doenda.payments.providers.contract import BackTo, Outcome
from doenda.payments.providers.deposit import codes
from doenda.payments.providers.deposit.client import code_of
from doenda.payments.providers.deposit.provider import Deposit
from doenda.payments.states import State


@pytest.fixture
def bank(db: None, noon: clock.Frozen) -> Iterator[DepositWorld]:
    with deposit_world() as made:
        yield made


def deposit() -> Deposit:
    found = providers.get("deposit")
    assert isinstance(found, Deposit)
    return found


def refuses(code: str, status: int = 400) -> net.Transport:
    return lambda request: net.Reply(status, {}, json.dumps({"code": code, "message": "no"}).encode())


def silent(error: type[Exception]) -> net.Transport:
    def transport(request: net.Request) -> net.Reply:
        raise error("the line is dead")

    return transport


def says(status: int, body: bytes) -> net.Transport:
    return lambda request: net.Reply(status, {}, body)


GARBAGE: list[tuple[net.Transport, str]] = [
    (silent(net.NotSent), "NOT_REACHED"),
    (silent(net.NoAnswer), "NO_ANSWER"),
    (says(503, b"<html>"), "HTTP_503"),
    (says(429, b""), "HTTP_429"),
    (says(200, b"[" * 100_000), "HTTP_200"),
    (says(200, b"[]"), "HTTP_200"),
    (says(200, b"{}"), ""),
    (says(500, b'{"code": "NEVER_HEARD_OF"}'), "NEVER_HEARD_OF"),
]


# --- codes


@pytest.mark.parametrize(("act", "code"), [(act, code) for act, table in codes.TABLES.items() for code in table])
def test_every_listed_code_means_what_the_table_says(bank: DepositWorld, act: str, code: str) -> None:
    attempt = begin(overdue_bill())
    bank.deposit(number_of(attempt), 100)
    if act in {"look", "return"}:
        run()
    attempt.refresh_from_db()
    charge = charge_of(attempt)
    do: dict[str, Callable[[], Any]] = {
        "open": lambda: deposit().start(charge),
        "close": lambda: deposit().void(charge),
        "look": lambda: deposit().inquire(charge),
        "return": lambda: deposit().refund(charge, amount=10, key="k", reason="r"),
    }
    with net.using(refuses(code)):
        answer = do[act]()
    assert answer.outcome is codes.TABLES[act][code]
    assert answer.code == code


@pytest.mark.parametrize(("transport", "code"), GARBAGE)
def test_a_silence_or_garbage_is_never_taken_for_an_answer(
    bank: DepositWorld, transport: net.Transport, code: str
) -> None:
    """No charge is sent at start, so that is ours; what may have had its effect is unknown."""
    paid, waiting = begin(overdue_bill(number="B-1")), begin(overdue_bill(number="B-2", phone="+821000005678"))
    bank.deposit(number_of(paid), 52300)
    run()
    paid.refresh_from_db()
    with net.using(transport):
        for attempt in (paid, waiting):
            answer = deposit().inquire(charge_of(attempt))
            assert answer.outcome is Outcome.UNKNOWN, answer
        assert deposit().void(charge_of(waiting)).outcome is Outcome.UNKNOWN
        assert deposit().refund(charge_of(paid), amount=10, key="k", reason="r").outcome is Outcome.UNKNOWN
        assert deposit().start(charge_of(waiting)).outcome is Outcome.OUR_FAULT
        assert arrivals.sweep(100) == 0
        assert tending.sweep(100) <= 1
    assert DepositFeed.objects.get().cursor == 1
    agree(bank)


@pytest.mark.parametrize(
    "change",
    [{"merchant": "somebody"}, {"amount": -5}, {"amount": 1.5}, {"amount": True}, {"kind": "LOAN"}, {"at": "noon"},
     {"at": "2014-10-22T12:00:00"}, {"of": "D1"}, {"id": "x" * 81}, {"number": None}, {"n": "one"}, {"n": 0}],
)  # fmt: skip
def test_a_page_of_the_list_with_one_line_that_cannot_be_ours_is_not_stored_and_says_so(
    bank: DepositWorld, change: dict[str, Any]
) -> None:
    attempt = begin(overdue_bill())
    bank.deposit(number_of(attempt), 100)

    def changed(request: net.Request) -> net.Reply:
        reply = bank.transport(request)
        said = reply.json()
        said["entries"][0] |= change
        return net.Reply(200, {}, json.dumps(said).encode())

    with net.using(changed):
        arrivals.sweep(100)
    feed = DepositFeed.objects.get()
    assert (DepositLine.objects.count(), feed.cursor) == (0, 0)
    assert feed.trouble.startswith("GARBAGE")
    run()
    assert DepositLine.objects.count() == 1
    assert DepositFeed.objects.get().trouble == ""


def test_a_line_that_the_bank_later_tells_otherwise_stays_what_it_was(bank: DepositWorld) -> None:
    attempt = begin(overdue_bill())
    bank.deposit(number_of(attempt), 100)
    run()

    def changed(request: net.Request) -> net.Reply:
        said = bank.transport(request).json()
        for one in said.get("entries", []):
            one["amount"] = 52300
        return net.Reply(200, {}, json.dumps(said).encode())

    with atomic():
        DepositFeed.objects.update(cursor=0)
    with net.using(changed):
        arrivals.sweep(100)
    assert DepositLine.objects.get().amount == 100
    agree(bank)


def test_no_account_number_gets_into_a_code() -> None:
    assert code_of("NO NUMBER 088900000001") == "NO NUMBER ############"


def test_the_number_is_asked_for_with_the_newest_key_and_both_are_live(bank: DepositWorld) -> None:
    bank.control(bank.pool, "PUT", "merchant", {"keys": ["new-key", "deposit-key"]})
    assert begin(overdue_bill()).state == State.NEEDS_DEPOSIT
    rotated = Deposit({**ENTRY, "keys": ["new-key", "deposit-key"]})
    assert rotated.bank.movements(0).code == ""
    assert Deposit({**ENTRY, "keys": ["wrong"]}).bank.movements(0).code == "UNAUTHORIZED_KEY"


# --- inquiry, void, refund


def test_an_inquiry_finds_what_arrived_before_the_list_was_read_and_the_sweep_finds_it_done(
    bank: DepositWorld, noon: clock.Frozen
) -> None:
    bill = overdue_bill()
    attempt = begin(bill)
    bank.deposit(number_of(attempt), 52300)
    noon.advance(timedelta(days=8))
    sweeps.run("inquiries")
    attempt.refresh_from_db()
    assert attempt.state == State.PAID, "the deadline alone never says that nothing came"
    run()
    assert DepositLine.objects.get().attempt_id == attempt.id
    assert Attempt.objects.count() == 1
    agree(bank)


def test_a_void_says_paid_when_a_stored_deposit_is_on_its_way_into_the_books(bank: DepositWorld) -> None:
    attempt = begin(overdue_bill())
    bank.deposit(number_of(attempt), 52300)
    assert arrivals.read_on(deposit())
    assert deposit().void(charge_of(attempt)).outcome is Outcome.PAID
    assert bank.number(number_of(attempt))["status"] == "CLOSED"


def test_an_inquiry_of_a_paid_attempt_sees_what_the_bank_took_back_or_somebody_returned_by_hand(
    bank: DepositWorld,
) -> None:
    attempt = begin(overdue_bill())
    came = bank.deposit(number_of(attempt), 52300)
    run()
    attempt.refresh_from_db()
    answer = deposit().inquire(charge_of(attempt))
    assert (answer.outcome, answer.amount, answer.given_back) == (Outcome.PAID, 52300, 0)
    deposit().bank.give_back(came["id"], 1000, "by hand", "r")
    assert deposit().inquire(charge_of(attempt)).given_back == 1000
    run()
    attempt.refresh_from_db()
    assert attempt.person_owns_at is not None, "nobody here decided that"
    other = begin(overdue_bill(number="B-2", phone="+821000005678"))
    came = bank.deposit(number_of(other), 52300)
    run()
    other.refresh_from_db()
    bank.control(bank.pool, "POST", "undo", {"id": came["id"]})
    inquiry.ask(other)
    other.refresh_from_db()
    assert other.state == State.UNDONE
    run()
    assert books.trial().ok


def test_a_refund_with_the_same_key_goes_back_once_and_cash_needs_an_account(bank: DepositWorld) -> None:
    attempt = begin(overdue_bill())
    bank.deposit(number_of(attempt), 52300, remitter="")
    run()
    attempt.refresh_from_db()
    charge = charge_of(attempt)
    assert deposit().refund(charge, amount=1000, key="one", reason="r").outcome is Outcome.REFUSED
    to = BackTo("004", "123456", "김민수")
    for _ in range(2):
        answer = deposit().refund(charge, amount=1000, key="two", reason="r", back_to=to)
        assert answer.outcome is Outcome.GIVEN_BACK
    assert bank.at_pool() == 51300
    bank.ill("timeout_after", on=["return"])
    assert deposit().refund(charge, amount=300, key="three", reason="r", back_to=to).outcome is Outcome.UNKNOWN
    bank.well()
    assert deposit().refund(charge, amount=300, key="three", reason="r", back_to=to).outcome is Outcome.GIVEN_BACK
    assert bank.at_pool() == 51000


def test_the_banks_own_list_names_our_orders_for_reconciliation(bank: DepositWorld) -> None:
    attempt = begin(overdue_bill())
    bank.deposit(number_of(attempt), 52300)
    run()
    feed = deposit().transactions(clock.now() - timedelta(days=1), clock.now() + timedelta(days=1))
    [line] = feed.lines
    assert (line.kind, line.amount, line.order_id) == ("paid", 52300, charge_of(attempt).order_id)
    assert (line.ref, feed.cursor) == (DepositLine.objects.get().ref, "")


# --- reading the list


def test_a_line_that_is_listed_late_behind_our_mark_is_found(bank: DepositWorld, noon: clock.Frozen) -> None:
    """Peers keep one cursor and lose what appears behind it."""
    first, second = overdue_bill(number="B-1"), overdue_bill(number="B-2", phone="+821000005678")
    hidden, seen = begin(first), begin(second)
    bank.ill("hidden", seconds=7200, remaining=1)
    bank.deposit(number_of(hidden), 52300)
    bank.deposit(number_of(seen), 52300)
    run()
    assert DepositFeed.objects.get().cursor == 2
    noon.advance(timedelta(hours=3))
    run()
    first.refresh_from_db()
    assert first.state == "settled"
    noon.advance(timedelta(days=3))
    run()
    assert DepositFeed.objects.get().checked == 2
    agree(bank)


def test_the_night_is_no_trouble_and_a_dead_list_is(bank: DepositWorld, noon: clock.Frozen) -> None:
    bank.control(bank.pool, "PUT", "hours", {"closed": "11:00-13:00"})
    arrivals.sweep(100)
    assert DepositFeed.objects.get().trouble == ""
    bank.control(bank.pool, "PUT", "hours", {"closed": ""})
    bank.ill("inquiry_down")
    arrivals.sweep(100)
    feed = DepositFeed.objects.get()
    assert (feed.trouble, feed.trouble_since) == ("SERVICE_FAULT", clock.now())


# --- webhooks


def hook(body: bytes, *, secret: str = "deposit-webhook-secret", ident: str = "dep_1", at: int | None = None) -> Any:
    stamp = str(int(clock.wall().timestamp()) if at is None else at)
    digest = hmac.new(secret.encode(), f"{ident}.{stamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "deposit-transmission-ID": ident,
        "DEPOSIT-TIMESTAMP": stamp,
        "Deposit-Signature": "v1," + base64.b64encode(digest).decode(),
    }


BODY = b'{"event_type":"NUMBER_MOVED","data":{"bank":"088","number":"088900000000"}}'


def test_every_live_secret_verifies_and_every_header_case(bank: DepositWorld) -> None:
    assert doorbells.ring("deposit", hook(BODY), BODY)
    assert doorbells.ring("deposit", hook(BODY, secret="the-older-one", ident="dep_2"), BODY)
    both = hook(BODY, ident="dep_3")
    both["Deposit-Signature"] = "v1,AAAA " + both["Deposit-Signature"]
    assert doorbells.ring("deposit", both, BODY)


def test_a_forged_a_changed_and_a_stale_webhook_post_nothing_and_are_kept_as_evidence(bank: DepositWorld) -> None:
    begin(overdue_bill())
    changed = BODY.replace(b"088900000000", b"088900000001")
    old = int(clock.wall().timestamp()) - 301
    woken: list[str] = []
    sweeps.nudge_with(woken.append)
    try:
        for headers, body in [
            (hook(BODY, secret="guessed"), BODY),
            (hook(BODY), changed),
            (hook(BODY, at=old), BODY),
            (hook(BODY) | {"Deposit-Signature": ""}, BODY),
            (hook(BODY) | {"Deposit-Signature": "v1,é"}, BODY),
            ({}, BODY),
            (hook(b"{"), b"{"),
        ]:
            assert not doorbells.ring("deposit", headers, body)
    finally:
        sweeps.nudge_with(None)
    assert woken == []
    assert Doorbell.objects.filter(genuine=False).count() == 7
    assert DepositLine.objects.count() == 0


def test_a_replayed_webhook_or_one_of_a_wrong_number_makes_us_ask_and_nothing_more(bank: DepositWorld) -> None:
    attempt = begin(overdue_bill())
    for _ in range(3):
        assert doorbells.ring("deposit", hook(BODY), BODY)
    wrong = BODY.replace(b"088900000000", b"999999999999").replace(b'"088"', b'"888"')
    assert doorbells.ring("deposit", hook(wrong, ident="dep_2"), wrong)
    assert Doorbell.objects.count() == 2, "a transmission is kept once"
    run()
    attempt.refresh_from_db()
    assert attempt.state == State.NEEDS_DEPOSIT
    assert Attempt.objects.count() == 1


@pytest.mark.parametrize("fault", ["no_webhook", "duplicate_webhook", "late_webhook", "forged_webhook"])
def test_the_books_are_right_whatever_becomes_of_the_webhooks(
    bank: DepositWorld, noon: clock.Frozen, fault: str
) -> None:
    bank.ill(fault)
    bill = overdue_bill()
    attempt = begin(bill)
    bank.deposit(number_of(attempt), 52300)
    for _ in range(3):
        for delivery in bank.pool.tick():
            genuine = doorbells.ring("deposit", delivery.headers, delivery.body)
            bank.pool.sent(delivery, 204 if genuine else 401)
        run()
        noon.advance(timedelta(seconds=31))
    bill.refresh_from_db()
    assert (bill.state, Attempt.objects.count()) == ("settled", 1)
    assert Doorbell.objects.filter(genuine=False).count() == (1 if fault == "forged_webhook" else 0)
    agree(bank)

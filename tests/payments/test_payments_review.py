"""What a review of the money path found: races between senders, inquiries and voids; garbage; floods; starving."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from tests.payments.test_payments_charge import approve, begin, come_back
from tests.worlds import World, overdue_bill, world

from doenda.billing import accounts, bills, books
from doenda.billing.models import Bill
from doenda.kernel import clock, net, sweeps
from doenda.kernel.database import seam
from doenda.kernel.db import atomic
from doenda.kernel.models import OutboxRow
from doenda.payments import attempts, doorbells, inquiry, providers
from doenda.payments.models import Attempt, Doorbell
from doenda.payments.moves import charge_of
from doenda.payments.outcomes import apply
from doenda.payments.providers.contract import Outcome
from doenda.payments.providers.sandbox.provider import _read
from doenda.payments.states import State


@pytest.fixture
def bank(db: None) -> Iterator[World]:
    with world() as made:
        yield made


@contextmanager
def on_the_line(
    made: World, path: str, *, before: Callable[[], Any] = lambda: None, after: Callable[[], Any] = lambda: None
) -> Iterator[None]:
    """The first request to `path` meets something on its way to the bank, or its answer does on its way back."""
    met: list[str] = []

    def transport(request: net.Request) -> net.Reply:
        first = path in request.url and not met
        if first:
            met.append(request.url)
            before()
        reply = made.transport(request)
        if first:
            after()
        return reply

    with net.using(transport):
        yield
    assert met, f"nobody called {path}"


def die() -> None:
    raise seam.Crash


def sent_and_lost(made: World) -> Attempt:
    """A charge that the bank carried out, whose sender died before the answer came."""
    attempt = begin(overdue_bill())
    approve(attempt)
    with pytest.raises(seam.Crash), on_the_line(made, "/confirm", after=die):
        come_back(attempt)
    return attempt


def assert_books_agree(made: World) -> None:
    stands = {each.name: each.amount for each in books.balances()}
    assert stands.get("clearing:sandbox", 0) == made.books()["net"]
    assert books.trial().ok


@pytest.mark.parametrize("code", ["UNAUTHORIZED_KEY", "SERVICE_FAULT"])
def test_what_a_second_try_hears_says_nothing_about_the_first(bank: World, noon: clock.Frozen, code: str) -> None:
    """The bank took the money; the retry is turned away at the door. That door did not see the first try."""
    attempt = sent_and_lost(bank)
    noon.advance(timedelta(seconds=11))
    no = net.Reply(503, {}, json.dumps({"code": code}).encode())
    with net.using(lambda request: no):
        sweeps.run("outbox")
    attempt.refresh_from_db()
    assert attempt.state == State.UNKNOWN
    noon.advance(timedelta(seconds=5))
    sweeps.run("inquiries")
    attempt.refresh_from_db()
    assert attempt.state == State.PAID
    assert_books_agree(bank)


def test_a_slow_first_sender_that_never_got_through_does_not_deny_what_the_second_one_sent(
    bank: World, noon: clock.Frozen
) -> None:
    """Its lease ran out while it slept; the worker sent meanwhile, and the answer to that was lost."""
    attempt = begin(overdue_bill())
    approve(attempt)

    def the_worker_sends() -> None:
        noon.advance(timedelta(seconds=11))
        bank.fault("card", "timeout_after")
        with net.using(bank.transport):
            sweeps.run("outbox")
        bank.down.add("bank")

    with on_the_line(bank, "/confirm", before=the_worker_sends):
        said = come_back(attempt)
    assert said.outcome == "unknown"
    bank.down.clear()
    bank.heal()
    noon.advance(timedelta(seconds=5))
    sweeps.run("inquiries")
    assert Attempt.objects.get().state == State.PAID
    assert_books_agree(bank)


def test_nothing_is_voided_while_a_sender_may_still_bring_it(bank: World, noon: clock.Frozen) -> None:
    """At this bank, voiding what has just been taken gives it back: the ledger would say paid, and the won be gone."""
    attempt = begin(overdue_bill())
    approve(attempt)
    with pytest.raises(seam.Crash), on_the_line(bank, "/confirm", before=die):
        come_back(attempt)
    noon.advance(timedelta(seconds=30))

    def the_worker_sends() -> None:
        with net.using(bank.transport):
            sweeps.run("outbox")

    with net.using(bank.transport), on_the_line(bank, "/orders/", after=the_worker_sends):
        inquiry.ask(Attempt.objects.get())
    assert Attempt.objects.get().state == State.PAID
    assert bank.books()["net"] == attempt.amount
    assert_books_agree(bank)


def test_a_void_that_met_a_late_charge_is_booked_as_given_back(bank: World, noon: clock.Frozen) -> None:
    """A sender that slept for half a minute wakes between our question and our void."""
    attempt = begin(overdue_bill())
    approve(attempt)
    with pytest.raises(seam.Crash), on_the_line(bank, "/confirm", before=die):
        come_back(attempt)
    noon.advance(timedelta(seconds=11))
    bank.fault("card", "timeout_before")
    sweeps.run("outbox")
    bank.heal()
    noon.advance(timedelta(seconds=30))

    def the_sleeper_wakes() -> None:
        sleeping = Attempt.objects.get()
        assert sleeping.state == State.UNKNOWN
        with net.using(bank.transport):
            answer = providers.get("sandbox").confirm(charge_of(sleeping), first_try=True)
        apply(sleeping, answer, "charge", row=OutboxRow.objects.get(kind="charge"))
        assert sleeping.state == State.PAID

    with on_the_line(bank, "/cancel", before=the_sleeper_wakes):
        inquiry.ask(Attempt.objects.get())
    assert bank.books()["net"] == 0
    assert Attempt.objects.get().state == State.REVERSED
    assert_books_agree(bank)


def test_an_answer_older_than_our_conclusion_is_asked_about_again(bank: World, noon: clock.Frozen) -> None:
    """The bank took it and gave it back; the word that it was taken comes last."""
    attempt = begin(overdue_bill())
    approve(attempt)

    def given_back_meanwhile() -> None:
        with net.using(bank.transport):
            providers.get("sandbox").refund(
                charge_of(Attempt.objects.get()), amount=attempt.amount, key="by-hand", reason="by hand"
            )
            inquiry.ask(Attempt.objects.get())
        assert Attempt.objects.get().state == State.REFUSED

    with on_the_line(bank, "/confirm", after=given_back_meanwhile):
        come_back(attempt)
    sweeps.run("inquiries")
    assert Attempt.objects.get().state == State.REFUSED
    assert_books_agree(bank)


def test_an_unknown_that_the_provider_gave_back_does_not_stay_unknown(bank: World, noon: clock.Frozen) -> None:
    attempt = sent_and_lost(bank)
    noon.advance(timedelta(seconds=11))
    bank.fault("card", "error_after")
    sweeps.run("outbox")
    assert Attempt.objects.get().state == State.UNKNOWN
    bank.heal()
    providers.get("sandbox").refund(charge_of(attempt), amount=attempt.amount, key="k", reason="by hand")
    noon.advance(timedelta(seconds=30))
    sweeps.run("inquiries")
    assert Attempt.objects.get().state == State.REFUSED
    assert_books_agree(bank)


def test_not_found_counts_from_the_last_try(bank: World, noon: clock.Frozen) -> None:
    """The first sender died before it sent, and the worker was away for longer than the provider's longest time."""
    attempt = begin(overdue_bill())
    approve(attempt)
    with pytest.raises(seam.Crash), on_the_line(bank, "/confirm", before=die):
        come_back(attempt)
    noon.advance(timedelta(minutes=9))
    bank.fault("card", "hidden", seconds=120)
    sweeps.run("outbox")
    noon.advance(timedelta(seconds=100))
    sweeps.run("inquiries")
    assert Attempt.objects.get().state == State.UNKNOWN
    bank.heal()
    noon.advance(timedelta(minutes=11))
    sweeps.run("inquiries")
    assert Attempt.objects.get().state == State.PAID
    assert_books_agree(bank)


def test_a_question_that_always_fails_gets_a_person(
    bank: World, noon: clock.Frozen, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent_and_lost(bank)
    bank.down.add("bank")
    noon.advance(timedelta(seconds=11))
    sweeps.run("outbox")
    monkeypatch.setattr(inquiry, "charge_of", lambda attempt: 1 / 0)
    for _ in range(3):
        noon.advance(timedelta(hours=12, minutes=1))
        sweeps.run("inquiries")
    assert Attempt.objects.get().person_owns_at is not None


def test_a_doorbell_that_rings_while_we_ask_is_answered(bank: World, noon: clock.Frozen) -> None:
    attempt = begin(overdue_bill())
    with atomic():
        inquiry.ask_now(attempt.pk)

    def rings() -> None:
        noon.advance(timedelta(seconds=1))
        with atomic():
            inquiry.ask_now(attempt.pk)

    with on_the_line(bank, "/orders/", after=rings):
        assert inquiry.sweep(1) == 1
    assert inquiry.sweep(1) == 1


def test_the_questions_that_are_due_are_found_by_an_index(db: None) -> None:
    """Every two seconds, over a table that keeps every attempt for ever."""
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as seen:
        inquiry.sweep(1)
        doorbells._unsigned_lately("sandbox")
    for query in seen.captured_queries:
        if query["sql"].startswith("SELECT"):
            with atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL enable_seqscan = off")
                cursor.execute("EXPLAIN " + query["sql"])
                plan = "\n".join(line for (line,) in cursor.fetchall())
            assert "Seq Scan" not in plan, f"{query['sql']}\n{plan}"


@pytest.mark.parametrize(
    ("signature", "body"),
    [
        ("v1,é", b'{"data": {"order_id": "x"}}'),
        ("v1,A", b'{"data": {"order_id": "\\u0000"}}'),
        ("v1,A", b'{"data": {"order_id": "\\ud800"}}'),
        ("v1,A", b"[" * 15_000),
        ("v1,A", b'{"data": 1e999}'),
    ],
)
def test_a_forged_doorbell_is_refused_and_breaks_nothing(bank: World, signature: str, body: bytes) -> None:
    said = {
        "Sandbox-Transmission-Id": "t",
        "Sandbox-Timestamp": str(int(clock.wall().timestamp())),
        "Sandbox-Signature": signature,
    }
    assert doorbells.ring("sandbox", said, body) is False
    assert Doorbell.objects.get().genuine is False


def test_forged_doorbells_are_not_kept_for_ever(bank: World, noon: clock.Frozen) -> None:
    doorbells.ring("sandbox", {}, b"{}")
    noon.advance(timedelta(days=3))
    sweeps.run("old doorbells")
    assert not Doorbell.objects.exists()


@pytest.mark.parametrize("amount", ["52300.9", "1e999", '"52300"', "true", "null"])
def test_an_amount_that_is_no_whole_number_never_matches(amount: str) -> None:
    said = (
        '{"status": "DONE", "payment_key": "p", "order_id": "o", "currency": "KRW", "merchant": "doenda", "amount": '
        + amount
        + "}"
    )
    assert _read(net.Reply(200, {}, said.encode())).amount is None


def test_a_reason_of_any_length_can_be_kept() -> None:
    said = {"status": "ABORTED", "payment_key": "p", "order_id": "o", "currency": "KRW", "merchant": "d", "amount": 1}
    answer = _read(net.Reply(200, {}, json.dumps(said | {"failure": {"code": "X\0" * 500}}).encode()))
    assert answer.outcome is Outcome.REFUSED
    assert len(answer.code) <= 60
    assert "\0" not in answer.code


def test_a_part_given_back_is_not_called_the_whole() -> None:
    said = {"status": "PARTIAL_CANCELED", "payment_key": "p", "order_id": "o", "currency": "KRW", "amount": 1}
    answer = _read(net.Reply(200, {}, json.dumps(said | {"merchant": "d"}).encode()))
    assert (answer.outcome, answer.given_back) == (Outcome.PAID, 0)


def test_everybody_at_one_account_at_once_neither_deadlocks_nor_loses_a_won(committed_db: str) -> None:
    """Returns, the worker's sweeps, doorbells, the biller and the chooser of another way, in threads of their own."""
    with world() as made:
        made.control(made.bank, "PUT", "merchant", {"webhook_url": f"{settings.DOENDA_BASE_URL}/webhooks/sandbox"})
        made.control(made.bank, "PUT", "faults", {"card": {"fault": "error_after", "remaining": 3}})
        bill = overdue_bill()
        begun = [begin(bill, method) for method in ("card", "transfer") * 3]
        for attempt in begun:
            approve(attempt)

        def ring() -> None:
            for delivery in made.bank.tick():
                doorbells.ring(
                    "sandbox", {name.title(): each for name, each in delivery.headers.items()}, delivery.body
                )

        def bill_anew() -> None:
            with atomic():
                account = accounts.lock(bill.account_id)
                fresh = Bill.objects.get(pk=bill.pk)
                items = [bills.Item("service", 52300 + fresh.revision % 3)]
                bills.correct(account, fresh, fresh.revision + 1, items, due_date=fresh.due_date)

        acts: list[Callable[[], object]] = [
            *(lambda each=each: come_back(each) for each in begun),
            lambda: sweeps.run("outbox"),
            lambda: sweeps.run("inquiries"),
            lambda: sweeps.run("facts"),
            lambda: attempts.clear(bill.account_id, [bill.pk], bill.pk),
            ring,
            bill_anew,
        ]
        wrong: list[str] = []
        until = clock.monotonic() + 1.5

        def again_and_again(act: Callable[[], object]) -> None:
            try:
                while clock.monotonic() < until:
                    act()
            except Exception as error:  # noqa: BLE001 - whatever it is, the test tells
                wrong.append(repr(error))
            finally:
                connection.close()

        threads = [threading.Thread(target=again_and_again, args=(act,)) for act in acts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong
        made.heal()
        with clock.freeze(clock.now()) as later:
            for _ in range(6):
                later.advance(timedelta(seconds=30))
                ring()
                sweeps.run_all()
        assert not Attempt.objects.filter(state__in=[State.SENT, State.UNKNOWN]).exists()
        paid = Attempt.objects.filter(state=State.PAID)
        assert made.books()["net"] == sum(each.amount for each in paid)
        assert_books_agree(made)

"""No won goes back twice, to the wrong place, or of a payment that does not stand any more."""

import contextlib
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection
from tests.payments import test_payments_refunds as world_of_refunds
from tests.payments.test_payments_refunds import (
    BOSS,
    CHOI,
    HAN,
    LARGE,
    account_of_payer,
    arrives,
    asked,
    begun,
    credit_of,
    fake,
    goes_again,
    paid,
    use_the_credit,
    use_the_credit_of,
)
from tests.worlds import World, overdue_bill, world

from doenda.billing import accounts, bills, books
from doenda.billing.models import Bill
from doenda.kernel import clock, sweeps
from doenda.kernel.db import atomic
from doenda.notices.models import Notice
from doenda.payments import desk, outcomes, providers, refunds
from doenda.payments.models import Attempt, Refund, RefundCase
from doenda.payments.providers.contract import Answer, Outcome
from doenda.payments.refunds import NotAllowed
from doenda.payments.states import State


@pytest.fixture
def house(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    settings.DOENDA_PROVIDERS = {**settings.DOENDA_PROVIDERS, "deposit": {}}
    monkeypatch.setitem(providers._CLASSES, "deposit", f"{world_of_refunds.__name__}.Fake")
    providers.get.cache_clear()
    with world() as made:
        yield made
    providers.get.cache_clear()


def sent() -> int:
    return sum(amount for _, amount, _ in fake().refunds)


def test_a_case_whose_credit_is_used_is_closed_by_whoever_finds_out(db: None, house: World) -> None:
    attempt = paid(over=7_700)
    use_the_credit(attempt, 7_700)
    case = RefundCase.objects.get()
    with atomic():
        assert refunds.give_credit_back(accounts.lock(attempt.account_id), case, by=CHOI) is None
    assert RefundCase.objects.get().outcome == "used"


def test_what_is_left_of_a_used_credit_is_still_somebodys_case(db: None, house: World) -> None:
    attempt = paid(over=7_700)
    use_the_credit(attempt, 2_700)
    assert credit_of(attempt) == 5_000
    with contextlib.suppress(NotAllowed):
        desk.give_back(RefundCase.objects.get().pk, by=CHOI, to=account_of_payer())
    sweeps.run("outbox")
    assert sent() == 5_000 or RefundCase.objects.filter(closed_at=None).exists()


def test_a_refund_that_waits_for_approval_ends_when_its_payment_comes_undone(db: None, house: World) -> None:
    attempt = paid(over=LARGE)
    refund = desk.give_back(RefundCase.objects.get().pk, by=CHOI, to=account_of_payer())
    goes_again(attempt)
    with pytest.raises(NotAllowed):
        refunds.approve(refund.pk, by=HAN)
    refund.refresh_from_db()
    assert refund.failed_at is not None
    sweeps.run("outbox")
    assert sent() == 0
    assert books.trial().ok
    assert books.balance(attempt.account_id, books.CREDIT) == 0


def test_the_desk_approves_nothing_of_a_payment_that_came_undone(db: None, house: World) -> None:
    attempt = paid(over=LARGE)
    refund = desk.give_back(RefundCase.objects.get().pk, by=CHOI, to=account_of_payer())
    goes_again(attempt)
    with pytest.raises(NotAllowed, match="nothing waits"):
        desk.approve(refund.pk, by=HAN)
    sweeps.run("outbox")
    assert sent() == 0
    assert books.trial().ok


def test_nothing_goes_back_of_a_payment_that_came_undone(db: None, house: World) -> None:
    attempt = paid()
    asked(attempt)
    goes_again(Attempt.objects.get(pk=attempt.pk))
    sweeps.run("outbox")
    assert sent() == 0


def test_of_a_payment_of_which_a_part_went_back_only_the_rest_is_given_back(db: None, house: World) -> None:
    attempt = paid(over=7_700)
    desk.give_back(RefundCase.objects.get().pk, by=CHOI)
    sweeps.run("outbox")
    asked(Attempt.objects.get(pk=attempt.pk))
    sweeps.run("outbox")
    assert sent() == 60_000


def cancelled(attempt: Attempt) -> None:
    with atomic():
        account = accounts.lock(attempt.account_id)
        bill = Bill.objects.filter(attempt_bills__attempt=attempt).earliest("number")
        bills.cancel(account, bill, fact_id=f"cancel-{bill.number}", at=clock.now())


def test_of_a_bill_that_was_cancelled_the_credit_goes_back_and_pays_nothing_meanwhile(db: None, house: World) -> None:
    attempt = paid()
    cancelled(attempt)
    assert credit_of(attempt) == 52_300
    first = asked(Attempt.objects.get(pk=attempt.pk))
    assert asked(Attempt.objects.get(pk=attempt.pk)) == first
    assert credit_of(attempt) == 0
    use_the_credit(attempt, 20_000)
    assert Bill.objects.get(number="B-next").paid == 0
    sweeps.run("outbox")
    attempt.refresh_from_db()
    assert (sent(), attempt.given_back, books.balance(attempt.account_id, books.CREDIT)) == (52_300, 52_300, 0)
    assert Notice.objects.filter(kind="refunded").count() == 1
    assert books.trial().ok


def test_money_that_has_paid_another_bill_since_is_not_given_back_as_well(db: None, house: World) -> None:
    attempt = paid()
    cancelled(attempt)
    use_the_credit(attempt, 20_000)
    with pytest.raises(NotAllowed, match="another bill"):
        asked(Attempt.objects.get(pk=attempt.pk))
    sweeps.run("outbox")
    assert (sent(), books.balance(attempt.account_id, books.CREDIT)) == (0, -32_300)


def test_of_a_payment_of_two_bills_of_which_one_was_cancelled_both_parts_go_back(db: None, house: World) -> None:
    one = overdue_bill()
    use_the_credit_of(one, 30_000)
    attempt = arrives(begun(*Bill.objects.order_by("number")), 82_300)
    cancelled(attempt)
    asked(Attempt.objects.get(pk=attempt.pk))
    assert credit_of(attempt) == 0
    sweeps.run("outbox")
    attempt.refresh_from_db()
    assert (sent(), attempt.state, attempt.given_back) == (82_300, State.REVERSED, 82_300)
    assert Bill.objects.get(number="B-next").remaining == 30_000
    assert books.balance(attempt.account_id, books.CREDIT) == 0
    assert books.trial().ok


def test_what_was_set_aside_for_a_refund_that_fails_is_credit_again_and_a_person_knows(db: None, house: World) -> None:
    attempt = paid()
    cancelled(attempt)
    fake().says = Outcome.REFUSED
    asked(Attempt.objects.get(pk=attempt.pk))
    sweeps.run("outbox")
    attempt.refresh_from_db()
    assert credit_of(attempt) == 52_300
    assert attempt.person_owns_at is not None


def test_two_parts_of_a_large_sum_need_two_persons_as_the_whole_does(db: None, house: World) -> None:
    one = overdue_bill(200_000)
    use_the_credit_of(one, 200_000)
    attempt = arrives(begun(*Bill.objects.order_by("number")), 400_000)
    cancelled(attempt)
    asked(Attempt.objects.get(pk=attempt.pk))
    sweeps.run("outbox")
    assert sent() == 0
    assert Refund.objects.filter(needs_two=True).count() == 2


def test_two_reasons_do_not_give_a_payment_back_twice(db: None, house: World) -> None:
    attempt = paid()
    asked(attempt, "moved away")
    with contextlib.suppress(NotAllowed):
        asked(attempt, "complaint")
    sweeps.run("outbox")
    assert sent() == 52_300


def test_a_refund_to_the_source_does_not_go_to_an_account_that_was_refused(db: None, house: World) -> None:
    paid(over=LARGE)
    case = RefundCase.objects.get()
    first = desk.give_back(case.pk, by=CHOI, to=account_of_payer())
    desk.refuse(first.pk, by=HAN, words="the account is somebody else's")
    second = desk.give_back(case.pk, by=CHOI)
    desk.approve(second.pk, by=HAN)
    sweeps.run("outbox")
    assert fake().refunds[-1][2] is None


def test_a_payment_that_the_provider_gave_back_whole_leaves_no_case_of_overpayment(db: None, house: World) -> None:
    attempt = paid(over=7_700)
    outcomes.apply(attempt, Answer(Outcome.GIVEN_BACK, "CANCELED"), "inquiry")
    assert credit_of(attempt) == 0
    assert not RefundCase.objects.filter(closed_at=None).exists()


def test_asking_again_after_a_refund_failed_tries_again_or_says_no(db: None, house: World) -> None:
    attempt = paid()
    fake().says = Outcome.REFUSED
    asked(attempt)
    sweeps.run("outbox")
    fake().says = Outcome.GIVEN_BACK
    try:
        again = asked(attempt)
    except NotAllowed:
        return
    assert again.failed_at is None


def test_a_deposit_that_came_again_can_be_given_back_for_the_same_reason(db: None, house: World) -> None:
    attempt = paid()
    asked(attempt)
    fake().says = Outcome.REFUSED
    sweeps.run("outbox")
    fake().says = Outcome.GIVEN_BACK
    attempt = arrives(goes_again(Attempt.objects.get(pk=attempt.pk)), 52_300)
    asked(attempt)
    sweeps.run("outbox")
    assert Refund.objects.filter(done_at__isnull=False).exists()


def test_a_refund_that_waits_for_approval_is_not_called_unconfirmed(db: None, house: World, noon: clock.Frozen) -> None:
    asked(paid(LARGE))
    noon.advance(timedelta(hours=25))
    sweeps.run("stuck refunds")
    assert not desk.waiting("attention")["attention"]


def test_two_who_approve_at_once_send_it_once(committed_db: str, house: World) -> None:
    refund = asked(paid(LARGE))
    said: list[str] = []
    gate = threading.Barrier(2)

    def approve(by: str) -> None:
        gate.wait()
        try:
            desk.approve(refund.pk, by=by)
            said.append("approved")
        except NotAllowed:
            said.append("no")
        finally:
            connection.close()

    threads = [threading.Thread(target=approve, args=(by,)) for by in (HAN, BOSS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == ["approved", "no"]
    sweeps.run("outbox")
    assert len(fake().refunds) == 1


def test_an_approval_and_a_refusal_at_once_end_in_one_of_them(committed_db: str, house: World) -> None:
    attempt = paid(over=LARGE)
    case = RefundCase.objects.get()
    refund = desk.give_back(case.pk, by=CHOI, to=account_of_payer())
    gate = threading.Barrier(2)

    def decide(act: Any) -> None:
        gate.wait()
        try:
            act()
        except NotAllowed:
            pass
        finally:
            connection.close()

    acts = [lambda: desk.approve(refund.pk, by=HAN), lambda: desk.refuse(refund.pk, by=BOSS, words="not his")]
    threads = [threading.Thread(target=decide, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sweeps.run("outbox")
    refund.refresh_from_db()
    assert (refund.done_at is None) != (refund.failed_at is None)
    assert len(fake().refunds) == (refund.done_at is not None)
    assert credit_of(attempt) == (LARGE if refund.failed_at else 0)
    assert books.trial().ok

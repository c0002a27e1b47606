"""Giving money back: whole and part, four eyes, refusals, races, and the desk where people decide."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from django.conf import LazySettings
from django.db import IntegrityError
from tests.planted import ACCOUNTS
from tests.worlds import World, overdue_bill, world

from doenda.access.models import AuditEntry
from doenda.billing import accounts, bills, books, post
from doenda.billing.models import Bill
from doenda.kernel import clock, sweeps
from doenda.kernel.db import atomic
from doenda.kernel.ids import outside
from doenda.payments import attempts, desk, outcomes, providers, refunds
from doenda.payments.models import Attempt, Refund, RefundCase
from doenda.payments.providers.contract import Answer, BackTo, Charge, Moves, Outcome, PayInto, Provider
from doenda.payments.refunds import NotAllowed
from doenda.payments.states import State

CHOI, HAN, BOSS, KIM = "agent:choi", "collections:han", "operator:park", "clerk:kim"
LARGE = 400_000


class Fake(Provider):
    """A provider in whose account money lies or does not, as the test says."""

    name = "deposit"
    merchant = "fake"
    methods: ClassVar = {"deposit": Moves.AT_DEPOSIT}
    exact: ClassVar = False
    source_unknown: ClassVar = frozenset({"deposit"})

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.refunds: list[tuple[str, int, BackTo | None]] = []
        self.says = Outcome.GIVEN_BACK

    def start(self, charge: Charge) -> Answer:
        return Answer(Outcome.NEEDS_DEPOSIT, ref=f"d-{charge.order_id}", pay_into=PayInto("004", "0"))

    def inquire(self, charge: Charge) -> Answer:
        return Answer(Outcome.PENDING)

    def void(self, charge: Charge) -> Answer:
        return Answer(Outcome.GIVEN_BACK)

    def refund(self, charge: Charge, *, amount: int, key: str, reason: str, back_to: BackTo | None = None) -> Answer:
        self.refunds.append((key, amount, back_to))
        return Answer(self.says, "SAID")


@pytest.fixture
def house(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    settings.DOENDA_PROVIDERS = {**settings.DOENDA_PROVIDERS, "deposit": {}}
    monkeypatch.setitem(providers._CLASSES, "deposit", f"{__name__}.Fake")
    providers.get.cache_clear()
    with world() as made:
        yield made
    providers.get.cache_clear()


def fake() -> Any:
    return providers.get("deposit")


def account_of_payer() -> BackTo:
    return BackTo("004", ACCOUNTS[0], "김민수")


def begun(*wanted: Bill) -> Attempt:
    said = attempts.start(
        wanted[0].account_id,
        [(bill.pk, bill.remaining) for bill in wanted],
        channel="web",
        method="deposit",
        provider="deposit",
        return_url="",
        lang="ko",
    )
    return Attempt.objects.get(pk=str(said.attempt_id))


def arrives(attempt: Attempt, amount: int) -> Attempt:
    """The bank says that so much has come into the account."""
    said = Answer(
        Outcome.PAID,
        "DONE",
        ref=attempt.provider_ref or "",
        order_id=outside(attempt.pk),
        amount=amount,
        currency="KRW",
        merchant="fake",
    )
    outcomes.apply(attempt, said, "deposit")
    return Attempt.objects.get(pk=attempt.pk)


def goes_again(attempt: Attempt) -> Attempt:
    """The bank takes it out again."""
    outcomes.apply(attempt, Answer(Outcome.NEEDS_DEPOSIT, "WAITING"), "deposit")
    return Attempt.objects.get(pk=attempt.pk)


def paid(amount: int = 52_300, *, over: int = 0, number: str = "B-1") -> Attempt:
    bill = overdue_bill(amount, number=number)
    return arrives(begun(bill), amount + over)


def asked(attempt: Attempt, reason: str = "moved away", by: str = CHOI) -> Refund:
    with atomic():
        accounts.lock(attempt.account_id)
        return refunds.ask(attempt, reason, by=by)


def credit_of(attempt: Attempt) -> int:
    return books.credit(attempt.account_id)


# Whole payments


def test_a_whole_payment_goes_back_and_its_bill_is_owed_again(db: None, house: World) -> None:
    attempt = paid()
    refund = asked(attempt)
    sweeps.run("outbox")
    attempt.refresh_from_db()
    refund.refresh_from_db()
    assert attempt.state == State.REVERSED
    assert refund.done_at is not None
    assert Bill.objects.get().remaining == 52_300
    assert fake().refunds == [(f"refund-{refund.pk}", 52_300, None)]
    assert books.trial().ok


def test_the_same_reason_again_is_the_same_refund_under_the_same_key(
    db: None, house: World, noon: clock.Frozen
) -> None:
    attempt = paid()
    fake().says = Outcome.UNKNOWN
    assert asked(attempt).pk == asked(attempt).pk
    for _ in range(4):
        sweeps.run("outbox")
        noon.advance(timedelta(minutes=2))
    fake().says = Outcome.GIVEN_BACK
    sweeps.run("outbox")
    assert len(fake().refunds) > 2
    assert len({key for key, _, _ in fake().refunds}) == 1
    assert Attempt.objects.get().state == State.REVERSED


def test_a_refund_that_nobody_confirms_for_a_day_gets_a_person(db: None, house: World, noon: clock.Frozen) -> None:
    attempt = paid()
    fake().says = Outcome.UNKNOWN
    asked(attempt)
    noon.advance(timedelta(hours=25))
    sweeps.run("stuck refunds")
    (item,) = desk.waiting("attention")["attention"]
    assert item.id == attempt.pk
    assert "REFUND_NOT_CONFIRMED" in item.words


def test_a_whole_refund_that_is_refused_leaves_the_payment_and_gets_a_person(db: None, house: World) -> None:
    attempt = paid()
    fake().says = Outcome.REFUSED
    asked(attempt)
    sweeps.run("outbox")
    assert Attempt.objects.get().state == State.PAID
    assert Bill.objects.get().remaining == 0
    (item,) = desk.waiting("attention")["attention"]
    with pytest.raises(NotAllowed):
        desk.seen_to(item.id, by=KIM, words="sent by hand")
    with pytest.raises(NotAllowed, match="what was done"):
        desk.seen_to(item.id, by=CHOI, words="")
    desk.seen_to(item.id, by=CHOI, words="called the customer")
    assert not desk.waiting("attention")["attention"]
    assert AuditEntry.objects.filter(action="attempt seen to", actor=CHOI).exists()


# Four eyes


def test_a_large_refund_waits_for_somebody_else_than_who_asked(db: None, house: World) -> None:
    refund = asked(paid(LARGE), by=BOSS)
    sweeps.run("outbox")
    assert not fake().refunds
    assert [each.id for each in desk.waiting("approvals")["approvals"]] == [refund.pk]
    for nobody in (BOSS, CHOI, KIM, "", "system"):
        with pytest.raises(NotAllowed):
            desk.approve(refund.pk, by=nobody)
    assert desk.approve(refund.pk, by=HAN).approved_by == HAN
    with pytest.raises(NotAllowed, match="nothing waits"):
        desk.approve(refund.pk, by="operator:another")
    sweeps.run("outbox")
    assert len(fake().refunds) == 1
    assert AuditEntry.objects.filter(action="refund approved", actor=HAN).exists()


@pytest.mark.parametrize("amount", [300_000, 300_001])
def test_the_limit_is_the_policys(db: None, house: World, amount: int) -> None:
    assert asked(paid(amount)).needs_two == (amount > 300_000)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"approved_by": CHOI}, "refund_maker_not_checker"),
        ({"done_at": "now"}, "refund_four_eyes"),
        ({"done_at": "now", "failed_at": "now", "approved_by": HAN}, "refund_done_or_failed"),
        ({"amount": 0}, "refund_amount"),
    ],
)
def test_the_database_holds_a_refund_to_it(db: None, house: World, changes: dict[str, Any], name: str) -> None:
    refund = asked(paid(LARGE))
    values = {key: clock.now() if value == "now" else value for key, value in changes.items()}
    with pytest.raises(IntegrityError, match=name), atomic():
        Refund.objects.filter(pk=refund.pk).update(**values)


# What was paid too much


def test_what_was_overpaid_is_set_aside_when_decided_and_goes_to_the_payers_account(db: None, house: World) -> None:
    attempt = paid(over=7_700)
    assert credit_of(attempt) == 7_700
    (item,) = desk.waiting("cases")["cases"]
    assert (item.amount, item.owner) == (7_700, "desk")
    refund = desk.give_back(item.id, by=CHOI, to=account_of_payer())
    assert credit_of(attempt) == 0
    assert not desk.waiting("cases")["cases"]
    with pytest.raises(NotAllowed, match="on its way"):
        desk.give_back(item.id, by=CHOI, to=account_of_payer())
    sweeps.run("outbox")
    assert fake().refunds == [(f"refund-{refund.pk}", 7_700, account_of_payer())]
    attempt.refresh_from_db()
    assert (attempt.state, attempt.given_back) == (State.PAID, 7_700)
    assert RefundCase.objects.get().outcome == "refunded"
    assert Bill.objects.get().remaining == 0
    assert books.trial().ok


def test_a_refund_of_credit_that_fails_restores_it_and_may_be_tried_otherwise(db: None, house: World) -> None:
    attempt = paid(over=7_700)
    case = RefundCase.objects.get()
    fake().says = Outcome.REFUSED
    first = desk.give_back(case.pk, by=CHOI, to=account_of_payer())
    sweeps.run("outbox")
    assert credit_of(attempt) == 7_700
    (item,) = desk.waiting("cases")["cases"]
    assert "refused: SAID" in item.words
    fake().says = Outcome.GIVEN_BACK
    second = desk.give_back(case.pk, by=HAN, to=replace(account_of_payer(), number=ACCOUNTS[1]))
    assert second.pk != first.pk
    sweeps.run("outbox")
    assert credit_of(attempt) == 0
    assert [key for key, _, _ in fake().refunds] == [f"refund-{first.pk}", f"refund-{second.pk}"]
    assert RefundCase.objects.get().closed_at is not None
    assert books.trial().ok


def test_a_refused_refund_is_credit_again_and_its_case_the_desks(db: None, house: World) -> None:
    attempt = paid(over=LARGE)
    refund = desk.give_back(RefundCase.objects.get().pk, by=CHOI, to=account_of_payer())
    assert credit_of(attempt) == 0
    with pytest.raises(NotAllowed, match="say why"):
        desk.refuse(refund.pk, by=HAN, words=" ")
    with pytest.raises(NotAllowed, match="may not"):
        desk.refuse(refund.pk, by=KIM, words="no")
    desk.refuse(refund.pk, by=HAN, words="the account is somebody else's")
    assert credit_of(attempt) == LARGE
    assert [each.id for each in desk.waiting("cases")["cases"]] == [RefundCase.objects.get().pk]
    with pytest.raises(NotAllowed, match="nothing waits"):
        desk.approve(refund.pk, by=BOSS)
    with pytest.raises(NotAllowed, match="nothing waits"):
        desk.refuse(refund.pk, by=BOSS, words="x")
    sweeps.run("outbox")
    assert not fake().refunds
    assert books.trial().ok


def test_whoever_asked_may_withdraw_but_not_approve(db: None, house: World) -> None:
    paid(over=LARGE)
    refund = desk.give_back(RefundCase.objects.get().pk, by=BOSS, to=account_of_payer())
    with pytest.raises(NotAllowed, match="somebody else"):
        desk.approve(refund.pk, by=BOSS)
    desk.refuse(refund.pk, by=BOSS, words="a wrong number")


def use_the_credit(attempt: Attempt, amount: int) -> None:
    use_the_credit_of(attempt, amount)


def use_the_credit_of(owner: Attempt | Bill, amount: int) -> None:
    """The owner's next bill, paid by its credit as far as that goes."""
    with atomic():
        account = accounts.lock(owner.account_id)
        today = clock.today()
        bills.issue(
            account,
            "B-next",
            [bills.Item("service", amount)],
            due_date=today,
            bill_date=today,
            period=(today, today),
        )
        post.use_credit(account)


def test_credit_that_paid_another_bill_before_it_was_decided_is_not_given_back_as_well(db: None, house: World) -> None:
    attempt = paid(over=7_700)
    use_the_credit(attempt, 7_700)
    case = RefundCase.objects.get()
    with pytest.raises(NotAllowed, match="other bills"):
        desk.give_back(case.pk, by=CHOI, to=account_of_payer())
    case.refresh_from_db()
    assert case.outcome == "used"
    assert not desk.waiting("cases")["cases"]
    assert not Refund.objects.exists()


def test_a_deposit_that_arrives_while_a_refund_is_on_its_way_is_kept_apart(db: None, house: World) -> None:
    """The payment of one channel goes back; a deposit for the same bill comes in before the refund is done."""
    bill = overdue_bill()
    first, second = begun(bill), begun(bill)
    first = arrives(first, 52_300)
    refund = asked(first)
    second = arrives(Attempt.objects.get(pk=second.pk), 52_300)
    assert second.state == State.PAID
    assert credit_of(first) == 52_300
    sweeps.run("outbox")
    refund.refresh_from_db()
    assert refund.done_at is not None
    stands = {each.name: each.amount for each in books.balances()}
    assert stands["clearing:deposit"] == 52_300
    assert books.trial().ok


def test_a_second_deposit_into_the_same_account_after_a_refund_is_a_payment_of_its_own(db: None, house: World) -> None:
    attempt = goes_again(paid())
    assert attempt.state == State.NEEDS_DEPOSIT
    assert Bill.objects.get().remaining == 52_300
    attempt = arrives(attempt, 52_300)
    asked(attempt)
    sweeps.run("outbox")
    assert Attempt.objects.get().state == State.REVERSED
    assert books.trial().ok


@pytest.mark.parametrize(
    "back",
    [
        BackTo("", ACCOUNTS[0], "김민수"),
        BackTo("004", "", "김민수"),
        BackTo("004", "11a", "김민수"),
        BackTo("004", "1", ""),
    ],
)
def test_an_account_needs_a_bank_a_number_and_a_holder(db: None, house: World, back: BackTo) -> None:
    paid(over=7_700)
    with pytest.raises(NotAllowed, match="an account has"):
        desk.give_back(RefundCase.objects.get().pk, by=CHOI, to=back)

"""The drawer and four eyes: floats, blind counts, skims, voids and refunds that are handed out at a till."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import IntegrityError
from tests.worlds import World, overdue_bill, world

from doenda.access.models import AuditEntry, Role, User
from doenda.billing import accounts, books
from doenda.billing.models import Account, Bill
from doenda.kernel import clock, sweeps
from doenda.kernel.db import atomic
from doenda.payments import providers, refunds, staff
from doenda.payments.counter import payouts, receipts, shifts, till
from doenda.payments.counter.models import DrawerMove, Payout, Receipt, Shift
from doenda.payments.models import Attempt, Refund
from doenda.payments.moves import charge_of
from doenda.payments.providers.contract import BackTo, Outcome
from doenda.payments.staff import NotAllowed
from doenda.payments.states import State

KIM, LEE, BOSS = "clerk:kim", "clerk:lee", "operator:park"


@pytest.fixture
def shop(settings: LazySettings) -> Iterator[World]:
    settings.DOENDA_PROVIDERS = {**settings.DOENDA_PROVIDERS, "counter": {}}
    providers.get.cache_clear()
    with world() as made:
        yield made
    providers.get.cache_clear()


@pytest.fixture
def shift(db: None, shop: World) -> Shift:
    return opened()


def opened(clerk: str = KIM, till_name: str = "1", float_amount: int = 100_000) -> Shift:
    store = shifts.open_store("S1", "강남점", by=BOSS)
    return shifts.open_shift(store.pk, till_name, clerk=clerk, float_amount=float_amount)


def paid(shift: Shift, amount: int = 52_300, method: Any = "cash", press: str = "p1", number: str = "B-1") -> Receipt:
    bill = overdue_bill(amount, number=number, phone=f"+82100000{number[2:]:0>4}")
    pressed = till.Pressed(
        shift.pk, shift.clerk, press, method, amount, amount, approval="30012345" if method == "card" else ""
    )
    assert till.take(pressed, account_id=bill.account_id, bills=[(bill.pk, amount)]).outcome == "taken"
    return Receipt.objects.get(taking__press=press)


def refund_asked(receipt: Receipt, by: str = "agent:choi") -> Refund:
    with atomic():
        accounts.lock(receipt.attempt.account_id)
        refund = refunds.ask(Attempt.objects.get(pk=receipt.attempt_id), "moved away", by=by)
    sweeps.run("outbox")
    return refund


def test_only_one_shift_a_till_and_a_clerk(shift: Shift) -> None:
    for clerk, name in ((LEE, "1"), (KIM, "2")):
        with pytest.raises(NotAllowed, match="open shift"):
            opened(clerk, name)
    assert opened(LEE, "2").pk != shift.pk


def test_the_count_is_blind_and_stands(shift: Shift) -> None:
    paid(shift)
    said = shifts.count(shift.pk, 152_300, clerk=KIM)
    assert (said.expected, said.difference, said.needs_two) == (152_300, 0, False)
    assert shifts.count(shift.pk, 1, clerk=KIM) == said
    assert shifts.close(shift.pk, by=KIM).closed_at is not None
    assert opened().pk != shift.pk


def test_a_shift_is_counted_before_it_is_closed(shift: Shift) -> None:
    with pytest.raises(NotAllowed, match="count"):
        shifts.close(shift.pk, by=KIM)
    with pytest.raises(IntegrityError, match="shift_counted_before_closed"), atomic():
        Shift.objects.filter(pk=shift.pk).update(closed_at=clock.now())


def test_a_drawer_that_differs_needs_a_second_person_who_says_why(shift: Shift) -> None:
    assert shifts.count(shift.pk, 98_000, clerk=KIM).needs_two
    with pytest.raises(NotAllowed, match="second person"):
        shifts.close(shift.pk, by=KIM, reason="?")
    with pytest.raises(NotAllowed, match="say why"):
        shifts.close(shift.pk, by=BOSS)
    with pytest.raises(NotAllowed, match="may not"):
        shifts.close(shift.pk, by="agent:choi", reason="?")
    closed = shifts.close(shift.pk, by=BOSS, reason="a note stuck to another")
    assert (closed.difference, closed.second) == (-2_000, BOSS)
    assert AuditEntry.objects.filter(action="shift closed", actor=BOSS).exists()


def test_a_small_difference_is_stored_and_needs_nobody(shift: Shift) -> None:
    assert not shifts.count(shift.pk, 99_500, clerk=KIM).needs_two
    assert shifts.close(shift.pk, by=KIM).difference == -500


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"second": KIM}, "shift_maker_not_checker"),
        (
            {"needs_two": True, "counted": 0, "expected": 0, "difference": 0, "counted_at": 1, "closed_at": 1},
            "shift_four_eyes",
        ),
        ({"counted": 5, "expected": 7, "difference": 0, "counted_at": 1}, "shift_difference"),
        ({"counted": 5}, "shift_difference"),
    ],
)
def test_the_database_holds_a_shift_to_it(shift: Shift, changes: dict[str, Any], name: str) -> None:
    changes = {key: clock.now() if key.endswith("_at") else value for key, value in changes.items()}
    with pytest.raises(IntegrityError, match=name), atomic():
        Shift.objects.filter(pk=shift.pk).update(**changes)


def test_cash_is_skimmed_once_a_press_and_never_more_than_there_is(shift: Shift) -> None:
    shifts.move_cash(shift.pk, -60_000, "to the safe", clerk=KIM, press="m1")
    shifts.move_cash(shift.pk, -60_000, "to the safe", clerk=KIM, press="m1")
    assert shifts.expected(shift) == 40_000
    with pytest.raises(NotAllowed, match="not so much"):
        shifts.move_cash(shift.pk, -60_000, "to the safe", clerk=KIM, press="m2")
    with pytest.raises(ValueError, match="why"):
        shifts.move_cash(shift.pk, 10_000, " ", clerk=KIM, press="m3")
    shifts.move_cash(shift.pk, 20_000, "change", clerk=KIM, press="m4")
    assert shifts.expected(shift) == 60_000


def test_a_large_skim_needs_two(shift: Shift) -> None:
    with pytest.raises(NotAllowed):
        shifts.move_cash(shift.pk, 400_000, "change", clerk=KIM, press="m1")
    with pytest.raises(NotAllowed, match="second person"):
        shifts.move_cash(shift.pk, 400_000, "change", clerk=KIM, press="m1", second=KIM)
    assert shifts.move_cash(shift.pk, 400_000, "change", clerk=KIM, press="m1", second=LEE).needs_two
    for changes, name in (({"second": KIM}, "drawer_maker_not_checker"), ({"second": ""}, "drawer_four_eyes")):
        with pytest.raises(IntegrityError, match=name), atomic():
            DrawerMove.objects.update(**changes)


def test_a_voided_receipt_keeps_its_number_and_the_bill_is_owed_again(shift: Shift) -> None:
    receipt = paid(shift)
    with pytest.raises(NotAllowed, match="second person"):
        receipts.void(receipt.pk, by=KIM, second=KIM, reason="wrong customer")
    with pytest.raises(NotAllowed, match="say why"):
        receipts.void(receipt.pk, by=KIM, second=LEE, reason=" ")
    with pytest.raises(NotAllowed, match="another clerk"):
        receipts.void(receipt.pk, by=LEE, second=KIM, reason="wrong customer")
    voided = receipts.void(receipt.pk, by=KIM, second=LEE, reason="wrong customer")
    assert receipts.void(receipt.pk, by=KIM, second=LEE, reason="again").voided_at == voided.voided_at
    assert voided.number == receipt.number
    assert shifts.expected(shift) == 100_000
    assert Attempt.objects.get().state == State.REVERSED
    bill = Bill.objects.get()
    assert (bill.state, bill.remaining) == ("open", 52_300)
    assert books.trial().ok
    assert providers.get("counter").inquire(charge_of(Attempt.objects.get())).outcome is Outcome.GIVEN_BACK
    assert paid(shift, press="p2", number="B-2").number == receipt.number + 1


def test_what_was_given_back_in_a_void_is_not_refunded_again(shift: Shift) -> None:
    receipt = paid(shift)
    receipts.void(receipt.pk, by=KIM, second=LEE, reason="wrong customer")
    said = providers.get("counter").refund(charge_of(receipt.attempt), amount=1, key="k", reason="r")
    assert (said.outcome, said.code) == (Outcome.REFUSED, "VOIDED")


def test_a_receipt_is_voided_only_in_its_own_open_shift(shift: Shift) -> None:
    receipt = paid(shift)
    shifts.count(shift.pk, 152_300, clerk=KIM)
    with pytest.raises(NotAllowed, match="closed"):
        receipts.void(receipt.pk, by=KIM, second=LEE, reason="wrong customer")


def test_a_void_at_the_terminal_has_an_approval_of_its_own(shift: Shift) -> None:
    receipt = paid(shift, method="card")
    with pytest.raises(ValueError, match="approval"):
        receipts.void(receipt.pk, by=KIM, second=LEE, reason="wrong customer")
    voided = receipts.void(receipt.pk, by=KIM, second=LEE, reason="wrong customer", approval="30099999")
    assert voided.void_approval == "30099999"


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"voided_at": 1}, "receipt_void_four_eyes"),
        ({"voided_at": 1, "voided_by": KIM, "void_second": KIM, "void_reason": "x"}, "receipt_void_four_eyes"),
        ({"voided_at": 1, "voided_by": KIM, "void_second": LEE}, "receipt_void_four_eyes"),
        ({"second": KIM}, "receipt_maker_not_checker"),
        ({"needs_two": True}, "receipt_four_eyes"),
        ({"change": 1}, "receipt_change"),
        ({"approval": "30012345"}, "receipt_approval"),
        ({"kind": "given_back"}, "receipt_kind"),
    ],
)
def test_the_database_holds_a_receipt_to_it(shift: Shift, changes: dict[str, Any], name: str) -> None:
    paid(shift)
    changes = {key: clock.now() if key.endswith("_at") else value for key, value in changes.items()}
    with pytest.raises(IntegrityError, match=name), atomic():
        Receipt.objects.update(**changes)


def test_a_refund_waits_until_a_clerk_hands_it_out(shift: Shift, noon: clock.Frozen) -> None:
    receipt = paid(shift)
    refund = refund_asked(receipt)
    (waits,) = payouts.waiting()
    assert (waits.amount, waits.key) == (52_300, f"refund-{refund.pk}")
    noon.advance(timedelta(minutes=5))
    sweeps.run("outbox")
    assert Attempt.objects.get().state == State.PAID
    handed = payouts.pay_out(waits.pk, shift.pk, clerk=KIM)
    assert payouts.pay_out(waits.pk, shift.pk, clerk=KIM) == handed
    assert shifts.expected(shift) == 100_000
    sweeps.run("outbox")
    assert Attempt.objects.get().state == State.REVERSED
    assert Refund.objects.get().done_at is not None
    assert Bill.objects.get().remaining == 52_300
    assert books.trial().ok


def test_a_refund_from_an_empty_drawer_is_not_handed_out(shift: Shift, noon: clock.Frozen) -> None:
    refund_asked(paid(shift))
    (waits,) = payouts.waiting()
    shifts.move_cash(shift.pk, -140_000, "to the safe", clerk=KIM, press="m1")
    with pytest.raises(NotAllowed, match="not so much"):
        payouts.pay_out(waits.pk, shift.pk, clerk=KIM)
    with pytest.raises(NotAllowed, match="another clerk"):
        payouts.pay_out(waits.pk, shift.pk, clerk=LEE)


def test_a_large_refund_is_handed_out_by_two(shift: Shift, noon: clock.Frozen) -> None:
    refund = refund_asked(paid(shift, 400_000))
    assert not payouts.waiting()
    refunds.approve(refund.pk, by=BOSS)
    sweeps.run("outbox")
    (waits,) = payouts.waiting()
    with pytest.raises(NotAllowed):
        payouts.pay_out(waits.pk, shift.pk, clerk=KIM)
    assert payouts.pay_out(waits.pk, shift.pk, clerk=KIM, second=LEE).needs_two


def test_a_card_goes_back_by_the_terminal(shift: Shift, noon: clock.Frozen) -> None:
    refund_asked(paid(shift, method="card"))
    (waits,) = payouts.waiting()
    with pytest.raises(ValueError, match="approval"):
        payouts.pay_out(waits.pk, shift.pk, clerk=KIM)
    made = payouts.pay_out(waits.pk, shift.pk, clerk=KIM, approval="30077777")
    assert (made.method, made.kind) == ("card", "given_back")
    assert shifts.expected(shift) == 100_000


def test_a_withdrawn_refund_fails_and_is_a_persons(shift: Shift, noon: clock.Frozen) -> None:
    refund_asked(paid(shift))
    (waits,) = payouts.waiting()
    with pytest.raises(NotAllowed):
        payouts.withdraw(waits.pk, by=KIM)
    payouts.withdraw(waits.pk, by=BOSS)
    with pytest.raises(NotAllowed, match="withdrawn"):
        payouts.pay_out(waits.pk, shift.pk, clerk=KIM)
    noon.advance(timedelta(minutes=11))
    sweeps.run("outbox")
    assert Refund.objects.get().failed_at is not None
    assert Attempt.objects.get().person_owns_at is not None


def test_the_same_key_is_one_payout_and_never_more_goes_back_than_came(shift: Shift) -> None:
    receipt, terms = paid(shift), providers.get("counter")
    charge = charge_of(receipt.attempt)
    said = [terms.refund(charge, amount=30_000, key="k", reason="r") for _ in range(3)]
    assert {each.outcome for each in said} == {Outcome.PENDING}
    assert Payout.objects.count() == 1
    assert terms.refund(charge, amount=20_000, key="k", reason="r").code == "KEY_OF_ANOTHER"
    assert terms.refund(charge, amount=30_000, key="other", reason="r").code == "MORE_THAN_TAKEN"
    account = BackTo("004", "1", "Kim")
    assert terms.refund(charge, amount=1, key="x", reason="r", back_to=account).outcome is Outcome.REFUSED


def test_a_probes_cash_goes_back_by_itself_into_the_same_drawer(shift: Shift, noon: clock.Frozen) -> None:
    bill = overdue_bill()
    with atomic():
        Account.objects.filter(pk=bill.account_id).update(probe=True)
    till.take(
        till.Pressed(shift.pk, KIM, "p", "cash", 52_300, 52_300),
        account_id=bill.account_id,
        bills=[(bill.pk, 52_300)],
    )
    sweeps.run("outbox")
    assert Attempt.objects.get().state == State.REVERSED
    assert shifts.expected(shift) == 100_000


def test_who_may_do_what_follows_the_role_of_a_user_who_is_still_there(db: None) -> None:
    with atomic():
        user = User.objects.create(username="kim", role=Role.CLERK)
    assert staff.may(f"user:{user.pk}", "take")
    assert not staff.may(f"user:{user.pk}", "approve")
    with atomic():
        User.objects.filter(pk=user.pk).update(is_active=False)
    assert not staff.may(f"user:{user.pk}", "take")
    for stranger in ("", "kim", "user:", "user:1", "clerk:", "system", "nobody:kim", "clerk:" + "k" * 90):
        assert not staff.may(stranger, "take")

"""What becomes of it in the house: attempt, ledger and the peer's books, to the won."""

from collections.abc import Callable

from doenda.app.conformance.house import AMOUNT, House
from doenda.billing.models import Bill
from doenda.payments import charge
from doenda.payments.models import Attempt, RefundCase
from doenda.payments.states import IN_FLIGHT, OVER, State


def _state(house: House, attempt: Attempt, *wanted: State) -> Attempt:
    now = house.look(attempt)
    assert now.state in wanted, f"the attempt is {now.state} ({now.reason}), not {' or '.join(wanted)}"
    return now


def _owed(bill: Bill, remaining: int) -> None:
    now = Bill.objects.get(pk=bill.pk)
    assert now.remaining == remaining, f"{now.remaining} of the bill remain, not {remaining}"


def _approved(house: House) -> tuple[Bill, Attempt, str]:
    """A customer who is back from the provider and says yes; what the page then says."""
    bill = house.bill()
    attempt = house.start(bill)
    return bill, attempt, house.back(attempt, house.driver.approve(house.begun(attempt)))


def _paid(house: House) -> tuple[Bill, Attempt]:
    bill = house.bill()
    return bill, house.pay(bill)


def paid(house: House) -> None:
    bill, attempt = _paid(house)
    _owed(bill, 0)
    house.agree(bill.account_id, AMOUNT)
    again = charge.confirm(attempt.pk, order_id="x", ref="x", amount="x")
    assert again.outcome == "paid", f"the same return again is told {again.outcome}"
    house.pass_time(60)
    house.agree(bill.account_id, AMOUNT)


def refused(house: House) -> None:
    house.driver.will_refuse()
    if not house.driver.method:
        _refused_debit(house)
        return
    bill, attempt, said = _approved(house)
    assert said in {"refused", "failed", "unknown"}, f"the page says {said}"
    house.driver.heal()
    if said != "failed":
        house.pass_time(10)
        _state(house, attempt, State.REFUSED)
    assert house.look(attempt).state not in IN_FLIGHT, "no second try is possible"
    _owed(bill, AMOUNT)
    other = house.start(Bill.objects.get(pk=bill.pk))
    assert house.back(other, house.driver.approve(house.begun(other))) == "paid", "the second try was not taken"
    house.agree(bill.account_id, AMOUNT)


def _refused_debit(house: House) -> None:
    """The commonest way: there is not enough on the account. Nobody is told anything else, and the bill is owed."""
    bill = house.bill()
    mandate = house.driver.mandate(bill.account_id)
    attempt = house.start(bill, method=house.driver.debit_method, mandate_id=mandate)
    house.driver.settle_debit(house.begun(attempt).order_id)
    house.tick()
    _state(house, attempt, State.REFUSED)
    _owed(bill, AMOUNT)
    house.agree(bill.account_id, 0)


def redirect(house: House) -> None:
    """The customer never comes back: the attempt ends by itself, and nothing was taken."""
    bill = house.bill()
    attempt = house.start(bill)
    _state(house, attempt, State.NEEDS_REDIRECT, State.AT_PROVIDER)
    house.driver.cancel(house.begun(attempt))
    house.pass_time(house.terms.redirect_life.total_seconds() + 900)
    now = house.look(attempt)
    assert now.state in OVER, f"the attempt is still {now.state}"
    house.agree(bill.account_id, 0)


def unreached(house: House) -> None:
    if not house.driver.method:
        _told_late(house, "unreached")
        return
    bill = house.bill()
    attempt = house.start(bill)
    query = house.driver.approve(house.begun(attempt))
    house.driver.line.breaks("unreached", house.driver.moves_money)
    said = house.back(attempt, query)
    house.driver.heal()
    assert said == "our_fault", f"the page says {said}, though nobody was reached"
    house.agree(bill.account_id, 0)


def lost(fault: str) -> Callable[[House], None]:
    """Unknown to everybody; found to be nothing, and only then may the customer pay again."""

    def check(house: House) -> None:
        if not house.driver.method:
            _told_late(house, fault)
            return
        bill = house.bill()
        attempt = house.start(bill)
        query = house.driver.approve(house.begun(attempt))
        house.driver.fault(fault)
        said = house.back(attempt, query)
        assert said == "unknown", f"the page says {said}"
        _state(house, attempt, State.UNKNOWN)
        _busy(house, bill)
        house.driver.heal()
        house.pass_time(house.terms.longest.total_seconds() + 900)
        over = "expires by itself" not in house.driver.peculiar or house.driver.place.inside
        _state(house, attempt, State.REFUSED if over else State.UNKNOWN)
        _owed(bill, AMOUNT)
        house.agree(bill.account_id, 0)

    return check


def _busy(house: House, bill: Bill) -> None:
    """While nobody knows, no second charge is begun for the bill."""
    try:
        other = house.start(bill)
    except AssertionError:
        return
    assert other.pk in {one.pk for one in Attempt.objects.filter(account=bill.account_id, in_flight=True)}, (
        "a second charge was begun while the first is unknown"
    )


def taken_unseen(fault: str) -> Callable[[House], None]:
    """The money moved and the answer was lost: it is found and booked once, without its webhook."""

    def check(house: House) -> None:
        if not house.driver.method:
            _told_late(house, fault)
            return
        bill = house.bill()
        attempt = house.start(bill)
        query = house.driver.approve(house.begun(attempt))
        house.driver.fault(fault)
        said = house.back(attempt, query)
        assert said == "unknown", f"the page says {said}"
        _busy(house, bill)
        house.driver.heal()
        house.pass_time(30)
        _state(house, attempt, State.PAID)
        _owed(bill, 0)
        house.agree(bill.account_id, AMOUNT)

    return check


def _told_late(house: House, fault: str) -> None:
    """No request of ours takes this money. What can be lost is our file on its way to the bank, or the bank's list of
    what has arrived: nothing is concluded from that, and once it comes through it is booked once."""
    bill = house.bill()
    driver = house.driver
    if driver.debit_method:
        mandate = driver.mandate(bill.account_id)
        attempt = house.start(bill, method=driver.debit_method, mandate_id=mandate)
        driver.fault(fault)
        driver.file_out(house.begun(attempt).order_id)
        _state(house, attempt, State.INSTRUCTED)
        driver.heal()
        driver.release()
        house.pass_time(120)
        driver.settle_debit(house.begun(attempt).order_id)
    else:
        attempt = house.start(bill, method=driver.deposit_method)
        driver.fault(fault)
        driver.deposit(house.paid_into(attempt), AMOUNT)
        house.hear(attempt)
        _state(house, attempt, State.NEEDS_DEPOSIT)
        house.agree_ours(bill.account_id, 0)
        driver.heal()
        driver.release()
    house.pass_time(120)
    _state(house, attempt, State.PAID)
    _owed(bill, 0)
    house.agree(bill.account_id, AMOUNT)


def hidden(house: House) -> None:
    if not house.driver.method:
        _told_late(house, "hidden")
        return
    bill = house.bill()
    attempt = house.start(bill)
    query = house.driver.approve(house.begun(attempt))
    house.driver.fault("hidden")
    assert house.back(attempt, query) == "unknown"
    house.tick()
    _state(house, attempt, State.UNKNOWN)
    house.driver.heal()
    house.driver.release()
    house.pass_time(60)
    _state(house, attempt, State.PAID)
    house.agree(bill.account_id, AMOUNT)


def deposit(house: House) -> None:
    bill = house.bill()
    attempt = house.start(bill, method=house.driver.deposit_method)
    _state(house, attempt, State.NEEDS_DEPOSIT)
    house.driver.deposit(house.paid_into(attempt), AMOUNT)
    house.hear(attempt)
    _state(house, attempt, State.PAID)
    _owed(bill, 0)
    house.agree(bill.account_id, AMOUNT)


def late_deposit(house: House) -> None:
    """Something else has paid: the account is closed, and money that arrives all the same is credit with a case."""
    bill = house.bill()
    waiting = house.start(bill, method=house.driver.deposit_method)
    house.pay(bill)
    house.pass_time(30)
    _state(house, waiting, State.CLOSED)
    _owed(bill, 0)
    try:
        house.driver.deposit(house.paid_into(waiting), AMOUNT)
    except RuntimeError:  # the bank no longer takes money there
        house.agree(bill.account_id, AMOUNT)
        return
    house.hear(waiting)
    cases = RefundCase.objects.filter(account=bill.account_id)
    assert [case.amount for case in cases] == [AMOUNT], "what was paid too much has no case"
    back = sum(case.amount for case in cases if case.outcome == "refunded")
    house.agree(bill.account_id, 2 * AMOUNT - back)


def undone(house: House) -> None:
    """The payer's bank takes it back: the bill is owed again, by nobody's fault."""
    bill = house.bill()
    deposited = house.driver.deposit_method
    if deposited:
        attempt = house.start(bill, method=deposited)
        house.driver.deposit(house.paid_into(attempt), AMOUNT)
        house.hear(attempt)
        attempt = _state(house, attempt, State.PAID)
    else:
        attempt = house.pay(bill)
    house.driver.undo(house.begun(attempt).order_id, attempt.provider_ref or "")
    house.hear(attempt)
    _state(house, attempt, State.NEEDS_DEPOSIT, State.UNDONE)
    _owed(bill, AMOUNT)
    house.agree(bill.account_id, 0)


def instructed(house: House) -> None:
    bill = house.bill()
    mandate = house.driver.mandate(bill.account_id)
    attempt = house.start(bill, method=house.driver.debit_method, mandate_id=mandate)
    _state(house, attempt, State.INSTRUCTED)
    house.driver.settle_debit(house.begun(attempt).order_id)
    house.tick()
    _state(house, attempt, State.PAID)
    house.agree(bill.account_id, AMOUNT)


def refund_whole(house: House) -> None:
    bill, attempt = _paid(house)
    house.give_back(attempt)
    house.pass_time(30)
    _state(house, attempt, State.REVERSED)
    _owed(bill, AMOUNT)
    house.agree(bill.account_id, 0)


def refund_twice(house: House) -> None:
    """The answer to a refund is lost, and it is sent again: the money goes back once."""
    bill, attempt = _paid(house)
    house.driver.line.breaks("timeout_after", house.driver.gives_back)
    house.give_back(attempt)
    _state(house, attempt, State.PAID)
    house.driver.heal()
    house.pass_time(120)
    _state(house, attempt, State.REVERSED)
    _owed(bill, AMOUNT)
    house.agree(bill.account_id, 0)


def wrong_amount(house: House) -> None:
    """The provider says that it took another amount: nothing is booked, and a person looks."""
    _mismatched(house, str(AMOUNT), str(AMOUNT + 1000))


def wrong_merchant(house: House) -> None:
    if house.driver.method:
        _mismatched(house, house.terms.merchant, "somebody")
        return
    bill = house.bill()
    attempt = house.start(bill, method=house.driver.deposit_method)
    house.driver.line.rewrites(f'"{house.terms.merchant}"', '"somebody"')
    house.driver.deposit(house.paid_into(attempt), AMOUNT)
    house.hear(attempt)
    assert house.posted(bill.account_id) == 0, "another merchant's deposit was booked"
    house.driver.heal()
    house.pass_time(60)
    house.agree(bill.account_id, AMOUNT)


def any_amount(house: House) -> None:
    """A deposit of another amount is booked as what it is: less leaves a rest, more is credit with a case."""
    bill = house.bill()
    attempt = house.start(bill, method=house.driver.deposit_method)
    house.driver.deposit(house.paid_into(attempt), AMOUNT - 1000)
    house.hear(attempt)
    _owed(bill, 1000)
    house.agree(bill.account_id, AMOUNT - 1000)
    bill = house.bill()
    attempt = house.start(bill, method=house.driver.deposit_method)
    house.driver.deposit(house.paid_into(attempt), AMOUNT + 1000)
    house.hear(attempt)
    _owed(bill, 0)
    house.pass_time(60)
    cases = RefundCase.objects.filter(account=bill.account_id)
    assert [case.amount for case in cases] == [1000], "what was paid too much has no case"
    back = sum(case.amount for case in cases if case.outcome == "refunded")
    house.agree(bill.account_id, AMOUNT + 1000 - back)


def _mismatched(house: House, said: str, instead: str) -> None:
    """In the answer to the charge itself (where that names it), and in the answer to the question about it."""
    for fault in ("", "timeout_after"):
        if not fault and "confirm names no amount" in house.driver.peculiar:
            continue
        bill = house.bill()
        attempt = house.start(bill)
        query = house.driver.approve(house.begun(attempt))
        if fault:
            house.driver.fault(fault)
        house.driver.line.rewrites(said, instead)
        assert house.back(attempt, query) != "paid", "the page says paid"
        house.pass_time(30)
        now = house.look(attempt)
        assert now.state != State.PAID, "it was booked"
        assert house.posted(bill.account_id) == 0, "it was booked"
        assert now.person_owns_at is not None, "nobody looks"
        house.driver.heal()


def paid_twice_over(house: House) -> None:
    """Two tries of one bill, and the second is found to have been taken after all: the excess is credit with a case."""
    bill = house.bill()
    first = house.start(bill)
    query = house.driver.approve(house.begun(first))
    second = house.start(bill)
    assert house.back(second, house.driver.approve(house.begun(second))) == "paid"
    assert house.back(first, query) in {"expired", "nothing_due", "paid"}, "a bill that is paid was charged again"
    house.pass_time(30)
    house.agree(bill.account_id, AMOUNT)
    assert not RefundCase.objects.filter(account=bill.account_id).exists(), "nothing was overpaid"

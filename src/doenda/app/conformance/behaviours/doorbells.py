"""What webhooks can do: make the house ask, once, and nothing else. Genuine, repeated, disordered, late and forged."""

from datetime import timedelta

from django.utils.datastructures import CaseInsensitiveMapping

from doenda.app.conformance.house import AMOUNT, House
from doenda.billing.models import Bill
from doenda.kernel import clock
from doenda.payments.models import Attempt
from doenda.payments.states import State
from doenda.sim.line import Bell


def _begun(house: House) -> tuple[Bill, Attempt]:
    bill = house.bill()
    return bill, house.start(bill, method=house.driver.method or house.driver.deposit_method)


def _unseen(house: House) -> tuple[Bill, Attempt, list[Bell]]:
    """Money that moved, and of which nobody has told the house; the webhooks about it."""
    bill, attempt = _begun(house)
    if house.driver.method:
        query = house.driver.approve(house.begun(attempt))
        house.driver.fault("timeout_after")
        assert house.back(attempt, query) == "unknown"
        house.driver.heal()
    else:
        house.driver.deposit(house.paid_into(attempt), AMOUNT)
    bells = house.driver.bells(house.begun(attempt))
    assert bells, "the provider did not ring"
    return bill, attempt, bells


def _received(house: House, bell: Bell) -> None:
    status = house.door(bell)
    assert 200 <= status < 300, f"a genuine webhook was answered {status}: it would be sent again and again"


def duplicate(house: House) -> None:
    bill, attempt, bells = _unseen(house)
    for bell in [*bells, *bells, *bells]:
        _received(house, bell)
        house.tick()
    assert house.look(attempt).state == State.PAID
    if house.driver.signs:  # an id that anybody can write spares no row
        assert all(house.kept(bell.body) == 1 for bell in bells), "a repeated webhook was kept twice"
    house.agree(bill.account_id, AMOUNT)


def reordered(house: House) -> None:
    """The webhook is there before the customer's own return has been answered, and the later ones before the first."""
    bill, attempt, bells = _unseen(house)
    for bell in reversed(bells):
        _received(house, bell)
    house.tick()
    assert house.look(attempt).state == State.PAID
    house.give_back(attempt)
    house.pass_time(30)
    for bell in bells:  # that it was paid is told again after it went back
        house.door(house.driver.signed(bell, bell.body, clock.wall()))
    house.pass_time(30)
    assert house.look(attempt).state == State.REVERSED
    house.agree(bill.account_id, 0)


def late(house: House) -> None:
    """All is known when it rings."""
    bill, attempt, bells = _unseen(house)
    house.pass_time(60)
    assert house.look(attempt).state == State.PAID, "it took the webhook to find the money"
    for bell in bells:
        _received(house, bell)
    house.pass_time(60)
    house.agree(bill.account_id, AMOUNT)


def _unpaid(house: House) -> tuple[Bill, Attempt, Bell]:
    """An attempt that nobody paid, and a webhook that says it was: made of a genuine one about another."""
    _, other, bells = _unseen(house)
    bill, attempt = _begun(house)
    theirs, mine, body = house.begun(other), house.begun(attempt), bells[0].body
    for old, new in ((theirs.order_id, mine.order_id), (theirs.ref, mine.ref), (theirs.number, mine.number)):
        body = body.replace(old.encode(), new.encode()) if old else body
    return bill, attempt, Bell(bells[0].headers, body)


def _nothing_of_it(house: House, bill: Bill, attempt: Attempt, bell: Bell, status: int) -> None:
    house.tick()
    house.pass_time(30)
    assert house.look(attempt).state != State.PAID, "it was believed"
    house.agree(bill.account_id, 0)
    assert house.kept(bell.body) >= 1, "no evidence was kept"
    if house.driver.signs:
        assert 400 <= status < 500, f"a forged webhook was answered {status}"
    else:  # it is only a reason to ask; but one that brings a wrong secret may be told so
        assert 200 <= status < 300 or status == 401, f"an unsigned webhook was answered {status}"


def forged(house: House) -> None:
    """It says "paid" of what is not, with the signature of something else."""
    bill, attempt, bell = _unpaid(house)
    _nothing_of_it(house, bill, attempt, bell, house.door(bell))
    bare = Bell({"content-type": "application/json"}, bell.body)
    _nothing_of_it(house, bill, attempt, bare, house.door(bare))


def changed(house: House) -> None:
    """A genuine webhook whose amount was changed on its way; and one of another amount that is signed all the same."""
    bill, attempt, bell = _unpaid(house)
    more = house.driver.other_amount(bell.body, AMOUNT)
    assert more != bell.body or not house.driver.tells_amount, "the driver changed nothing"
    bent = Bell(bell.headers, more)
    _nothing_of_it(house, bill, attempt, bent, house.door(bent))
    signed = house.driver.signed(bell, more + b" ", clock.wall())
    house.door(signed)
    house.pass_time(30)
    house.agree(bill.account_id, 0)


def of_another(house: House) -> None:
    """Genuinely signed, and about another merchant's payment."""
    bill, attempt, bell = _unpaid(house)
    body = house.driver.other_merchant(bell.body)
    bell = house.driver.signed(bell, body, clock.wall())
    house.door(bell)
    house.pass_time(30)
    assert house.look(attempt).state != State.PAID, "it was believed"
    house.agree(bill.account_id, 0)
    assert house.kept(body) >= 1, "no evidence was kept"


def replayed(house: House) -> None:
    """The same bytes again, after everything is over: at once it is known already, and later its time is over."""
    bill, attempt, bells = _unseen(house)
    for bell in bells:
        _received(house, bell)
    house.tick()
    house.give_back(attempt)
    house.pass_time(30)
    house.agree(bill.account_id, 0)
    for bell in bells:
        _received(house, bell)
        house.pass_time(30)
        house.agree(bill.account_id, 0)
        _grows_old(house, bell)
    assert house.look(attempt).state == State.REVERSED


def _grows_old(house: House, bell: Bell) -> None:
    """The signature that counts now does not count ten minutes later."""
    headers, now = CaseInsensitiveMapping(bell.headers), clock.wall()
    said = [house.terms.ring(headers, bell.body, now + late).genuine for late in (timedelta(0), timedelta(minutes=10))]
    wanted = [True, False] if house.driver.signs else [None, None]
    assert said == wanted, f"a webhook of now and of ten minutes ago: genuine {said}, not {wanted}"

"""What a provider's class must answer, with its peer really there."""

from collections.abc import Callable
from dataclasses import replace

from doenda.app.conformance.house import AMOUNT, RETURN, House
from doenda.kernel.ids import new_id, outside
from doenda.payments.providers.contract import Answer, Charge, Outcome, PayInto
from doenda.sim.driver import Begun

CERTAINLY_NOT = {Outcome.REFUSED, Outcome.OUR_FAULT, Outcome.EXPIRED, Outcome.GIVEN_BACK}
PART = 1_000


def _charge(house: House, method: str = "") -> Charge:
    return Charge(
        order_id=outside(new_id()),
        amount=AMOUNT,
        currency="KRW",
        method=method or house.driver.method,
        name="된다통신 요금",
        return_url=RETURN,
        bank=house.driver.bank,
    )


def _is(answer: Answer, *wanted: Outcome) -> Answer:
    assert answer.outcome in wanted, f"{answer.outcome} ({answer.code}), not {' or '.join(wanted)}"
    return answer


def _names(house: House, charge: Charge, answer: Answer) -> None:
    """Everything that the caller matches stands in the answer."""
    said = (answer.order_id, answer.amount, answer.currency, answer.merchant)
    wanted = (charge.order_id, charge.amount, "KRW", house.terms.merchant)
    assert said == wanted, f"the answer names {said}, not {wanted}"


def _began(house: House) -> tuple[Charge, Begun]:
    charge = _charge(house)
    answer = _is(house.terms.start(charge), Outcome.NEEDS_REDIRECT)
    assert house.driver.taken(charge.order_id, answer.ref) == 0, "money moved at the start"
    charge = replace(charge, ref=answer.ref)
    begun = Begun(charge.order_id, answer.ref, charge.amount, answer.redirect_url, answer.client, RETURN)
    return charge, begun


def _approved(house: House) -> Charge:
    charge, begun = _began(house)
    came = house.terms.returned(house.driver.approve(begun))
    assert not came.failed, f"the payer approved, and came back with {came.failed!r}"
    assert came.order_id in ("", charge.order_id), f"came back with the order {came.order_id}"
    assert came.ref in ("", charge.ref), f"came back with {came.ref}"
    assert came.amount in ("", str(charge.amount)), f"came back with the amount {came.amount}"
    return replace(charge, token=came.token)


def _paid(house: House) -> Charge:
    charge = _approved(house)
    answer = _is(house.terms.confirm(charge, first_try=True), Outcome.PAID)
    return replace(charge, ref=answer.ref or charge.ref)


def _holds(house: House, charge: Charge, amount: int) -> None:
    taken = house.driver.taken(charge.order_id, charge.ref)
    assert taken == amount, f"the peer holds {taken}, not {amount}"


def paid(house: House) -> None:
    charge = _approved(house)
    answer = _is(house.terms.confirm(charge, first_try=True), Outcome.PAID)
    _names(house, charge, answer)
    _names(house, charge, _is(house.terms.inquire(charge), Outcome.PAID))
    again = house.terms.confirm(charge, first_try=False)
    _is(again, Outcome.PAID, Outcome.UNKNOWN)
    _holds(house, charge, AMOUNT)


def refused(house: House) -> None:
    house.driver.will_refuse()
    charge, begun = _began(house)
    came = house.terms.returned(house.driver.approve(begun))
    if came.failed:
        _is(house.terms.inquire(charge), Outcome.REFUSED, Outcome.PENDING)
    else:
        answer = house.terms.confirm(replace(charge, token=came.token), first_try=True)
        _is(answer, Outcome.REFUSED, Outcome.UNKNOWN)
        _is(house.terms.inquire(charge), Outcome.REFUSED)  # who says it in an unclear way says it when asked
    _holds(house, charge, 0)


def redirect(house: House) -> None:
    charge, begun = _began(house)
    script = house.terms.script
    by_address = begun.redirect_url.startswith(("http://", "https://"))
    assert by_address or (script and begun.client), "the payer is sent nowhere"
    came = house.terms.returned(house.driver.cancel(begun))
    assert came.failed or came.cancelled, "the payer turned back, and the words do not say so"
    _is(house.terms.inquire(charge), Outcome.PENDING, Outcome.REFUSED, Outcome.NOT_FOUND)
    void = house.terms.void(charge)
    assert void.outcome not in {Outcome.PAID, Outcome.UNDONE}, f"the void says {void}"
    if void.outcome is Outcome.GIVEN_BACK:
        _is(house.terms.inquire(charge), Outcome.GIVEN_BACK, Outcome.REFUSED, Outcome.NOT_FOUND)
    _holds(house, charge, 0)


def unreached(house: House) -> None:
    charge = _approved(house)
    house.driver.line.breaks("unreached", house.driver.moves_money)
    _is(house.terms.confirm(charge, first_try=True), Outcome.OUR_FAULT)
    _is(house.terms.confirm(charge, first_try=False), Outcome.UNKNOWN)
    house.driver.line.breaks("unreached", lambda request: True)
    _is(house.terms.start(_charge(house)), Outcome.OUR_FAULT)
    _is(house.terms.inquire(charge), Outcome.UNKNOWN)
    _is(house.terms.refund(charge, amount=PART, key="refund-unreached-000", reason="drill"), Outcome.UNKNOWN)
    house.driver.heal()
    _holds(house, charge, 0)


def lost(fault: str) -> Callable[[House], None]:
    """The request for the money never arrived, and nobody can tell."""

    def check(house: House) -> None:
        charge = _approved(house)
        house.driver.fault(fault)
        _is(house.terms.confirm(charge, first_try=True), Outcome.UNKNOWN)
        house.driver.heal()
        _holds(house, charge, 0)
        _is(house.terms.inquire(charge), Outcome.PENDING, Outcome.NOT_FOUND)
        voided = _is(house.terms.void(charge), Outcome.GIVEN_BACK, Outcome.NOT_FOUND, Outcome.PENDING)
        if voided.outcome is not Outcome.GIVEN_BACK:
            return  # nothing is acknowledged, so nothing is concluded: the house waits for the longest time
        after = house.terms.confirm(charge, first_try=False)
        if "void" in house.driver.peculiar:
            _holds(house, charge, AMOUNT if after.outcome is Outcome.PAID else 0)
        else:
            assert after.outcome is not Outcome.PAID, "money was taken after its void was acknowledged"
            _holds(house, charge, 0)

    return check


def taken_unseen(fault: str) -> Callable[[House], None]:
    """The money moved, and the answer was lost or could not be read."""

    def check(house: House) -> None:
        charge = _approved(house)
        house.driver.fault(fault)
        _is(house.terms.confirm(charge, first_try=True), Outcome.UNKNOWN)
        house.driver.heal()
        _holds(house, charge, AMOUNT)
        _names(house, charge, _is(house.terms.inquire(charge), Outcome.PAID))
        _is(house.terms.confirm(charge, first_try=False), Outcome.PAID, Outcome.UNKNOWN)
        _holds(house, charge, AMOUNT)

    return check


def hidden(house: House) -> None:
    """It is not there when we ask, and is carried out afterwards."""
    charge = _approved(house)
    house.driver.fault("hidden")
    _is(house.terms.confirm(charge, first_try=True), Outcome.UNKNOWN)
    meanwhile = house.terms.inquire(charge)
    assert meanwhile.outcome not in CERTAINLY_NOT | {Outcome.PAID}, f"not carried out yet, and it says {meanwhile}"
    house.driver.release()
    _names(house, charge, _is(house.terms.inquire(charge), Outcome.PAID))
    _holds(house, charge, AMOUNT)


def _awaited(house: House) -> tuple[Charge, PayInto]:
    charge = _charge(house, house.driver.deposit_method)
    answer = _is(house.terms.start(charge), Outcome.NEEDS_DEPOSIT)
    assert answer.pay_into is not None, "no account to pay into"
    return replace(charge, ref=answer.ref), answer.pay_into


def deposit(house: House) -> None:
    charge, into = _awaited(house)
    _is(house.terms.inquire(charge), Outcome.NEEDS_DEPOSIT)
    house.driver.deposit(into, AMOUNT)
    _names(house, charge, _is(house.terms.inquire(charge), Outcome.PAID))
    _holds(house, charge, AMOUNT)
    closed, _ = _awaited(house)
    _is(house.terms.void(closed), Outcome.GIVEN_BACK)
    _holds(house, closed, 0)


def undone(house: House) -> None:
    charge, into = _awaited(house)
    house.driver.deposit(into, AMOUNT)
    _is(house.terms.inquire(charge), Outcome.PAID)
    house.driver.undo(charge.order_id, charge.ref)
    _is(house.terms.inquire(charge), Outcome.NEEDS_DEPOSIT, Outcome.UNDONE)
    _holds(house, charge, 0)


def _refunded(house: House, charge: Charge, amount: int, key: str) -> Answer:
    return house.terms.refund(charge, amount=amount, key=key, reason="conformance")


def refund_whole(house: House) -> None:
    charge = _paid(house)
    _is(_refunded(house, charge, AMOUNT, f"refund-{charge.order_id}"), Outcome.GIVEN_BACK)
    _holds(house, charge, 0)
    _is(house.terms.inquire(charge), Outcome.GIVEN_BACK)
    more = _refunded(house, charge, PART, f"refund-more-{charge.order_id}")
    assert more.outcome is not Outcome.GIVEN_BACK or not more.given_back, "more went back than had come"
    _holds(house, charge, 0)


def refund_part(house: House) -> None:
    charge = _paid(house)
    _is(_refunded(house, charge, PART, f"refund-{charge.order_id}"), Outcome.GIVEN_BACK)
    _holds(house, charge, AMOUNT - PART)
    answer = _is(house.terms.inquire(charge), Outcome.PAID)
    assert answer.given_back == PART, f"it says that {answer.given_back} went back, not {PART}"


def refund_twice(house: House) -> None:
    """One key, one effect, also when the first answer was lost: a retry never pays twice."""
    charge = _paid(house)
    key = f"refund-{charge.order_id}"
    for _ in range(2):
        _is(_refunded(house, charge, PART, key), Outcome.GIVEN_BACK)
        _holds(house, charge, AMOUNT - PART)
    lost_key = f"refund-lost-{charge.order_id}"
    house.driver.line.breaks("timeout_after", house.driver.gives_back)
    _is(_refunded(house, charge, PART, lost_key), Outcome.UNKNOWN)
    house.driver.heal()
    _is(_refunded(house, charge, PART, lost_key), Outcome.GIVEN_BACK)
    _holds(house, charge, AMOUNT - 2 * PART)


def wrong_amount(house: House) -> None:
    """The class passes on what is said; the house compares it."""
    charge = _paid(house)
    house.driver.line.rewrites(str(AMOUNT), str(AMOUNT + 1000))
    answer = house.terms.inquire(charge)
    assert answer.amount != AMOUNT, "the amount is not read from what the provider says"
    house.driver.heal()


def wrong_merchant(house: House) -> None:
    charge = _paid(house)
    house.driver.line.rewrites(house.terms.merchant, "somebody")
    answer = house.terms.inquire(charge)
    assert answer.merchant != house.terms.merchant, "the merchant is not read from what the provider says"
    house.driver.heal()

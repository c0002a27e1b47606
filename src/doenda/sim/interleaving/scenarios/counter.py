"""At the counter: cash and slips beside cards, one form pressed twice, a void, a drawer that is counted meanwhile."""

from collections import Counter
from uuid import UUID

from doenda.kernel.ids import new_id, outside
from doenda.payments.counter import receipts, shifts, till
from doenda.payments.counter.models import Receipt, Shift
from doenda.payments.models import Attempt
from doenda.payments.staff import NotAllowed
from doenda.payments.states import State
from doenda.sim.drivers.counter import Driver
from doenda.sim.interleaving.ends import excess_back, paid_once
from doenda.sim.interleaving.scene import AMOUNT, Play, Scene, scenario

BOTH = ("sandbox", "counter")
SECOND = "operator:second"


class Till:
    """A store's till of this run alone, and the clerk's hands: what they keep is the counter's own truth."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        driver = scene.drivers["counter"]
        assert isinstance(driver, Driver)
        self.hands: Counter[str] = driver._hands
        self.shift, self.clerk = self.open("1")

    def open(self, name: str) -> tuple[UUID, str]:
        word = outside(new_id())
        clerk = f"clerk:{word}"
        store = shifts.open_store(word[-10:], "표본점", by="operator:s3")
        return shifts.open_shift(store.pk, name, clerk=clerk, float_amount=100_000).pk, clerk

    def pressed(self, amount: int = AMOUNT) -> till.Pressed:
        return till.Pressed(self.shift, self.clerk, outside(new_id()), "cash", amount, tendered=amount)

    def keep(self, told: till.Taken) -> str:
        """Only "taken" means that the money stays in the drawer; the same receipt is the same money."""
        if told.outcome == "taken" and told.attempt_id is not None:
            self.hands[outside(told.attempt_id)] = told.amount
        return told.outcome

    def cash(self, bill_id: UUID, account_id: UUID, pressed: till.Pressed) -> str:
        return self.keep(till.take(pressed, account_id=account_id, bills=[(bill_id, pressed.amount)]))

    def drawer(self) -> None:
        """What the drawer must hold is the float and what the hands kept."""
        shift = Shift.objects.get(pk=self.shift)
        held = 100_000 + sum(self.hands.values())
        self.scene.expect(shifts.expected(shift) == held, f"expected {shifts.expected(shift)}, in the drawer {held}")


@scenario("card x cash", providers=BOTH, inside=True)
def card_cash(scene: Scene) -> Play:
    """A daughter pays by card at home while her father pays the same bill in cash at the counter."""
    bill = scene.bill()
    came, shop = scene.coming(bill), Till(scene)
    press = shop.pressed()
    ended = yield {"card": lambda: scene.back(came), "cash": lambda: shop.cash(bill.pk, bill.account_id, press)}
    scene.expect(
        list(ended.said.values()).count("paid") + list(ended.said.values()).count("taken") >= 1, f"{ended.said}"
    )
    scene.rest()
    paid_once(scene, bill)
    shop.drawer()


@scenario("pressed twice", providers=("counter",), inside=True)
def pressed_twice(scene: Scene) -> Play:
    """A slow screen: the clerk presses "take" twice with one form."""
    bill, shop = scene.bill(), Till(scene)
    press = shop.pressed()
    ended = yield {
        "press": lambda: shop.cash(bill.pk, bill.account_id, press),
        "again": lambda: shop.cash(bill.pk, bill.account_id, press),
    }
    scene.expect("taken" in ended.said.values(), f"nothing was taken: {ended.said}")
    scene.rest()
    paid_once(scene, bill)
    shop.drawer()
    scene.expect(Receipt.objects.filter(shift=shop.shift).count() == 1, "two receipts for one pressing")


@scenario("two tills, one bill", providers=("counter",))
def two_tills(scene: Scene) -> Play:
    """Husband and wife pay the same bill at two tills."""
    bill, one, other = scene.bill(), Till(scene), Till(scene)
    presses = one.pressed(), other.pressed()
    ended = yield {
        "husband": lambda: one.cash(bill.pk, bill.account_id, presses[0]),
        "wife": lambda: other.cash(bill.pk, bill.account_id, presses[1]),
    }
    scene.expect(list(ended.said.values()).count("taken") == 1, f"the clerks were told {ended.said}")
    scene.rest()
    paid_once(scene, bill)


@scenario("slip x card", providers=BOTH)
def slip_card(scene: Scene) -> Play:
    """A printed slip is paid at a till while the card of the same bill is confirmed."""
    bill, shop = scene.bill(), Till(scene)
    slip = scene.begin(bill, "counter", method="store")
    number = slip.details["pay_into"]["number"]
    came, press = scene.coming(bill), shop.pressed()
    ended = yield {
        "till": lambda: shop.keep(till.take(press, slip=number)),
        "card": lambda: scene.back(came),
    }
    scene.rest()
    paid_once(scene, bill)
    shop.drawer()
    scene.expect({"taken", "paid"} & {str(said) for said in ended.said.values()}, f"{ended.said}")


@scenario("two clerks, one shift", providers=("counter",), dies=(NotAllowed,), inside=True)
def count_and_take(scene: Scene) -> Play:
    """The clerk counts and closes the drawer on one screen while a payment is taken on the other."""
    bill, shop = scene.bill(), Till(scene)
    press = shop.pressed()

    def close() -> Shift:
        shifts.count(shop.shift, 100_000, clerk=shop.clerk)
        return shifts.close(shop.shift, by=SECOND, reason="counted while a customer paid")

    ended = yield {"close": close, "take": lambda: shop.cash(bill.pk, bill.account_id, press)}
    scene.rest()
    shift = Shift.objects.get(pk=shop.shift)
    taken = ended.said.get("take") == "taken"
    scene.expect(shift.expected == 100_000 + (AMOUNT if taken else 0), f"expected {shift.expected}, taken: {taken}")
    bill.refresh_from_db()
    scene.expect((bill.state == "settled") == taken, f"the bill is {bill.state}, taken: {taken}")
    shop.drawer()


@scenario("two closes of a shift", providers=("counter",), dies=(NotAllowed,))
def two_closes(scene: Scene) -> Play:
    """The clerk and the manager count and close one drawer at the same moment, with different sums."""
    shop = Till(scene)

    def close(counted: int) -> int:
        told = shifts.count(shop.shift, counted, clerk=shop.clerk)
        shifts.close(shop.shift, by=SECOND, reason="end of the day")
        return told.counted

    ended = yield {"clerk": lambda: close(100_000), "manager": lambda: close(99_000)}
    shift = Shift.objects.get(pk=shop.shift)
    told = set(ended.said.values())
    scene.expect(shift.closed_at is not None, "the shift is still open")
    scene.expect(told <= {shift.counted}, f"the row says {shift.counted}, they were told {told}")


@scenario("void x payment elsewhere", providers=BOTH, dies=(NotAllowed,), inside=True)
def void_and_card(scene: Scene) -> Play:
    """A clerk voids what was taken by mistake while the customer, told that it is open again, pays by card."""
    bill, shop = scene.bill(), Till(scene)
    came = scene.coming(bill)
    shop.cash(bill.pk, bill.account_id, shop.pressed())
    receipt = Receipt.objects.get(shift=shop.shift)

    def void() -> str:
        receipts.void(receipt.pk, by=shop.clerk, second=SECOND, reason="the wrong customer")
        shop.hands.clear()
        return "voided"

    def card() -> str:
        said = scene.back(came)
        if said == "paid":
            return said
        again = scene.start(bill)
        return again.outcome if again.attempt_id is None else scene.walk_on(again.attempt_id)

    ended = yield {"void": void, "card": card}
    scene.rest()
    bill.refresh_from_db()
    paid = Attempt.objects.filter(account_id=bill.account_id, state=State.PAID)
    scene.expect(ended.said.get("void") == "voided", f"not voided: {ended.died}")
    scene.expect((bill.state == "settled") == paid.exists(), f"the bill is {bill.state}, {paid.count()} are paid")
    if paid.exists():
        paid_once(scene, bill)
    shop.drawer()


@scenario("cash x card x inquiry", actors=3, providers=BOTH)
def cash_card_inquiry(scene: Scene) -> Play:
    """Two channels pay one bill, and the worker asks about both attempts."""
    bill = scene.bill()
    came, shop = scene.coming(bill), Till(scene)
    press = shop.pressed()
    yield {
        "card": lambda: scene.back(came),
        "cash": lambda: shop.cash(bill.pk, bill.account_id, press),
        "worker": lambda: scene.ask(came.attempt_id),
    }
    scene.rest()
    excess_back(scene, bill)
    paid_once(scene, bill)
    shop.drawer()

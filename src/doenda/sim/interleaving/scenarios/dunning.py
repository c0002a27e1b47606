"""Collections beside payments: nobody who paid is suspended, whoever was first; a paid line comes back."""

from datetime import date, timedelta

from django.conf import settings

from doenda.assurance import evidence
from doenda.billing.models import Bill, Line
from doenda.dunning import cases, promises
from doenda.dunning.models import Case, CaseStep, LateFee, LineCommand, Promise
from doenda.kernel import clock, sweeps
from doenda.kernel.db import atomic
from doenda.kernel.ids import new_id, outside
from doenda.notices.models import Notice
from doenda.payments.models import Attempt
from doenda.payments.states import State
from doenda.sim.interleaving.ends import settled
from doenda.sim.interleaving.scene import Coming, Play, Scene, scenario

OWED = 90_000
REMINDED, NOTICED, BARRED = date(2014, 10, 27), date(2014, 11, 3), date(2014, 11, 12)
WAY = "web/card/sandbox"


class House:
    """One account with one line, walked to a step of the ladder by the days on which something happens."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        account = scene.account(lines=1)
        self.bill = scene.bill(OWED, account=account, due_in=3)
        self.account_id = account.pk
        self.line = Line.objects.get(account=account)
        assert scene.switch is not None
        scene.switch.control("POST", "services", {"ids": [outside(self.line.pk)]})
        handset = scene.place.peer("handset", "peers.handset.truth.Handset")
        scene.line.connect(handset)
        settings.DOENDA_HANDSET_URL = handset.url
        scene.tells = True

    def prove(self) -> None:
        with atomic():
            evidence.record(WAY, "worked", source_kind="test", source_id=outside(new_id()), synthetic=True)

    def live(self, day: date) -> None:
        """What happens to this account on one day: decided, told, received."""
        self.scene.now.set(clock.at(day, 10))
        self.prove()
        for _ in range(2):
            cases.review(self.account_id)
            self.scene.post()
            self.scene.pass_time(2)
            sweeps.run("receipts")

    def to_the_bar(self) -> None:
        """The morning on which the line is to be barred; nothing is decided yet."""
        self.live(REMINDED)
        self.live(NOTICED)
        self.scene.now.set(clock.at(BARRED, 10))
        self.prove()

    def coming(self) -> Coming:
        """The customer is on the way back from the bank, having said yes to all that is owed now."""
        self.bill.refresh_from_db()
        return self.scene.coming(self.bill, amount=self.bill.remaining)

    def review(self) -> str:
        decision = cases.review(self.account_id)
        return type(decision).__name__

    def asked(self) -> list[str]:
        """What was ever asked of the network for this line, as the network itself has it."""
        assert self.scene.switch is not None
        service = self.scene.switch.control("GET", "books")["services"][outside(self.line.pk)]
        return [str(one["value"]) for one in service["history"]]

    def looked_at(self) -> bool:
        """Has a sender had its last look at a bar? Its call follows, and no lock is held over a call."""
        return LineCommand.objects.filter(line=self.line, wanted="outgoing", tries__gt=0).exists()

    def network(self) -> str:
        assert self.scene.switch is not None
        books = self.scene.switch.control("GET", "books")
        return str(books["services"][outside(self.line.pk)]["barring"])

    def send(self) -> str:
        return self.scene.send("switch")

    def open_at_last(self) -> None:
        """Who paid has a line that works, in the network's own truth too, and no case (I8)."""
        self.scene.expect(self.network() == "none", f"the network shows {self.network()}")
        line = Line.objects.get(pk=self.line.pk)
        self.scene.expect(line.barring == "none", f"our row says {line.barring}")
        left = Case.objects.filter(account_id=self.account_id, closed_at=None).count()
        self.scene.expect(left == 0, "the case is still open")


def rest(scene: Scene) -> None:
    scene.rest("cases", "promises")


@scenario("payment x suspend decision", inside=True)
def paid_and_decided(scene: Scene) -> Play:
    """The charge of a bill is under way in the very moment in which collections decides to bar the line."""
    house = House(scene)
    house.to_the_bar()
    came = house.coming()
    yield {"customer": lambda: scene.back(came), "collections": house.review}
    rest(scene)
    settled(scene, house.bill)
    scene.expect("outgoing" not in house.asked()[1:] or house.network() == "none", f"the network: {house.asked()}")
    house.open_at_last()


@scenario("payment x suspend sent")
def paid_and_sent(scene: Scene) -> Play:
    """The bar is decided; its command leaves while the customer pays: none leaves that was looked at after that."""
    house = House(scene)
    house.to_the_bar()
    assert house.review() == "DoBar"
    came = house.coming()
    looked: list[bool] = []

    def pays() -> str:
        said = scene.back(came)
        looked.append(house.looked_at())
        return said

    yield {"customer": pays, "worker": house.send}
    scene.expect(any(looked) or "outgoing" not in house.asked(), "a bar left that was looked at after the payment")
    rest(scene)
    settled(scene, house.bill)
    house.open_at_last()


@scenario("payment x suspend decision x send", actors=3)
def paid_decided_sent(scene: Scene) -> Play:
    """All three at once: the charge, the decision to bar, and the worker who sends what it finds."""
    house = House(scene)
    house.to_the_bar()
    came = house.coming()
    yield {"customer": lambda: scene.back(came), "collections": house.review, "worker": house.send}
    rest(scene)
    settled(scene, house.bill)
    house.open_at_last()


@scenario("unknown x suspend sent")
def unknown_and_sent(scene: Scene) -> Play:
    """The charge's answer is lost while the command to bar leaves: nothing adverse while nobody knows (I5)."""
    house = House(scene)
    house.to_the_bar()
    assert house.review() == "DoBar"
    came = house.coming()
    scene.line.breaks("timeout_after", scene.drivers["sandbox"].moves_money)
    looked: list[bool] = []

    def pays() -> str:
        said = scene.back(came)
        looked.append(house.looked_at())
        return said

    yield {"customer": pays, "worker": house.send}
    scene.expect(any(looked) or "outgoing" not in house.asked(), "a bar left while an attempt is unknown")
    rest(scene)
    settled(scene, house.bill)
    house.open_at_last()


@scenario("restore x suspend", inside=True)
def restore_and_suspend(scene: Scene) -> Play:
    """The bar was sent and its answer is late: the customer pays, and the command to open overtakes the other."""
    house = House(scene)
    house.to_the_bar()
    assert house.review() == "DoBar"

    def pays() -> str:
        came = house.coming()
        said = scene.back(came)
        house.send()
        return said

    yield {"worker": house.send, "customer": pays}
    rest(scene)
    settled(scene, house.bill)
    house.open_at_last()


@scenario("two senders of a bar", inside=True)
def two_senders(scene: Scene) -> Play:
    """Two workers look for a command to send; the bar is asked for, and the line is barred once."""
    house = House(scene)
    house.to_the_bar()
    assert house.review() == "DoBar"
    yield {"worker": house.send, "other worker": house.send}
    scene.rest()
    scene.expect(house.network() == "outgoing", f"the network shows {house.network()}")
    confirmed = LineCommand.objects.filter(line=house.line, state=LineCommand.State.CONFIRMED).count()
    scene.expect(confirmed == 1, f"{confirmed} commands are confirmed")


@scenario("promise x ladder", inside=True)
def promise_and_ladder(scene: Scene) -> Play:
    """The customer promises a day in the moment in which collections decides to bar, and the worker sends."""
    house = House(scene)
    house.to_the_bar()
    day = clock.today() + timedelta(days=7)

    def promise() -> Promise | None:
        return promises.by_customer(house.account_id, [house.bill.pk], day=day, key=f"s3-{house.bill.pk}")

    def collections() -> str:
        said = house.review()
        return f"{said}, {house.send()}"

    ended = yield {"customer": promise, "collections": collections}
    scene.expect(ended.said.get("customer") is not None, "the promise was not taken")
    rest(scene)
    scene.expect(house.network() == "none" or "outgoing" in house.asked(), "barred without being asked")
    promised_at = Promise.objects.get(account_id=house.account_id).created_at
    later = CaseStep.objects.filter(account_id=house.account_id, step="bar", decided_at__gt=promised_at)
    scene.expect(not later.exists(), "a bar was decided while a promise ran")


@scenario("two case openers", inside=True)
def two_openers(scene: Scene) -> Play:
    """Two workers find an account with an overdue bill and no case, and review it."""
    house = House(scene)
    scene.now.set(clock.at(REMINDED, 10))
    house.prove()

    def work() -> None:
        cases.open_missing(100)
        cases.review(house.account_id)

    yield {"worker": work, "other worker": work}
    mine = Case.objects.filter(account_id=house.account_id).count()
    scene.expect(mine == 1, f"{mine} cases")
    reminders = Notice.objects.filter(account_id=house.account_id, kind="reminder").count()
    scene.expect(reminders == 1, f"{reminders} reminders")


@scenario("late fee decision x payment")
def fee_and_payment(scene: Scene) -> Play:
    """Collections assesses the late fee on the day it may while the customer pays."""
    house = House(scene)
    house.live(REMINDED)
    scene.now.set(clock.at(NOTICED, 10))
    house.prove()
    came = house.coming()

    def collections() -> str:
        return f"{house.review()}, {house.review()}, {house.review()}"

    ended = yield {"collections": collections, "customer": lambda: scene.back(came)}
    rest(scene)
    bill = Bill.objects.get(pk=house.bill.pk)
    fees = LateFee.objects.filter(bill=bill, reversed_at=None).count()
    scene.expect((bill.late_fee > 0) == (fees == 1), f"a fee of {bill.late_fee}, {fees} rows")
    paid = Attempt.objects.filter(account_id=house.account_id, state=State.PAID).exists()
    scene.expect(bill.remaining == (bill.late_fee if paid else OWED + bill.late_fee), f"{bill.remaining}, {ended.said}")

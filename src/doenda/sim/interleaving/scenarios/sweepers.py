"""Workers beside workers and customers: two that ask, two that send past a lease, doorbells that ring twice."""

from uuid import UUID

from doenda.kernel import outbox
from doenda.kernel.ids import outside
from doenda.kernel.models import OutboxRow
from doenda.payments import attempts, inquiry
from doenda.payments.models import Attempt, Doorbell
from doenda.payments.states import State
from doenda.sim.interleaving.ends import paid_once
from doenda.sim.interleaving.scene import Coming, Play, Scene, scenario

VISIT = UUID(int=5)


def unanswered(scene: Scene, came: Coming) -> None:
    """The charge reaches the provider, and its answer is lost: nobody knows for a while."""
    driver = scene.drivers[Attempt.objects.get(pk=came.attempt_id).provider]
    scene.line.breaks("timeout_after", driver.moves_money)
    assert scene.back(came) == "unknown"
    scene.line.heal()


@scenario("two inquiry sweepers", inside=True)
def two_inquiries(scene: Scene) -> Play:
    """Two workers sweep the same unknown attempt."""
    bill = scene.bill()
    came = scene.coming(bill)
    unanswered(scene, came)
    scene.pass_time(10)
    yield {"worker": lambda: inquiry.sweep(1), "other worker": lambda: inquiry.sweep(1)}
    scene.rest()
    paid_once(scene, bill)


@scenario("two outbox sweepers, a lapsed lease", inside=True)
def two_senders(scene: Scene) -> Play:
    """A request stops past its lease with the charge in hand; a worker sends it; then the first goes on."""
    bill = scene.bill()
    came = scene.coming(bill)
    row = _left_in_hand(scene, came)
    yield {"late request": lambda: outbox.send_claimed(row), "worker": lambda: scene.send("charge", row.key)}
    scene.rest()
    paid_once(scene, bill)


def _left_in_hand(scene: Scene, came: Coming) -> OutboxRow:
    """The intent to charge is durable, its sender holds the row, and its lease is over."""
    held: list[OutboxRow] = []
    sender = outbox.send_claimed

    def stops(row: OutboxRow, handler: object = None) -> outbox.Outcome:
        held.append(row)
        return outbox.Again(None, "stopped")

    outbox.send_claimed = stops
    try:
        scene.back(came)
    finally:
        outbox.send_claimed = sender
    scene.pass_time(15)
    return held[0]


@scenario("sweeper x sweeper x customer", actors=3)
def two_sweepers_and_customer(scene: Scene) -> Play:
    """An unknown charge: one worker asks, another sends it again, and the customer reloads."""
    bill = scene.bill()
    came = scene.coming(bill)
    row = _left_in_hand(scene, came)
    scene.pass_time(30)
    yield {
        "asks": lambda: inquiry.sweep(1),
        "sends": lambda: scene.send("charge", row.key),
        "customer": lambda: scene.back(came),
    }
    scene.rest()
    paid_once(scene, bill)


@scenario("doorbell twice")
def bell_twice(scene: Scene) -> Play:
    """The provider delivers one webhook twice at once; each delivery leads to a question."""
    bill = scene.bill()
    came = scene.coming(bill)
    unanswered(scene, came)
    bells = scene.bells(came.attempt_id)

    def door() -> str:
        for bell in bells:
            scene.ring("sandbox", bell)
        inquiry.sweep(1)
        return "rung"

    yield {"delivery": door, "again": door}
    kept = Doorbell.objects.filter(order_id=outside(came.attempt_id)).values_list("transmission", flat=True)
    scene.expect(len(kept) == len(set(kept)) >= 1, "a doorbell is kept twice")
    scene.rest()
    paid_once(scene, bill)


@scenario("webhook x inquiry x return", actors=3)
def all_three(scene: Scene) -> Play:
    """Nobody knows of a charge: the webhook rings, the worker asks, and the customer comes back."""
    bill = scene.bill()
    came = scene.coming(bill)
    unanswered(scene, came)
    scene.pass_time(10)
    bells = scene.bells(came.attempt_id)

    def bell() -> None:
        for each in bells:
            scene.ring("sandbox", each)
        inquiry.sweep(1)

    yield {"webhook": bell, "worker": lambda: inquiry.sweep(1), "customer": lambda: scene.back(came)}
    scene.rest()
    paid_once(scene, bill)


@scenario("leaves x sender")
def leaves_while_sent(scene: Scene) -> Play:
    """A charge never arrived and is unknown: the customer turns to another way while the worker sends it once more."""
    bill = scene.bill()
    came = scene.coming(bill)
    row = _left_in_hand(scene, came)

    def leave() -> str:
        cleared = attempts.clear(bill.account_id, [bill.pk], VISIT)
        if cleared.outcome != "free":
            return cleared.outcome
        said = scene.start(bill, session=VISIT)
        return said.outcome if said.attempt_id is None else scene.walk_on(said.attempt_id)

    yield {"customer": leave, "worker": lambda: scene.send("charge", row.key)}
    scene.rest()
    paid_once(scene, bill)


@scenario("void x question", actors=2)
def void_and_question(scene: Scene) -> Play:
    """A charge was lost on its way: the customer leaves, so that it is voided, while a worker asks about it."""
    bill = scene.bill()
    came = scene.coming(bill)
    driver = scene.drivers["sandbox"]
    scene.line.breaks("timeout_before", driver.moves_money)
    scene.back(came)
    scene.line.heal()
    scene.pass_time(25)
    yield {
        "leaves": lambda: inquiry.ask(Attempt.objects.get(pk=came.attempt_id), leaving=True).outcome,
        "asks": lambda: scene.ask(came.attempt_id),
    }
    scene.rest()
    attempt = Attempt.objects.get(pk=came.attempt_id)
    if attempt.state == State.PAID:
        paid_once(scene, bill)
    else:
        bill.refresh_from_db()
        scene.expect(attempt.state == State.REFUSED, f"the attempt is {attempt.state}")
        scene.expect(bill.remaining == bill.amount, "a refused attempt paid")

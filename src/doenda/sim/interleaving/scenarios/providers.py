"""Other providers' own races: money that moves at the provider, accounts of theirs, kept answers."""

from uuid import UUID

from doenda.payments.models import Attempt
from doenda.sim.interleaving.ends import excess_back, paid_once
from doenda.sim.interleaving.scene import AMOUNT, Play, Scene, scenario

LAPTOP, PHONE = UUID(int=1), UUID(int=2)


@scenario("card x transfer at Toss's confirm", providers=("sandbox", "toss"))
def card_toss_transfer(scene: Scene) -> Play:
    """A card of one provider and a transfer of another are confirmed for one bill."""
    bill = scene.bill()
    card = scene.coming(bill, session=LAPTOP)
    transfer = scene.coming(bill, "toss", method="transfer", session=PHONE)
    yield {"card": lambda: scene.back(card), "transfer": lambda: scene.back(transfer)}
    scene.rest()
    paid_once(scene, bill)


@scenario("card at PortOne x return", providers=("portone",))
def portone_twice(scene: Scene) -> Play:
    """The browser brings the same return twice while PortOne is asked to confirm."""
    bill = scene.bill()
    came = scene.coming(bill, "portone")
    yield {"customer": lambda: scene.back(came), "reload": lambda: scene.back(came)}
    scene.rest()
    paid_once(scene, bill)


@scenario("Toss account x card", providers=("sandbox", "toss"))
def toss_account_card(scene: Scene) -> Play:
    """A deposit into a provider's own account number rings while the customer pays by card."""
    bill = scene.bill()
    waiting = scene.begin(bill, "toss", method="deposit", session=LAPTOP)
    card = scene.coming(bill, session=PHONE)

    def payer() -> str:
        if not scene.deposit(waiting, AMOUNT):
            return "turned away"
        for bell in scene.bells(waiting.pk):
            scene.ring("toss", bell)
        return scene.ask(waiting.pk)

    yield {"card": lambda: scene.back(card), "payer": payer}
    scene.rest()
    excess_back(scene, bill)


@scenario("Toss account x close", providers=("sandbox", "toss"))
def toss_account_close(scene: Scene) -> Play:
    """The bill is paid; the provider's account is being closed while its payer deposits."""
    bill = scene.bill()
    waiting = scene.begin(bill, "toss", method="deposit", session=LAPTOP)
    scene.pay(bill, session=PHONE)

    def payer() -> str:
        if not scene.deposit(waiting, AMOUNT):
            return "turned away"
        for bell in scene.bells(waiting.pk):
            scene.ring("toss", bell)
        return scene.ask(waiting.pk)

    yield {"payer": payer, "worker": lambda: scene.send("close")}
    scene.rest()
    excess_back(scene, bill)


@scenario("deposit x question", providers=("toss",))
def stale_question(scene: Scene) -> Play:
    """A worker hears that an account still waits; before it brings that home, the deposit comes and is booked."""
    bill = scene.bill()
    waiting = scene.begin(bill, "toss", method="deposit")

    def payer() -> str:
        scene.deposit(waiting, AMOUNT)
        return scene.ask(waiting.pk)

    yield {"worker": lambda: scene.ask(waiting.pk), "payer": payer}
    scene.rest()
    paid_once(scene, bill)


@scenario("three providers, one bill", actors=3, providers=("sandbox", "toss", "portone"))
def three_providers(scene: Scene) -> Play:
    """Three members of a family confirm one bill at three providers at once."""
    bill = scene.bill()
    came = {name: scene.coming(bill, name, session=UUID(int=at)) for at, name in enumerate(scene.drivers, 1)}
    yield {name: (lambda one=one: scene.back(one)) for name, one in came.items()}  # type: ignore[misc]
    scene.rest()
    paid_once(scene, bill)
    scene.expect(Attempt.objects.filter(account_id=bill.account_id).count() == 3, "an attempt is missing")

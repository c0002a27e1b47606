"""Two channels pay one bill: web and web, two tabs, the same form twice, webhooks and inquiries beside them."""

from uuid import UUID

from doenda.payments.models import Attempt
from doenda.payments.states import State
from doenda.sim.interleaving.ends import paid_once
from doenda.sim.interleaving.scene import Play, Scene, scenario

LAPTOP, PHONE = UUID(int=1), UUID(int=2)


@scenario("card x card", inside=True)
def card_card(scene: Scene) -> Play:
    """A laptop and a phone both stand at the bank for one bill; both come back and say yes."""
    bill = scene.bill()
    laptop, phone = scene.coming(bill, session=LAPTOP), scene.coming(bill, session=PHONE)
    ended = yield {"laptop": lambda: scene.back(laptop), "phone": lambda: scene.back(phone)}
    pages = sorted(str(said) for said in ended.said.values())
    scene.expect("paid" in pages, f"no page says paid: {pages}")
    scene.rest()
    paid_once(scene, bill)


@scenario("card x card from the start")
def whole_ways(scene: Scene) -> Play:
    """The same from the choice of the way on: two visits begin, approve and come back."""
    bill = scene.bill()

    def walk(session: UUID) -> str:
        said = scene.start(bill, session=session)
        if said.outcome != "redirect" or said.attempt_id is None:
            return said.outcome
        return scene.walk_on(said.attempt_id)

    yield {"laptop": lambda: walk(LAPTOP), "phone": lambda: walk(PHONE)}
    scene.rest()
    paid_once(scene, bill)


@scenario("return x return", inside=True)
def twice_back(scene: Scene) -> Play:
    """The browser brings the same return twice: a reload while the first is under way."""
    bill = scene.bill()
    came = scene.coming(bill)
    ended = yield {"first": lambda: scene.back(came), "reload": lambda: scene.back(came)}
    scene.expect("paid" in ended.said.values(), f"no page says paid: {ended.said}")
    scene.rest()
    paid_once(scene, bill)


@scenario("two tabs, one form")
def two_tabs(scene: Scene) -> Play:
    """One visit sends the form that chooses a card twice; each tab then walks on."""
    bill = scene.bill()
    yield {
        "tab": lambda: scene.start(bill, session=LAPTOP).outcome,
        "other tab": lambda: scene.start(bill, session=LAPTOP).outcome,
    }
    live = Attempt.objects.filter(account_id=bill.account_id, state=State.NEEDS_REDIRECT)
    scene.expect(live.count() <= 2, f"{live.count()} attempts stand at the bank")
    for attempt in live:
        scene.walk_on(attempt.pk)
    scene.rest()
    paid_once(scene, bill)


@scenario("webhook x return")
def bell_and_return(scene: Scene) -> Play:
    """The answer to a charge is lost; its webhook rings and is asked about while the customer reloads."""
    bill = scene.bill()
    came = scene.coming(bill)
    driver = scene.drivers["sandbox"]
    scene.line.breaks("timeout_after", driver.moves_money)
    scene.back(came)
    scene.line.heal()
    bells = scene.bells(came.attempt_id)

    def bell() -> str:
        for each in bells:
            scene.ring("sandbox", each)
        return scene.ask(came.attempt_id)

    yield {"webhook": bell, "customer": lambda: scene.back(came)}
    scene.rest()
    paid_once(scene, bill)


@scenario("inquiry x sender")
def inquiry_sender(scene: Scene) -> Play:
    """An inquiry asks about a charge while its own sender waits for the answer."""
    bill = scene.bill()
    came = scene.coming(bill)
    ended = yield {"sender": lambda: scene.back(came), "inquiry": lambda: scene.ask(came.attempt_id)}
    scene.expect(ended.said.get("sender") == "paid", f"the page says {ended.said.get('sender')}")
    scene.rest()
    paid_once(scene, bill)

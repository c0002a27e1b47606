"""Trouble: peers and the lines to them fall ill in every way that they know, and get well again."""

from typing import TYPE_CHECKING, Any

from doenda.billing.models import Bill
from doenda.kernel import net
from doenda.sim.acts import PAGES, Hindered, act, customers
from doenda.sim.drivers import deposit, portone, sandbox, toss

if TYPE_CHECKING:
    from doenda.sim.world import World

CUT = ("timeout_before", "timeout_after", "error_before", "error_after", "slow")
BELLS = ("no_webhook", "duplicate_webhook", "late_webhook", "forged_webhook")
OF_PEER: dict[str, tuple[str, ...]] = {
    "sandbox": (*CUT, *BELLS, "refuse", "last_step_down", "dead", "redirect_page_down", "inquiry_down", "hidden"),
    "toss": (
        *(*CUT, *BELLS, "refuse", "last_step_down", "dead", "redirect_page_down", "inquiry_down", "hidden"),
        "refund_failed",
    ),
    "portone": (*CUT, *BELLS, "refuse", "last_step_down", "dead", "redirect_page_down", "inquiry_down", "hidden"),
    "deposit": (*CUT, "no_webhook", "duplicate_webhook", "late_webhook", "dead", "inquiry_down", "hidden"),
    "debit": ("dead", "no_answers", *CUT, "garbage"),
    "switch": ("down", "timeout_before", "timeout_after", "error", "async", "slow", "lie"),
    "handset": ("down", "reject", "never_delivered", "undeliverable", "timeout_after", "slow"),
}
MET = ("timeout_before", "timeout_after", "error_before", "error_after", "refuse", "last_step_down", "hidden")
OF_LINE = ("unreached", "timeout_before", "timeout_after", "error_before", "error_after", "garbage", "busy")
KEYS = {
    "sandbox": ("key", sandbox.KEY),
    "toss": ("keys", toss.KEY),
    "portone": ("secrets", portone.KEY),
    "deposit": ("keys", deposit.KEY),
}
"""What the peer's control door calls our key, and the key that the house has."""
OTHER_KEY = "a-key-that-nobody-has"
LASTING = {"hidden", "late_webhook", "slow", "async"}
WAITS = (4, 15, 120, 500)
ASKED = ("confirm", "confirm", "confirm", "cancel", "create", "billing")
ASKED_OF_NUMBERS = ("open", "close", "return", "look")


@act(4)
def trouble(world: "World") -> None:
    """One of the peers, its line, its key or its whole house falls ill."""
    banks = sorted(name for name in world.drivers if name != "counter")
    end = world.chance.choice([*banks, *banks, *banks, "switch", "handset"])
    match world.chance.choice(("peer", "peer", "peer", "line", "down", "key")):
        case "peer":
            _peer(world, end)
        case "line":
            fault = world.chance.choice(OF_LINE)
            world.network.lines[end].breaks(fault, _strikes(world, end))
            world.say(f"the line to {end} began to fail: {fault}")
        case "down":
            world.down.add(end)
            world.say(f"{end} went down")
        case _ if end in KEYS:
            _key(world, end, OTHER_KEY)
            world.faults["key refused"] += 1
            world.say(f"{end} took our key no more")


@act(3, *PAGES)
def ill_and_met(world: "World") -> None:
    """A bank falls ill in the last step of a payment, and somebody pays there just then."""
    end = world.chance.choice([name for name in PAGES if name in world.drivers])
    customer = customers.some_customer(world)
    owed = Bill.objects.filter(pk__in=customer.bill_ids, state="open").order_by("pk").first()
    if owed is None:
        raise Hindered("there is nothing to pay")
    name = world.chance.choice(MET)
    fault: dict[str, Any] = {"fault": name, "remaining": 1}
    fault |= {"seconds": world.chance.choice(WAITS)} if name in LASTING else {"on": ["confirm"]}
    world.peer(end).control("PUT", "faults", {"*": [fault]})
    world.faults[fault["fault"]] += 1
    world.say(f"{end} fell ill: {fault['fault']} at the last step")
    customers.pay_whole(world, owed, end)


def _peer(world: "World", end: str) -> None:
    said: list[dict[str, Any]] = []
    for _ in range(world.chance.choice((1, 1, 2))):
        name = world.chance.choice(OF_PEER[end])
        one: dict[str, Any] = {"fault": name}
        if name in LASTING:
            one["seconds"] = world.chance.choice(WAITS)
        if name in CUT and end not in ("switch", "handset", "debit"):
            asked = ASKED_OF_NUMBERS if end == "deposit" else ASKED
            one["on"] = sorted({world.chance.choice(asked), world.chance.choice(asked)})
        if name == "hidden" or world.chance.random() < 0.6:
            one["remaining"] = world.chance.choice((1, 1, 2))
        said.append(one)
    world.peer(end).control("PUT", "faults", {"*": said})
    world.faults.update(f"{each['fault']}" for each in said)
    world.say(f"{end} fell ill: {', '.join(each['fault'] for each in said)}")


def _strikes(world: "World", end: str) -> Any:
    driver = world.drivers.get(end)
    kind = world.chance.choice(("all", "money", "back"))
    if driver is None or kind == "all":
        return lambda request: True
    return driver.moves_money if kind == "money" else driver.gives_back


def _key(world: "World", end: str, key: str) -> None:
    """What the peer now takes for our key."""
    name, _ = KEYS[end]
    world.peer(end).control("PUT", "merchant", {name: [key] if end == "deposit" else key})


@act(1)
def better(world: "World") -> None:
    """All peers, lines and keys are well."""
    for end in [*sorted(name for name in world.drivers if name != "counter"), "switch", "handset"]:
        world.peer(end).control("PUT", "faults", {})
        world.network.lines[end].heal()
        if end in world.drivers:
            world.drivers[end].heal()
        if end in KEYS:
            _key(world, end, KEYS[end][1])
    world.down.clear()
    for name, line in world.network.lines.items():
        try:
            line.release()
        except (net.NotSent, net.NoAnswer):
            world.say(f"what {name} had been sent was lost")
    world.say("all peers are well")

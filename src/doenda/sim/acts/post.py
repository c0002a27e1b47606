"""Webhooks: collected, delivered, doubled, reordered, forged, late or never."""

from dataclasses import replace
from typing import TYPE_CHECKING

from doenda.kernel import clock
from doenda.sim.acts import act
from doenda.sim.letters import Letter
from doenda.sim.line import Bell

if TYPE_CHECKING:
    from doenda.sim.world import World
BAD = 400
"""From this status on a letter was not believed."""


@act(3)
def letter(world: "World") -> None:
    """The post brings one, in no order."""
    world.post.collect(copies=(1, 1, 2), statuses=(204, 204, 204, 500, None))
    if world.post.bag:
        one = world.post.bag.pop(world.chance.randrange(len(world.post.bag)))
        said = world.post.deliver(one)
        world.say(f"{one.provider} rang at the door: {said}")


@act(0.3)
def letter_lost(world: "World") -> None:
    """One never arrives, and its sender believes that it did."""
    world.post.collect(statuses=(204,))
    if world.post.bag:
        one = world.post.bag.pop(world.chance.randrange(len(world.post.bag)))
        world.post.lose(one)
        world.faults["webhook lost"] += 1
        world.say(f"a webhook of {one.provider} was lost")


@act(0.6)
def letter_forged(world: "World") -> None:
    """Somebody rings with a letter that is wrong in one way: its signature, amount, merchant, currency."""
    world.post.collect()
    if not world.post.bag:
        return
    real = world.chance.choice(world.post.bag)
    how, false = _forged(world, real)
    said = world.post.deliver(false)
    world.faults[f"forged webhook: {how}"] += 1
    world.say(f"somebody rang in the name of {real.provider} with a wrong {how}: {said}")
    if how == "signature" and said < BAD:
        world.surprises.append(f"a letter in the name of {real.provider} that it did not sign was answered {said}")


def _forged(world: "World", real: Letter) -> tuple[str, Letter]:
    driver = world.drivers[real.provider]
    how = world.chance.choice(("signature", "amount", "merchant", "currency"))
    if how == "signature" or not driver.signs:
        spoiled = {name: ("v1,AAAA" if "signature" in name else value) for name, value in real.headers.items()}
        return ("signature" if driver.signs else "sender"), replace(real, headers=spoiled, report=None)
    body = real.body
    if how == "merchant" and driver.name in ("sandbox", "portone"):
        body = driver.other_merchant(body)
    elif how == "currency":
        body = body.replace(b"KRW", b"USD")
    else:
        how, body = "amount", driver.other_amount(body, 52_300)
    bell = driver.signed(Bell(real.headers, real.body), body, clock.now())
    return how, replace(real, headers=dict(bell.headers), body=bell.body, report=None)

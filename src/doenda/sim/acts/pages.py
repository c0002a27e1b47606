"""Pages: what a customer sees at the bill's link, and what a stranger sees there."""

from typing import TYPE_CHECKING

from doenda.sim.acts import act
from doenda.sim.acts.customers import some_customer

if TYPE_CHECKING:
    from doenda.sim.world import World


@act(0.4)
def looks(world: "World") -> None:
    """A customer opens the link of a bill."""
    customer = some_customer(world)
    said = world.web.get(f"/p/{world.chance.choice(customer.tokens)}")
    world.shown.append((customer.account_id, said.content.decode(errors="replace")))
    world.say(f"the customer of {customer.label} looked at the page of a bill: {said.status_code}")


@act(0.1)
def stranger_looks(world: "World") -> None:
    """Somebody tries a link that was never given out."""
    said = world.web.get("/p/AAAAAAAAAAAAAAAAAAAAAAAAAA")
    world.shown.append((None, said.content.decode(errors="replace")))
    world.say(f"somebody tried a link of nobody's: {said.status_code}")

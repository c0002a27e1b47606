"""Time: seconds to days, over nights, month ends and leap days."""

from datetime import timedelta
from typing import TYPE_CHECKING

from doenda.sim.acts import act

if TYPE_CHECKING:
    from doenda.sim.world import World

SHORT = (0.5, 3, 11, 11, 21, 21, 65, 540, 650)
LONG = (3_600, 6 * 3_600, 86_400, 3 * 86_400, 8 * 86_400, 31 * 86_400)


@act(4)
def time_passes(world: "World") -> None:
    """Seconds to minutes."""
    _pass(world, timedelta(seconds=world.chance.choice(SHORT)))


@act(1)
def days_pass(world: "World") -> None:
    """Hours to a month."""
    _pass(world, timedelta(seconds=world.chance.choice(LONG)))


def _pass(world: "World", step: timedelta) -> None:
    world.now.advance(step)
    world.say(f"time: {step} passed")

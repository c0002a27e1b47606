"""The house's own workers: sweeps one by one or all together, and a worker whose machine stands still."""

from typing import TYPE_CHECKING

from doenda.kernel import outbox
from doenda.sim import building, work
from doenda.sim.acts import act

if TYPE_CHECKING:
    from doenda.sim.world import World

OFTEN = ("outbox", "inquiries", "outbox", "inquiries", "facts", "deposits", "cases", "receipts", "standing")


@act(5)
def worker(world: "World") -> None:
    """One of the sweeps that carry the most."""
    mine = work.of(world)
    _sweep(world, world.chance.choice([name for name in OFTEN if name in mine]))


@act(0.7)
def any_sweep(world: "World") -> None:
    """Any sweep there is."""
    _sweep(world, world.chance.choice(work.of(world)))


@act(0.7)
def all_sweeps(world: "World") -> None:
    """A worker that has caught up."""
    world.say("the worker ran every sweep")
    for _ in range(3):
        if not work.everything(world):
            break


def _sweep(world: "World", name: str) -> None:
    world.say(f"the worker ran the sweep {name!r}")
    work.sweep(world, name)


@act(1)
def worker_outbox(world: "World") -> None:
    """What is due leaves the house."""
    _sweep(world, "outbox")


@act(1.5)
def worker_money(world: "World") -> None:
    """What the banks have is fetched, and what is unknown is asked about."""
    mine = work.of(world)
    for name in ("deposit numbers", "deposits", "inquiries", "outbox"):
        if name in mine:
            _sweep(world, name)


@act(1.5)
def paused_worker(world: "World") -> None:
    """A worker that claimed a row and is stopped in between, as by a long pause of its machine."""
    row = outbox.claim()
    if row is None:
        return
    world.say(f"a worker claimed a row of {row.kind!r} and stood still")
    for _ in range(world.chance.choice((0, 1, 1, 2))):
        world.somebody_acts()
    world.say(f"the paused worker went on with its row of {row.kind!r}")
    outbox.send_claimed(row)


@act(1)
def walks_prove(world: "World") -> None:
    """The prober's walks reached the last step everywhere."""
    building.prove(world)

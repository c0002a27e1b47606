"""What the invariants remember of a world from one step to the next."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from doenda.sim.invariants.asking import Violation

if TYPE_CHECKING:
    from doenda.sim.world import World


@dataclass
class Memory:
    """`states`: where each row stood; `heard`: what left the house and should not have; the rest: how far was read."""

    states: dict[tuple[str, str], str] = field(default_factory=dict)
    heard: list[Violation] = field(default_factory=list)
    shown: int = 0
    texts: int = 0


def of(world: "World") -> Memory:
    found: Memory = vars(world).setdefault("_invariants", Memory())
    return found

"""A schedule: which acts follow each other, and how badly things go. Drawn from the seed alone; pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from doenda.kernel import randomness

FEWEST, MOST = 12, 30
"""Steps of a safety phase."""
THEME = 5.0
"""How much likelier the acts of a world's theme are."""


@dataclass(frozen=True, slots=True)
class Rates:
    """How often, of all the places where it could happen: zero is drawn as well.

    `between`: somebody else acts there. `deaths`: the process dies there. `lost`: a commit's acknowledgement is lost,
    `reset`: the connection is gone before the commit. `trouble`: the share of acts by which peers fall ill.
    """

    between: float = 0.0
    deaths: float = 0.0
    lost: float = 0.0
    reset: float = 0.0
    trouble: float = 1.0


@dataclass(frozen=True, slots=True)
class Step:
    """One act of the schedule; its own chance is the stream `SEED:NUMBER`, whatever the other steps do."""

    number: int
    act: str


TROUBLES = frozenset({"trouble", "ill_and_met"})
"""Acts that a world without trouble does not have."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """`steps` in their order. `weights`: how likely each act is, also where one acts in between."""

    seed: int
    steps: tuple[Step, ...]
    rates: Rates
    weights: Mapping[str, float]


def draw(
    seed: int, weights: Mapping[str, float], subjects: Mapping[str, str] | None = None, theme: str = ""
) -> Schedule:
    """The schedule of a seed. `weights`: the acts that there are, as likely as they usually are; a seed bends them.

    `subjects`: what each act is about; most seeds have a theme (this one, or their own), of which much more happens
    than of anything else.
    """
    chance = randomness.stream(f"schedule {seed}")
    rates = Rates(
        between=chance.choice((0.0, 0.02, 0.06, 0.15)),
        deaths=chance.choice((0.0, 0.01, 0.03, 0.06)),
        lost=chance.choice((0.0, 0.01, 0.03)),
        reset=chance.choice((0.0, 0.0, 0.02)),
        trouble=chance.choice((0.0, 1.0, 1.0, 2.0)),
    )
    bent = {name: weight * chance.choice((0.1, 1.0, 1.0, 4.0)) for name, weight in sorted(weights.items())}
    known = sorted(set((subjects or {}).values()))
    theme = theme or (chance.choice((*known, "")) if known else "")
    bent = {
        name: weight * (THEME if theme and (subjects or {})[name] == theme else 1.0) for name, weight in bent.items()
    }
    for name in TROUBLES & bent.keys():
        bent[name] *= rates.trouble
    count = chance.randint(FEWEST, MOST)
    names = chance.choices(list(bent), list(bent.values()), k=count)
    return Schedule(seed, tuple(Step(number, name) for number, name in enumerate(names)), rates, bent)

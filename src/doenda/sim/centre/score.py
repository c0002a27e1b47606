"""What was told beside what became true."""

from collections import defaultdict
from dataclasses import dataclass, field
from math import sqrt

OURS = "doenda"


@dataclass
class Part:
    """Square errors by predictor, of the same callers for all, and whether the said range held."""

    squares: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    bias: float = 0.0
    waited: float = 0.0
    count: int = 0
    within: int = 0
    early: int = 0

    def add(self, told: dict[str, float], low: float, high: float, waited: float) -> None:
        for name, said in told.items():
            self.squares[name].append((said - waited) ** 2)
        self.count += 1
        self.bias += told[OURS] - waited
        self.waited += waited
        self.within += waited <= high
        self.early += waited < low

    def rmse(self, name: str) -> float:
        return rms(self.squares[name])


@dataclass
class Score:
    """What was told, of those who never give up (`steady`) and of all who were served; what must never happen.

    Only the steady tell how long it takes: of the others those are served for whom it was short.
    """

    steady: Part = field(default_factory=Part)
    served: Part = field(default_factory=Part)
    retold: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    retold_within: int = 0
    retold_ranges: int = 0
    no_number: int = 0
    raised: int = 0
    asterisk_raised: int = 0
    many_told: int = 0
    violations: int = 0
    callbacks: int = 0
    callbacks_jumped: int = 0
    callbacks_lost: int = 0
    callbacks_to_desk: int = 0
    over_dialled: int = 0
    services: int = 0
    held: list[float] = field(default_factory=list)

    def add(self, told: dict[str, float], low: float, high: float, waited: float, *, steady: bool) -> None:
        self.served.add(told, low, high, waited)
        if steady:
            self.steady.add(told, low, high, waited)


def rms(squares: list[float]) -> float:
    return sqrt(sum(squares) / len(squares)) if squares else 0.0

"""How long it takes to reach a person: QLm, the Erlang-A formula at the customer's own position, with live rates.

With n ahead, s agents at work, each finishing μ a second, and each waiting person giving up at θ a second, the place
moves at sμ + iθ while i stand before it: the mean is Σ i=0..n 1/(sμ + iθ), the variance Σ 1/(sμ + iθ)² (the family
of Ibrahim and Whitt, 2009). Those of a higher priority who come meanwhile, λ a second, move it back: then the wait is
the first passage of a birth and death process, of which the sums are the case λ = 0. Times in seconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, sqrt

from doenda.contact.rules.order import Desk, Place

ENOUGH = 20
"""Services within the window from which μ is taken; with fewer the head of the line tells (HOL)."""
Z_HALF, Z_FOUR_FIFTHS = 0.0, 0.8416212335729143
_STEPS = ((20, 1), (60, 5))
"""Minutes up to which a range is said to so many minutes; beyond, to 15."""


@dataclass(frozen=True, slots=True)
class History:
    """What happened within the window: finished services and the seconds that agents were at them (wrap-up included,
    those still going on as far as they got), who gave up, and the seconds that everybody waited together.

    `overtakers`: who came in `span` seconds and went before a place like the customer's, by priority.
    """

    services: int = 0
    service_seconds: float = 0.0
    gone: int = 0
    waited_seconds: float = 0.0
    overtakers: int = 0
    span: float = 0.0

    @property
    def mu(self) -> float | None:
        """Services a second by one agent at work. None while there is too little to say it."""
        return self.services / self.service_seconds if self.services >= ENOUGH and self.service_seconds > 0 else None

    @property
    def theta(self) -> float:
        """Give-ups a second of one person's waiting: 1/mean patience; 0 while nobody gave up."""
        return self.gone / self.waited_seconds if self.waited_seconds > 0 else 0.0

    @property
    def overtaking(self) -> float:
        """Customers a second who come and go before the place; λ."""
        return self.overtakers / self.span if self.span > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Crowd:
    """What stands before a customer. `staying`: of those `ahead`, callbacks, which do not give up waiting.

    `agents`: at work and not paused; `ready`: free ones among them; `head`: how long the first in line has waited.
    Where agents serve others, too, `pool` says how many are as good as the customer's own.
    """

    ahead: int
    agents: int
    ready: int = 0
    staying: int = 0
    head: float | None = None
    pool: "Pool | None" = None


@dataclass(frozen=True, slots=True)
class Pool:
    """`ahead`: those before the customer who need the very same; `agents`: their share of everybody who serves them."""

    ahead: int
    agents: float


def pool(mine: Place, desks: Sequence[tuple[Desk, int]], before: Sequence[tuple[Place, int]]) -> Pool | None:
    """The share of agents who serve several matters or languages that works for this one, each by what stands before.

    Everybody before the customer counts at each group of desks that serves them by its part of all who do; a group
    works for the customer's like by their part of what so counts there. None if nobody serves the customer.
    """

    def able(place: Place) -> int:
        return sum(count for desk, count in desks if desk.serves(place))

    capable = able(mine)
    if not capable:
        return None
    like = sum(count for place, count in before if (place.lang, place.skill) == (mine.lang, mine.skill))
    others = [
        (place, count / able(place))
        for place, count in before
        if (place.lang, place.skill) != (mine.lang, mine.skill) and able(place)
    ]
    share = 0.0
    for desk, count in desks:
        if desk.serves(mine):
            ours = (like + 1) / capable
            share += count * ours / (ours + sum(weight for place, weight in others if desk.serves(place)))
    return Pool(like, share)


@dataclass(frozen=True, slots=True)
class Wait:
    """`rule` names what told it: "free", "qlm" or "hol"."""

    mean: float
    variance: float
    rule: str

    def quantile(self, z: float) -> float:
        """The time by which it is over with the probability of the normal quantile `z`: of a gamma distribution with
        this mean and variance, by Wilson and Hilferty (within 2 % from one stage on)."""
        if self.mean <= 0:
            return 0.0
        shape = self.mean**2 / self.variance
        return self.mean * max(0.0, 1 - 1 / (9 * shape) + z / (3 * sqrt(shape))) ** 3


_BEYOND = 60
"""Places behind the customer's own that overtakers may push it back to, as far as the sum looks."""
_NEVER_STILL = 0.95
"""Overtakers count at most as this part of what the agents can do: else the place would never come."""


def qlm(ahead: int, agents: float, mu: float, theta: float, overtaking: float = 0.0) -> Wait:
    """The wait behind `ahead` people when all agents are at work. `agents` and `mu` above 0."""
    if overtaking > 0:
        return _pushed_back(ahead, agents * mu, theta, overtaking)
    mean = variance = 0.0
    for before in range(ahead + 1):
        step = 1.0 / (agents * mu + before * theta)
        mean += step
        variance += step * step
    return Wait(mean, variance, "qlm")


def _pushed_back(ahead: int, service: float, theta: float, overtaking: float) -> Wait:
    """First passage, from the far end down: one step takes m = 1/d + (λ/d) m', m' that of the place behind."""
    rate = min(overtaking, _NEVER_STILL * service)
    step = 1.0 / (service + (ahead + _BEYOND) * theta - rate)
    spread = step * step
    mean = variance = 0.0
    for before in range(ahead + _BEYOND - 1, -1, -1):
        down = service + before * theta
        behind, forward, back = step, down / (down + rate), rate / (down + rate)
        step = 1 / down + rate / down * behind
        spread = (1 / (down + rate) ** 2 + back * spread + back * forward * (behind + step) ** 2) / forward
        if before <= ahead:
            mean += step
            variance += spread
    return Wait(mean, variance, "qlm")


def estimate(crowd: Crowd, history: History) -> Wait | None:
    """The wait as it looks now. None where nothing honest can be said: nobody works, or nothing is known yet."""
    if crowd.ahead < crowd.ready:
        return Wait(0.0, 0.0, "free")
    if crowd.agents <= 0:
        return None
    mu = history.mu
    if mu is not None:
        leaving = 1 - crowd.staying / crowd.ahead if crowd.ahead else 1.0
        own = crowd.pool or Pool(crowd.ahead, crowd.agents)
        return qlm(own.ahead, own.agents, mu, history.theta * leaving, history.overtaking)
    if crowd.head is None or crowd.head <= 0:
        return None
    # The square error of HOL is about (c² of arrivals + 1) times that of QL, whose relative variance is 1/(n + 1).
    return Wait(crowd.head, 2 * crowd.head**2 / (crowd.ahead + 1), "hol")


@dataclass(frozen=True, slots=True)
class Minutes:
    """A range as it is said: from `low` to `high` whole minutes; `high` is at least 1, `low` 0 is "less than one"."""

    low: int
    high: int


def spoken(wait: Wait) -> Minutes:
    """P50 to P80, rounded outward: no minute is said that we do not believe, and nobody is told 13 min 50 s."""
    half, most = wait.quantile(Z_HALF) / 60, wait.quantile(Z_FOUR_FIFTHS) / 60
    grain = next((step for limit, step in _STEPS if most <= limit), 15)
    return Minutes(floor(half / grain) * grain, max(1, ceil(most / grain) * grain))

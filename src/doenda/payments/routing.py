"""By which provider a method is paid: the rule, over ways that guidance names and prices as data (`routes.toml`).

Standing comes first, then whether any device can use it, then what the payment costs, then the data's order. Guidance
decides what may be offered at all; here one way a method is chosen from that. Pure.
"""

import tomllib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from doenda.assurance.rule import NAMED, Name
from doenda.payments.states import State

if TYPE_CHECKING:  # the rule needs no database, and guidance does
    from doenda.assurance.guidance import OfferedWay

SOURCE = Path(__file__).with_name("routes.toml")
CHOSEN_FROM = (*NAMED, Name.SUSPECT, Name.HALF_OPEN, Name.UNPROVEN)
"""Standings, best first. A way of any other standing is never chosen."""
_MOVES_ON = frozenset({State.REFUSED, State.OUR_FAULT})


@dataclass(frozen=True, slots=True)
class Route:
    """What a payment through a provider costs, and which amounts it takes; minor units, both limits included.

    `currency` "": any. `maximum` 0: none. Raises ValueError.
    """

    provider: str
    currency: str = ""
    fixed: int = 0
    per_mille: int = 0
    minimum: int = 1
    maximum: int = 0

    def __post_init__(self) -> None:
        if self.fixed < 0 or self.per_mille < 0 or self.minimum < 1 or (self.maximum and self.maximum < self.minimum):
            raise ValueError(f"{self.provider}: a cost below zero, or limits that nothing can meet")

    def takes(self, amount: int, currency: str) -> bool:
        return (
            self.currency in {"", currency} and self.minimum <= amount and (not self.maximum or amount <= self.maximum)
        )

    def cost(self, amount: int) -> int:
        """Thousandths of a minor unit, so that nothing is rounded."""
        return self.fixed * 1000 + self.per_mille * amount


type Routes = Mapping[str, Sequence[Route]]


@cache
def routes(source: Path = SOURCE) -> Routes:
    """Each method's providers in the data's order. Raises ValueError naming the method and the line."""
    found: dict[str, tuple[Route, ...]] = {}
    for method, lines in tomllib.loads(source.read_text(encoding="utf-8")).items():
        made: list[Route] = []
        for number, line in enumerate(lines, 1):
            try:
                route = Route(**line)
            except (TypeError, ValueError) as error:
                raise ValueError(f"{source.name}, {method} {number}: {error}") from error
            if any((route.provider, route.currency) == (other.provider, other.currency) for other in made):
                raise ValueError(f"{source.name}, {method} {number}: {route.provider} is listed twice")
            made.append(route)
        found[method] = tuple(made)
    return MappingProxyType(found)


def best(
    ways: "Sequence[OfferedWay]",
    *,
    amount: int,
    currency: str,
    avoid: Collection[str] = (),
    scripts: bool = True,
    by: Routes | None = None,
) -> "tuple[OfferedWay, ...]":
    """One way for each method and channel that can take `amount` (minor units) of `currency`, best standing first.

    `avoid`: slugs of ways, or names of providers, that just failed for this customer: chosen only where the method has
    no other, and listed after the rest. `scripts` False: only ways that need none. `by`: other routes than the data's.
    """
    return _each_method(_ranked(ways, amount, currency, avoid, by, scripts=scripts))


def next_after(
    slug: str,
    ways: "Sequence[OfferedWay]",
    *,
    amount: int,
    currency: str,
    avoid: Collection[str] = (),
    scripts: bool = True,
    by: Routes | None = None,
) -> "OfferedWay | None":
    """The way of the same channel and method to try after `slug`, or None when all of them are to be avoided.

    Only for a try that certainly took nothing: see `may_move_on`.
    """
    channel, method, _ = slug.split("/")
    gone = {slug, *avoid}
    others = [way for way in ways if (way.channel, way.method) == (channel, method) and not _avoided(way, gone)]
    return next(iter(_ranked(others, amount, currency, (), by, scripts=scripts)), None)


def may_move_on(state: State | str) -> bool:
    """May the same wish to pay go to another provider by itself after an attempt that ended so? Only where certainly
    nothing was taken and the customer still wants to pay: not after one that expired or was closed, and never while an
    outcome is unknown, at the provider's page, or waits for a deposit or a debit."""
    return State(state) in _MOVES_ON


def limits(method: str, currency: str, by: Routes | None = None) -> int:
    """The smallest amount (minor units) that any listed provider of `method` takes; 1 where none has a limit."""
    known = [route.minimum for route in (by or routes()).get(method, ()) if route.currency in {"", currency}]
    return min(known, default=1)


def _ranked(
    ways: "Iterable[OfferedWay]",
    amount: int,
    currency: str,
    avoid: Collection[str],
    by: Routes | None,
    *,
    scripts: bool,
) -> "list[OfferedWay]":
    """Those that can take it, best first. Every part of the key is the way's own, so the order given never matters."""
    known = routes() if by is None else by
    order = {method: number for number, method in enumerate(known)}
    found: list[tuple[tuple[object, ...], OfferedWay]] = []
    for way in ways:
        if way.standing not in CHOSEN_FROM or (way.scripts and not scripts):
            continue
        place = _place(known.get(way.method, ()), way.provider, amount, currency)
        if place is not None:
            method = order.get(way.method, len(order))
            rank = (_avoided(way, avoid), CHOSEN_FROM.index(way.standing), method, way.scripts, *place, way.slug)
            found.append((rank, way))
    return [way for _, way in sorted(found, key=lambda each: each[0])]


def _place(known: Sequence[Route], provider: str, amount: int, currency: str) -> tuple[int, int, int] | None:
    """Unlisted ones last, then by cost, then by the data's order; None where it does not take the amount."""
    mine = [(number, route) for number, route in enumerate(known) if route.provider == provider]
    if not mine:
        return (1, 0, len(known))
    costs = [(0, route.cost(amount), number) for number, route in mine if route.takes(amount, currency)]
    return min(costs, default=None)


def _avoided(way: "OfferedWay", avoid: Collection[str]) -> bool:
    return way.slug in avoid or way.provider in avoid


def _each_method(ranked: "Iterable[OfferedWay]") -> "tuple[OfferedWay, ...]":
    first: dict[tuple[str, str], OfferedWay] = {}
    for way in ranked:
        first.setdefault((way.channel, way.method), way)
    return tuple(first.values())

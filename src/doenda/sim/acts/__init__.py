"""What can be done in a world, one file a subject; an act is a function of the world, drawn by its weight.

An act uses the house through the doors that channels, webhooks, the worker and staff use, and the outside world through
its peers; it takes its chance from `world.chance` alone.
"""

import importlib
import pkgutil
from collections.abc import Callable, Container
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from doenda.sim.world import World

type Act = Callable[["World"], None]


class Hindered(Exception):
    """The actor could not do it, as it happens to people: a page is down, a shop says no."""


_acts: dict[str, tuple[Act, float, tuple[str, ...]]] = {}
PAGES = ("sandbox", "toss", "portone")
"""Providers that have a page of their own, or a script's."""
NUMBERS = ("deposit", "toss", "portone")
"""Providers that give out account numbers to pay into."""


def act(weight: float, *needs: str) -> Callable[[Act], Act]:
    """Register an act by its function's name; `weight`: how often it is drawn, beside the others; `needs`: one of these
    providers."""

    def register(does: Act) -> Act:
        name = does.__name__
        if name in _acts:
            raise ValueError(f"two acts are called {name}")
        _acts[name] = does, weight, needs
        return does

    return register


@cache
def load() -> None:
    """Import every subject, in the order of the alphabet."""
    for module in sorted(each.name for each in pkgutil.iter_modules(__path__)):
        importlib.import_module(f"{__name__}.{module}")


def named(name: str) -> Act:
    """Raises KeyError."""
    load()
    return _acts[name][0]


def weights(providers: Container[str] | None = None) -> dict[str, float]:
    """Every act with its weight, by name; only what can be done with these providers."""
    load()
    found = {name: (weight, needs) for name, (_, weight, needs) in sorted(_acts.items())}
    return {
        name: weight
        for name, (weight, needs) in found.items()
        if providers is None or not needs or any(each in providers for each in needs)
    }


THEMES = ("cards", "collections", "counter", "customers", "debits", "deposits", "staff")
"""Subjects that a world can be about."""


def subjects() -> dict[str, str]:
    """What each act is about: the file that it stands in; "" for what happens in every world."""
    load()
    found = {name: does.__module__.rpartition(".")[2] for name, (does, _, _) in _acts.items()}
    return {name: subject if subject in THEMES else "" for name, subject in found.items()}

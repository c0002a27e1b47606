"""A driver a provider: a new one is a file here, `drivers/NAME.py` with a class `Driver`."""

import importlib
import pkgutil

from doenda.sim.driver import Driver


def names() -> list[str]:
    """Every provider that has a driver, in the order of the alphabet, the sandbox first."""
    found = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return sorted(found, key=lambda name: name != "sandbox")


def of(name: str) -> type[Driver]:
    """The driver's class. Raises ModuleNotFoundError."""
    made: type[Driver] = importlib.import_module(f"{__name__}.{name}").Driver
    return made

"""One whole system a run, as customers meet it: real processes, a real port, real browsers.

See `make test-browsers`.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.worlds import link, overdue_bill

from doenda.app.stage import Stage, stage
from doenda.billing.models import Bill

os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # playwright keeps a loop in this thread; nothing else runs in it
MUST = os.environ.get("CI") == "true"
"""Where a browser has to be there: a missing one is a failure, not a skip."""


def pytest_configure(config: pytest.Config) -> None:
    """Browsers, drivers and processes leave pipes to the garbage collector; that is nothing about pages."""
    config.addinivalue_line("filterwarnings", "ignore::pytest.PytestUnraisableExceptionWarning")
    config.addinivalue_line("filterwarnings", "ignore::ResourceWarning")


@pytest.fixture(scope="session")
def django_db_setup() -> None:
    """pytest-django's hook: the stage brings its own database."""


@pytest.fixture(scope="session")
def house(django_db_blocker: Any) -> Iterator[Stage]:
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as env:
        env.setenv("DJANGO_SETTINGS_MODULE", "doenda.app.settings")  # for its processes; ours are the tests' settings
        with stage(fast=True) as made:
            yield made


@pytest.fixture(scope="session")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots go, to be looked at by a person; DOENDA_SHOTS names another folder."""
    folder = Path(os.environ.get("DOENDA_SHOTS") or tmp_path_factory.mktemp("shots"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def new_bill(house: Stage) -> Callable[..., tuple[Bill, str]]:
    """A bill of a customer of its own, and the link to it."""
    made = 0

    def one(amount: int = 52300, days: int = 5) -> tuple[Bill, str]:
        nonlocal made
        made += 1
        bill = overdue_bill(amount, number=f"2026-{made:06d}", phone=f"+8210{made:08d}", days=days)
        return bill, link(bill)

    return one


def missing(what: str) -> None:
    """Skip with the reason, or fail where the browser has to be there."""
    if MUST:
        pytest.fail(what)
    pytest.skip(what)

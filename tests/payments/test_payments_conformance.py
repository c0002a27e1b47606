"""The behaviours of `doenda drill providers`, our own peers inside this process (localstripe is always one apart)."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from doenda.app.conformance.behaviours import ALL, Behaviour
from doenda.app.conformance.house import House
from doenda.app.conformance.run import FAILED, NONE, OK, Cell, _result, bench, check, lacking
from doenda.sim import drivers

ROLLED_BACK = "doenda_test"  # the database of tests that are rolled back (conftest.py)
ROWS = [
    pytest.param(name, row, id=f"{name}-{row.name}")
    for name in drivers.names()
    for row in ALL
    if lacking(drivers.of(name), row) is None
]


class Benches:
    """One bench at a time, on one database with real commits: the next provider ends the one before."""

    def __init__(self) -> None:
        self._stack, self._name = ExitStack(), ""

    def of(self, name: str) -> House:
        if name != self._name:
            self._stack.close()
            self._stack, self._name = ExitStack(), ""
            self._house = self._stack.enter_context(bench(name, inside=True))
            self._name = name
        return self._house

    def close(self) -> None:
        self._stack.close()


@pytest.fixture(scope="module")
def benches(test_server, django_db_blocker) -> Iterator[Benches]:  # type: ignore[no-untyped-def]
    made = Benches()
    with django_db_blocker.unblock():
        name = test_server.clone()
        test_server.use(name)
        try:
            yield made
        finally:
            made.close()
            test_server.use(ROLLED_BACK)
            test_server.run(f"DROP DATABASE {name} WITH (FORCE)", role="postgres")


@pytest.mark.parametrize(("provider", "row"), ROWS)
def test_every_provider_keeps_to_every_behaviour(provider: str, row: Behaviour, benches: Benches) -> None:
    check(benches.of(provider), row)


@pytest.mark.parametrize("name", drivers.names())
def test_what_a_provider_lacks_is_a_behaviour_and_has_its_reason(name: str) -> None:
    known = {row.name for row in ALL} | {row.needs for row in ALL}
    lacks = drivers.of(name).lacks
    assert set(lacks) <= known
    assert all(len(why) > 20 for why in lacks.values())


def test_every_behaviour_is_shown_by_some_provider() -> None:
    for row in ALL:
        assert any(lacking(drivers.of(name), row) is None for name in drivers.names()), row.name


def test_one_failed_cell_fails_the_drill_and_a_dash_gives_its_reason() -> None:
    cells = {row.name: Cell(OK) for row in ALL}
    good = _result({"sandbox": cells | {"deposit": Cell(NONE, "it opens no accounts")}})
    assert good.ok
    assert good.figures == {
        "providers": 1,
        "behaviours": len(ALL),
        "passed": len(ALL) - 1,
        "failed": 0,
        "not_applicable": 1,
    }
    assert "- sandbox, deposit: it opens no accounts" in good.notes
    bad = _result({"sandbox": cells | {"paid": Cell(FAILED, "it was not")}})
    assert not bad.ok
    assert bad.failures == ["sandbox, paid: it was not"]
    assert not _result({}).ok

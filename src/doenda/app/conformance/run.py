"""Running the suite: the table provider x behaviour, and its figures."""

import contextlib
import logging
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.conf import settings

from doenda.app import stage
from doenda.app.conformance.behaviours import ALL, Behaviour
from doenda.app.conformance.house import House, still
from doenda.app.result import Result
from doenda.billing import books
from doenda.kernel import net, offset
from doenda.payments import providers
from doenda.sim import drivers
from doenda.sim.driver import Driver
from doenda.sim.line import Line
from doenda.sim.places import place

OK, FAILED, NONE = "ok", "FAILED", "-"


@dataclass(frozen=True, slots=True)
class Cell:
    """What became of one behaviour of one provider; `why`: what did not hold, or why there is none."""

    said: str
    why: str = ""


def lacking(driver: type[Driver], row: Behaviour) -> str | None:
    """Why this provider has no such behaviour by its nature, or None. A driver that neither can nor says why: None."""
    return driver.lacks.get(row.name) or driver.lacks.get(row.needs)


@contextlib.contextmanager
def bench(name: str, *, inside: bool) -> Iterator[House]:
    """The house with one provider, whose peer runs until the block ends; this process's settings are put back."""
    before = settings.DOENDA_PROVIDERS
    line = Line()
    try:
        with still(), place(inside=inside) as where:
            house = House(drivers.of(name)(where, line))
            with net.using(line):
                assert house.terms.name == name
                house.driver.prepare()
                try:
                    yield house
                finally:
                    house.driver.tidy()
    finally:
        settings.DOENDA_PROVIDERS = before
        providers.get.cache_clear()


def check(house: House, row: Behaviour, *, direct: bool = True, through: bool = True) -> None:
    """One behaviour, on a clock and with a peer that are well again. Raises AssertionError for what does not hold."""
    direct = direct and not house.driver.own_rows
    for part in ((row.direct if direct else None), (row.house if through else None)):
        if part is None:
            continue
        with still():
            house.driver.heal()
            try:
                part(house)
            finally:
                house.driver.heal()


def run(only: Iterable[str] = ()) -> Result:
    """Every provider that has a driver (or `only` these), each peer a process of its own, on a throwaway database."""
    wanted = list(only) or drivers.names()
    table: dict[str, dict[str, Cell]] = {}
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)  # what goes wrong here is meant to
    try:
        with stage.database(fast=True):
            books.forget()
            offset.forget()
            for name in wanted:
                table[name] = _provider(name)
    finally:
        logging.disable(before)
        books.forget()
    return _result(table)


def _provider(name: str) -> dict[str, Cell]:
    """A provider whose peer does not start (localstripe comes with the extra `dev`) fails all that it does not lack."""
    try:
        with bench(name, inside=False) as house:
            return {row.name: _cell(house, row) for row in ALL}
    except Exception as error:  # noqa: BLE001 - one peer that does not start must not hide the other providers
        said = Cell(FAILED, f"its peer did not start: {type(error).__name__}: {error}"[:200])
        return {row.name: Cell(NONE, why) if (why := lacking(drivers.of(name), row)) else said for row in ALL}


def _cell(house: House, row: Behaviour) -> Cell:
    why = lacking(type(house.driver), row)
    if why is not None:
        return Cell(NONE, why)
    try:
        check(house, row)
    except Exception as error:  # noqa: BLE001 - whatever a provider raises is a failure of its row, and the next follows
        where = traceback.extract_tb(error.__traceback__)[-1]
        return Cell(FAILED, f"{type(error).__name__}: {error} ({where.name}, line {where.lineno})"[:400])
    return Cell(OK)


def _result(table: dict[str, dict[str, Cell]]) -> Result:
    result = Result()
    cells = [(name, row, cell) for name, rows in table.items() for row, cell in rows.items()]
    count = {said: sum(cell.said == said for *_, cell in cells) for said in (OK, FAILED, NONE)}
    result.figures = {
        "providers": len(table),
        "behaviours": len(ALL),
        "passed": count[OK],
        "failed": count[FAILED],
        "not_applicable": count[NONE],
    }
    result.notes = _lines(table)
    result.expect(bool(table), "no provider has a driver")
    for name, row, cell in cells:
        result.expect(cell.said != FAILED, f"{name}, {row}: {cell.why}")
    return result


def _lines(table: dict[str, dict[str, Cell]]) -> list[str]:
    """The table for people, then the reason of every "-"."""
    wide, columns = max(len(row.name) for row in ALL), list(table)
    width = {name: max(len(name), len(FAILED)) for name in columns}
    lines = [" " * wide + "  " + "  ".join(f"{name:<{width[name]}}" for name in columns).rstrip()]
    for row in ALL:
        said = "  ".join(f"{table[name][row.name].said:<{width[name]}}" for name in columns)
        lines.append(f"{row.name:<{wide}}  {said}".rstrip())
    reasons: dict[tuple[str, str], list[str]] = {}
    for name in columns:
        for row_name, cell in table[name].items():
            if cell.said == NONE:
                reasons.setdefault((name, cell.why), []).append(row_name)
    lines += [f"- {name}, {', '.join(rows)}: {why}" for (name, why), rows in reasons.items()]
    lines += [f"* {name}: {what}" for name in columns for what in drivers.of(name).peculiar.values()]
    return lines

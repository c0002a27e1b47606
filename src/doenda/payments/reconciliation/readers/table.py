"""A bank's list of an account's movements as CSV, read strictly by a description of that bank's columns.

Its running balance proves that no row is missing; where the bank gives a row no number, moment, amount and balance
together are its key, so two equal movements of one second stay two.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from pathlib import Path

from django.conf import settings

from doenda.billing.imports import table
from doenda.billing.imports.decode import Opened
from doenda.kernel import clock
from doenda.payments.reconciliation.lines import Line, Statement, numbered
from doenda.payments.reconciliation.readers import checks
from doenda.payments.reconciliation.readers.checks import refuse

POLICIES = Path(__file__).parent.parent / "policies"


class MappingBroken(ValueError):
    """The description of a bank's list says something that cannot be; names the file and the bank."""


@dataclass(frozen=True, slots=True)
class Columns:
    """How one bank's list says what happened (policies/tables-*.toml describes each name)."""

    currency: str
    at: tuple[str, ...]
    at_form: str
    money_in: str
    money_out: str
    balance: str
    account: str = ""
    account_is: str = ""
    ident: tuple[str, ...] = ()
    name: str = ""
    references: tuple[str, ...] = ()
    returns: tuple[str, ...] = ()
    point: str = "."
    newest_first: bool = False
    ignored: tuple[str, ...] = ()

    @property
    def needed(self) -> tuple[str, ...]:
        return tuple(
            each for each in (*self.at, self.money_in, self.money_out, self.balance, self.account, *self.ident) if each
        )

    @property
    def optional(self) -> tuple[str, ...]:
        return tuple(each for each in (self.name, *self.references, *self.ignored) if each)


@cache
def mappings(country: str) -> Mapping[str, Columns]:
    """Every bank's description by its name. Raises MappingBroken."""
    path = POLICIES / f"tables-{country.lower()}.toml"
    found = {}
    for name, entry in tomllib.loads(path.read_text(encoding="utf-8")).items():
        try:
            lists = {
                each: tuple(entry[each])
                for each in ("at", "ident", "references", "returns", "ignored")
                if each in entry
            }
            made = Columns(**(entry | lists))
        except (TypeError, KeyError) as error:
            raise MappingBroken(f"{path.name} [{name}]: {error}") from error
        if bool(made.account) == bool(made.account_is) or made.point not in {".", ","} or not made.balance:
            raise MappingBroken(
                f"{path.name} [{name}]: a column or a name of the account, the balance, a point or comma"
            )
        found[name] = made
    return found


def read(opened: Opened, mapping: str) -> list[Statement]:
    """The one statement that the file is. Raises KeyError for a mapping that is not described, Refused, OSError."""
    columns = mappings(settings.DOENDA_COUNTRY)[mapping]
    found: list[tuple[int, Line, int, str]] = []
    with table.rows(opened) as (header, body):
        lowered = [tuple(each.lower() for each in names) for names in (columns.needed, columns.optional)]
        table.check_header(header, lowered[0], lowered[1])
        for row, fields in body:
            if len(fields) != len(header):
                raise refuse(row, "line", "", f"{len(fields)} fields where the header has {len(header)}")
            found.append((row, *_row(row, dict(zip(header, map(str.strip, fields), strict=True)), columns)))
    if not found:
        raise refuse(1, "file", "", "holds no movement")
    if columns.newest_first:
        found.reverse()
    return [_statement(found, columns, mapping)]


def _row(row: int, fields: Mapping[str, str], columns: Columns) -> tuple[Line, int, str]:
    """The line, the balance after it, and the account it is of."""

    def of(*names: str, joined: str = " ") -> str:
        return joined.join(fields.get(name.lower(), "") for name in names if name).strip()

    try:
        at = datetime.strptime(of(*columns.at), columns.at_form)  # noqa: DTZ007 - the carrier's zone is added below
    except ValueError as error:
        raise refuse(row, columns.at[0], of(*columns.at), f"not of the form {columns.at_form}") from error
    at = at if at.tzinfo else at.replace(tzinfo=clock.zone())
    came, went = (_amount(row, name, of(name), columns) for name in (columns.money_in, columns.money_out))
    balance = _amount(row, columns.balance, of(columns.balance), columns, below=True)
    if bool(came) == bool(went):
        raise refuse(
            row, columns.money_in, of(columns.money_in), f"either this or {columns.money_out} is more than nothing"
        )
    key = of(*columns.ident, joined="-") or f"{at:%Y%m%d%H%M%S}/{came - went}/{balance}"
    texts = [text for name in columns.references if (text := of(name))]
    line = Line(
        ident=key[:132],
        kind="in" if came else "out",
        amount=came or went,
        currency=columns.currency,
        at=at,
        booked_on=at.date(),
        reference=texts[0][:140] if texts else "",
        provider_ref=of(*columns.ident, joined="-"),
        references=tuple(texts),
        name=of(columns.name),
        undoes=any(word in text for word in columns.returns for text in texts),
        place=f"line {row}",
    )
    return line, balance, columns.account_is or of(columns.account)


def _amount(row: int, name: str, said: str, columns: Columns, *, below: bool = False) -> int:
    """Minor units; nothing where nothing stands. Thousands may be marked, in threes, by the other sign."""
    if not said or said == "-":
        return 0
    mark = "," if columns.point == "." else "."
    whole = said.partition(columns.point)[0]
    if mark in said and not re.fullmatch(rf"-?\d{{1,3}}({re.escape(mark)}\d{{3}})+", whole):
        raise refuse(row, name, said, f"thousands are marked by {mark!r}, in threes, or not at all")
    amount = checks.minor(said.replace(mark, "").replace(columns.point, "."), columns.currency, row, name)
    if amount < 0 and not below:
        raise refuse(row, name, said, "is less than nothing")
    return amount


def _statement(found: list[tuple[int, Line, int, str]], columns: Columns, mapping: str) -> Statement:
    row, first, balance, account = found[0]
    opening = before = balance - first.signed
    for row, line, balance, other in found:
        if other != account:
            raise refuse(
                row, columns.account, "", "is another account than in the rows before: give one file an account"
            )
        if before + line.signed != balance:
            raise refuse(
                row,
                columns.balance,
                balance,
                f"{before} and {line.signed} come to {before + line.signed}, in minor units",
            )
        before = balance
    lines = [line for _, line, _, _ in found]
    ident = f"{first.at:%Y%m%d%H%M%S}-{lines[-1].at:%Y%m%d%H%M%S}/{opening}-{before}"
    told = {"statement": ident, "form": f"csv:{mapping}"}
    return Statement(
        f"csv:{mapping}"[:20],
        account.replace("-", ""),
        ident,
        columns.currency,
        tuple(numbered([replace(line, told=told) for line in lines])),
        None,
        opening,
        before,
        first.booked_on,
        lines[-1].booked_on,
    )

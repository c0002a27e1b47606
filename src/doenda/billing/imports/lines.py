"""The rule for one line of a bills CSV: one item of one bill. Pure; docs/imports.md is its description for people."""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from operator import itemgetter
from typing import Any, NamedTuple

import phonenumbers

from doenda.kernel import money

REQUIRED = ("account", "bill", "bill_date", "due_date", "currency", "class", "amount")
OPTIONAL = (
    "revision",
    "kind",
    "credits",
    "total",
    "period_start",
    "period_end",
    "account_holder",
    "holder_kind",
    "party",
    "phone",
    "email",
    "language",
    "line",
)
KINDS = ("bill", "credit_note")
HOLDER_KINDS = ("person", "company")
LANGUAGES = ("ko", "en")
LENGTHS = {"account": 64, "bill": 64, "credits": 64, "account_holder": 200, "email": 254, "party": 80, "payment_id": 60}
LARGEST_REVISION = 10**12
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]")
_KOREAN_MOBILE = re.compile(r"01[016789][ -]?\d{3,4}[ -]?\d{4}")
_E164 = re.compile(r"\+[1-9]\d{6,14}")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class Wrong(ValueError):
    """A field that cannot be what its column says: the message is the reason."""


class Common(NamedTuple):
    """What a line says of its bill and account; lines of one bill mostly share it. `total` in minor units."""

    account: str
    bill: str
    revision: int
    kind: str
    credits: str
    period_start: date | None
    period_end: date | None
    bill_date: date
    due_date: date
    currency: str
    total: int | None
    holder: str
    holder_kind: str
    party: str
    phone: str
    email: str
    language: str
    line: str

    @property
    def head(self) -> tuple[object, ...]:
        """What all lines of a bill must agree on."""
        return self[0:1] + self[2:11]


class Staged(NamedTuple):
    """One line, understood: `amount` (minor units) of a class on the bill that `common` describes."""

    row: int
    item_class: str
    amount: int
    common: Common


def text(value: str, column: str) -> str:
    """Kept as it is: a name that begins with "=" is a name. Refuses control characters and what does not fit."""
    if value and not value.isprintable() and _CONTROL.search(value):
        raise Wrong("a control character")
    if len(value) > LENGTHS[column]:
        raise Wrong(f"longer than {LENGTHS[column]} characters")
    return value


def needed(value: str, column: str) -> str:
    if not value:
        raise Wrong("must not be empty")
    return text(value, column)


def day(value: str) -> date:
    """A date as YYYY-MM-DD, between 1990 and 2100."""
    if not _DATE.fullmatch(value) or not value.isascii():
        raise Wrong("not a date (YYYY-MM-DD)")
    try:
        found = date.fromisoformat(value)
    except ValueError as error:
        raise Wrong("no such day") from error
    if not 1990 <= found.year <= 2100:
        raise Wrong("the year is not between 1990 and 2100")
    return found


def phone(value: str, country: str) -> str:
    """E.164, from that or from the country's own way of writing it; "" for none."""
    if not value or (_E164.fullmatch(value) and value.isascii()):
        return value
    if country == "KR" and value.isascii() and _KOREAN_MOBILE.fullmatch(value):
        return "+82" + value[1:].replace("-", "").replace(" ", "")
    if len(value) > 40 or not value.isprintable():
        raise Wrong("not a phone number")
    try:
        parsed = phonenumbers.parse(value, country)
    except phonenumbers.NumberParseException as error:
        raise Wrong("not a phone number") from error
    if not phonenumbers.is_possible_number(parsed):
        raise Wrong("not a possible phone number")
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def whole(value: str, largest: int) -> int:
    if not (value.isascii() and value.isdigit()) or len(value) > 15 or int(value) > largest:
        raise Wrong("not a whole number")
    return int(value)


def choice(value: str, among: Sequence[str]) -> str:
    if value not in among:
        raise Wrong(f"not one of {', '.join(among)}")
    return value


def currency(value: str) -> int:
    """The digits after the point. Refuses what ISO 4217 does not know."""
    try:
        return money.exponent(value)
    except ValueError as error:
        raise Wrong("not a currency code of ISO 4217") from error


def amount(value: str, code: str) -> int:
    """Minor units of an amount as people write it: "52,300", "-1200", "50.00"."""
    try:
        return money.Money.parse(value, code).minor
    except ValueError as error:
        reason = str(error)
        raise Wrong(
            reason if "decimals" in reason or "large" in reason else "not an amount" if value else "must not be empty"
        ) from error


def email(value: str) -> str:
    if value and ("@" not in value or " " in value):
        raise Wrong("not an e-mail address")
    return text(value, "email")


def memo[T](rule: Callable[[str], T]) -> Callable[[str], T]:
    """Remember answers for values that repeat all over a file (days, classes); a bad one is looked at again."""
    known: dict[str, T] = {}

    def ask(value: str) -> T:
        if value in known:
            return known[value]
        found = rule(value)
        if len(known) < 10_000:
            known[value] = found
        return found

    return ask


type Found = list[tuple[str, str, str]]


class LineRule:
    """Reads the fields of one line, in the header's order. Built once a file."""

    def __init__(self, header: Sequence[str], *, classes: frozenset[str], country: str) -> None:
        self.width = len(header)
        place = {name: n for n, name in enumerate(header)}
        blank = self.width  # where an empty field is added
        self.order = itemgetter(*(place.get(name, blank) for name in COMMON_COLUMNS))
        self.own = itemgetter(place["class"], place["amount"])
        self.item_class = memo(lambda name: choice(name, sorted(classes)))
        self.unit = memo(lambda code: 10 ** currency(code))
        self.rules = _rules(self.unit, country)
        self.last: tuple[tuple[str, ...], Common] | None = None

    def read(self, row: int, fields: Sequence[str]) -> Staged | Found:
        """The line, or (column, value, reason) of everything wrong with it."""
        if len(fields) != self.width:
            return [("line", "", f"{len(fields)} fields where the header has {self.width}")]
        stripped = [*map(str.strip, fields), ""]
        values = self.order(stripped)
        class_name, amount_text = self.own(stripped)
        try:
            if self.last is None or self.last[0] != values:
                self.last = (values, self._common(values))
            common = self.last[1]
            return Staged(row, self.item_class(class_name), _minor(amount_text, common.currency, self.unit), common)
        except Wrong:
            return self._everything_wrong(values, class_name, amount_text)

    def _common(self, values: tuple[str, ...]) -> Common:
        taken = [rule(value) for rule, value in zip(self.rules, values, strict=True)]
        total = _minor(values[TOTAL], values[CURRENCY], self.unit) if values[TOTAL] else None
        common = Common._make([*taken[:TOTAL], total, *taken[TOTAL + 1 :]])
        for _, reason in _contradictions(common):
            raise Wrong(reason)
        return common

    def _everything_wrong(self, values: tuple[str, ...], class_name: str, amount_text: str) -> Found:
        """The slow way through a line that is bad: every field's own problem, else what contradicts."""
        found: Found = []
        taken: list[Any] = []
        code = values[CURRENCY]
        checks = [*zip(COMMON_COLUMNS, values, self.rules, strict=True), ("class", class_name, self.item_class)]
        for column, value, rule in checks:
            try:
                taken.append(rule(value))
            except Wrong as error:
                taken.append(None)
                found.append((column, value, str(error)))
        if not any(column == "currency" for column, _, _ in found):
            for column, value in (("total", values[TOTAL]), ("amount", amount_text)):
                try:
                    if value or column == "amount":
                        _minor(value, code, self.unit)
                except Wrong as error:
                    found.append((column, value, str(error)))
        by_column = dict(zip(COMMON_COLUMNS, values, strict=True))
        common = Common._make(taken[: len(COMMON_COLUMNS)])
        return found + [(column, by_column[column], reason) for column, reason in _contradictions(common)]


COMMON_COLUMNS = (
    "account",
    "bill",
    "revision",
    "kind",
    "credits",
    "period_start",
    "period_end",
    "bill_date",
    "due_date",
    "currency",
    "total",
    "account_holder",
    "holder_kind",
    "party",
    "phone",
    "email",
    "language",
    "line",
)
CURRENCY, TOTAL = COMMON_COLUMNS.index("currency"), COMMON_COLUMNS.index("total")


def _rules(unit: Callable[[str], int], country: str) -> tuple[Callable[[str], Any], ...]:
    """One rule a column of COMMON_COLUMNS; `total` is read after the currency and passes here."""

    def code(value: str) -> str:
        unit(value)
        return value

    def words(column: str) -> Callable[[str], str]:
        return lambda value: text(value, column)

    def e164(value: str) -> str:
        return phone(value, country)

    optional_day = memo(lambda value: day(value) if value else None)
    rules: dict[str, Callable[[str], Any]] = {
        "account": lambda value: needed(value, "account"),
        "bill": lambda value: needed(value, "bill"),
        "revision": memo(lambda value: whole(value or "1", LARGEST_REVISION)),
        "kind": memo(lambda value: choice(value or KINDS[0], KINDS)),
        "credits": words("credits"),
        "period_start": optional_day,
        "period_end": optional_day,
        "bill_date": memo(day),
        "due_date": memo(day),
        "currency": code,
        "total": str,
        "account_holder": words("account_holder"),
        "holder_kind": memo(lambda value: choice(value or HOLDER_KINDS[0], HOLDER_KINDS)),
        "party": words("party"),
        "phone": e164,
        "email": email,
        "language": memo(lambda value: choice(value or LANGUAGES[0], LANGUAGES)),
        "line": e164,
    }
    return tuple(rules[column] for column in COMMON_COLUMNS)


def _minor(value: str, code: str, unit: Callable[[str], int]) -> int:
    if len(value) <= 12 and value.isascii() and value.isdigit():
        return int(value) * unit(code)
    return amount(value, code)


def _contradictions(common: Common) -> Iterator[tuple[str, str]]:
    """(column, reason) of fields that are fine by themselves and not together; None stands for a field that is not."""
    if common.due_date and common.bill_date and common.due_date < common.bill_date:
        yield "due_date", "before bill_date"
    if common.period_start and common.period_end and common.period_end < common.period_start:
        yield "period_end", "before period_start"
    if common.credits and common.kind == "bill":
        yield "credits", "only a credit_note credits a bill"

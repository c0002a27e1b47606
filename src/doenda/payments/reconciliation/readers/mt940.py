"""MT940 customer statements, read strictly: every tag in its place, both balances, nothing left over.

The fields themselves (`:61:` with the habits of many banks, the entry date over New Year, structured `:86:`) are read
by the library mt-940; what it lets pass, this reader refuses: a tag that it does not know, a line that is no tag's, a
statement without its end, pages that do not follow each other, sums that do not come out.
"""

import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import mt940

from doenda.billing.imports.decode import Opened
from doenda.payments.reconciliation.lines import Line, Statement, numbered
from doenda.payments.reconciliation.readers import checks
from doenda.payments.reconciliation.readers.checks import refuse

logging.getLogger("mt940").addHandler(logging.NullHandler())
logging.getLogger("mt940").propagate = False  # it logs the values of fields, and they hold account numbers
FORM = "mt940"
_TAG = re.compile(r":(\d\d[A-Z]?|NS):(.*)", re.DOTALL)
_BETWEEN = re.compile(r"-?\}?|\{[0-9]:.*|940( \d\d)?|:940:|[A-Z0-9]{8,12}|\d{4} \d\d[A-Z0-9]{12,24}")
_ONCE = {"20", "25", "28", "28C", "60F", "60M", "62F", "62M"}
_KNOWN = _ONCE | {"13D", "21", "34F", "61", "64", "65", "86", "90D", "90C", "NS"}
_TEXTS = {"61", "86", "NS"}
"""Fields that go on over several lines, of which one may begin like a field: ":26: Uhr"."""
_OPTIONS = mt940.Options.all()
_BALANCES = {
    "60F": mt940.tags.FinalOpeningBalance(),
    "60M": mt940.tags.IntermediateOpeningBalance(),
    "62F": mt940.tags.FinalClosingBalance(),
    "62M": mt940.tags.IntermediateClosingBalance(),
    "90D": mt940.tags.SumDebitEntries(),
    "90C": mt940.tags.SumCreditEntries(),
}
_LINE, _DETAILS = mt940.tags.Statement(), mt940.tags.TransactionDetails()
_RETURNED_TYPES, _RETURNED_GVC = {"NRTI", "FRTI", "SRTI"}, {"108", "109", "159", "181", "184"}
_NOTHING = {"", "NONREF", "NOTPROVIDED", "KREF", "EREF", "PREF", "MARF"}
"""What stands where a reference would: nothing, or that it stands in the text behind it."""
_CLEAN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


@dataclass(slots=True)
class Tag:
    """One field as it stands in the file: `row` is its first line."""

    name: str
    value: str
    row: int


@dataclass(slots=True)
class _Page:
    """One message: the tags of one page of one statement."""

    row: int
    tags: list[Tag] = field(default_factory=list)

    def get(self, *names: str) -> Tag | None:
        return next((each for each in self.tags if each.name in names), None)

    def need(self, *names: str) -> Tag:
        found = self.get(*names)
        if found is None:
            shown = " or ".join(f":{name}:" for name in names)
            raise refuse(self.tags[-1].row, shown, "", "is missing: the statement is not whole")
        return found


def read(opened: Opened) -> list[Statement]:
    """Every statement of the file, its pages one by one. Raises Refused, OSError."""
    text = opened.path.read_text(encoding=opened.encoding)
    pages = list(_pages(text))
    if not pages:
        raise refuse(1, "file", "", "holds no :20:, so no statement")
    found = [_statement(page) for page in pages]
    for place, (page, each) in enumerate(zip(pages, found, strict=True)):
        after = found[place + 1] if place + 1 < len(found) else None
        if page.get("62M") and (after is None or not pages[place + 1].get("60M") or after.account != each.account):
            raise refuse(page.need("62M").row, ":62M:", "", "the page that follows it is missing")
        if page.get("60M") and (
            not place or not pages[place - 1].get("62M") or found[place - 1].closing != each.opening
        ):
            raise refuse(page.need("60M").row, ":60M:", "", "the page before it is missing")
    return checks.linked(found)


def _pages(text: str) -> Iterator[_Page]:
    page: _Page | None = None
    for row, line in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), 1):
        line = line.strip("\x01\x03")  # noqa: PLW2901 - SWIFT's own marks around a message
        if found := _CLEAN.search(line):
            raise refuse(row, "line", "", f"holds the control character {ord(found[0])}")
        tag = _TAG.fullmatch(line)
        if tag and tag[1] == "20":
            if page is not None:
                yield page
            page = _Page(row)
        wrapped = tag and tag[1] not in _KNOWN and page is not None and page.tags[-1].name in _TEXTS
        if tag and page is not None and not wrapped:
            _add(page, Tag(tag[1], tag[2], row))
        elif page is not None and page.tags[-1].name in _TEXTS and not _ends(line):
            page.tags[-1].value += f"\n{line}"
        elif line.strip() and not _BETWEEN.fullmatch(line.strip()):
            raise refuse(row, "line", "", "belongs to no field of a statement")
    if page is not None:
        yield page


def _ends(line: str) -> bool:
    """The end of a message; an empty line inside a text is part of it."""
    return bool(line.strip()) and (line.strip() in {"-", "-}"} or line.startswith(("-}{", "{1:")))


def _add(page: _Page, tag: Tag) -> None:
    if tag.name not in _KNOWN:
        raise refuse(tag.row, f":{tag.name}:", "", "is no field of this form")
    known = page.get(tag.name) if tag.name in _ONCE else None
    if known is not None:
        raise refuse(tag.row, f":{tag.name}:", "", f"stands in this statement already, in line {known.row}")
    if tag.name in {"61", "62F", "62M"} and page.get("60F", "60M") is None:
        raise refuse(tag.row, f":{tag.name}:", "", "stands before the opening balance")
    if tag.name == "61" and page.get("62F", "62M") is not None:
        raise refuse(tag.row, ":61:", "", "stands behind the closing balance")
    page.tags.append(tag)


def _parsed(tag: mt940.tags.Tag, said: Tag, currency: str = "") -> dict[str, Any]:
    """The field's parts by the library. Raises Refused for what it cannot read."""
    within = mt940.models.Transactions(options=_OPTIONS)
    try:
        parts: dict[str, Any] = dict(tag.parse(within, said.value))
        if currency:
            parts = mt940.processors.date_fixup_pre_processor(within, tag, {**parts, "currency": currency})
        amount = str(parts.get("amount") or "")
        if amount.count(",") > 1 or not amount.replace(",", "").isdigit():
            raise refuse(said.row, f":{said.name}:", amount, "is not an amount")
        return {**parts, **tag(within, dict(parts))}
    except (RuntimeError, ValueError, ArithmeticError, KeyError, TypeError) as error:
        reason = "is not of the form of this field" if isinstance(error, RuntimeError) else f"{error}"[:120]
        raise refuse(said.row, f":{said.name}:", "", reason) from None


def _balance(said: Tag) -> tuple[int, str, date]:
    """Minor units (negative for a debit), currency and day."""
    parts = _parsed(_BALANCES[said.name], said)
    balance = next(each for each in parts.values() if isinstance(each, mt940.models.Balance))
    amount, day = balance.amount, balance.date
    if not isinstance(amount, mt940.models.Amount) or day is None:
        raise refuse(said.row, f":{said.name}:", "", "says no amount or no day")
    code = checks.currency(str(amount.currency), said.row, f":{said.name}:")
    where = f":{said.name}:"
    return checks.minor(f"{amount.amount:f}", code, said.row, where), code, date(day.year, day.month, day.day)


def _statement(page: _Page) -> Statement:
    reference, account, number = page.need("20"), page.need("25"), page.need("28C", "28")
    first, last = page.need("60F", "60M"), page.need("62F", "62M")
    opening, code, opened_on = _balance(first)
    closing, code_then, closed_on = _balance(last)
    if code != code_then:
        raise refuse(last.row, f":{last.name}:", code_then, f"the statement opened in {code}")
    if not account.value.strip() or not reference.value.strip():
        raise refuse(reference.row, ":25:" if reference.value.strip() else ":20:", "", "is empty")
    # banks use one :20: for many statements and one number for a year's: all of these together name one
    ident = f"{reference.value.strip()}/{number.value.strip()}/{opened_on:%y%m%d}-{closed_on:%y%m%d}"
    digits = re.match(r"\d+", number.value.strip())
    lines = _keyed(_lines(page, code), ident)
    _sums(page, lines, code)
    found = Statement(
        FORM,
        "".join(account.value.split()),
        ident[:140],
        code,
        tuple(lines),
        int(digits[0]) or None if digits else None,
        opening,
        closing,
        opened_on,
        closed_on,
    )
    return checks.sums_up(found, last.row, f":{last.name}:")


def _lines(page: _Page, code: str) -> list[tuple[Line, str]]:
    """Each :61: with the :86: behind it, and the bank's own reference of it."""
    found: list[tuple[Tag, list[str]]] = []
    closed = False
    for tag in page.tags:
        if tag.name == "61":
            found.append((tag, []))
        elif tag.name == "86" and found and not closed:
            found[-1][1].append(tag.value)
        closed = closed or tag.name in {"62F", "62M"}
    return [_line(tag, details, code) for tag, details in found]


def _line(said: Tag, details: Sequence[str], code: str) -> tuple[Line, str]:
    parts = _parsed(_LINE, said, code)
    amount = checks.minor(f"{parts['amount'].amount:f}", code, said.row, ":61:")
    if not amount:
        raise refuse(said.row, ":61:", "", "a movement is more than nothing")
    if not parts.get("id") and re.match(r"[^A-Za-z\s/]", str(parts.get("customer_reference") or "")):
        raise refuse(said.row, ":61:", "", "no type follows the amount, which has a comma before its decimals")
    value = parts["date"]
    entry = parts.get("entry_date") or value
    booked = date(entry.year, entry.month, entry.day)
    more = _details(details)
    told = [str(parts.get(name) or "").strip() for name in ("customer_reference", "bank_reference", "extra_details")]
    end_to_end = str(more.get("end_to_end_reference") or "").strip()
    status, kind_of = str(parts.get("status") or "").upper(), str(parts.get("id") or "").strip()
    gvc = str(more.get("transaction_code") or "")
    texts = [end_to_end, str(more.get("purpose") or ""), *more["texts"], *told]
    line = Line(
        ident="",
        kind="in" if amount > 0 else "out",
        amount=abs(amount),
        currency=code,
        at=checks.instant(booked),
        booked_on=booked,
        value_on=date(value.year, value.month, value.day),
        reference=next((each[:140] for each in (end_to_end, *told[:1], *texts) if _says(each)), ""),
        provider_ref=told[1] if _says(told[1]) else "",
        references=tuple(dict.fromkeys(each for each in texts if _says(each))),
        name=" ".join(str(more.get("applicant_name") or "").split()),
        code="-".join(each for each in (kind_of, gvc) if each),
        undoes=status.startswith("R") or kind_of in _RETURNED_TYPES or gvc in _RETURNED_GVC,
        place=f"line {said.row}",
    )
    return line, line.provider_ref


def _says(text: str) -> bool:
    return text.strip().rstrip("+").upper() not in _NOTHING


def _details(values: Sequence[str]) -> dict[str, Any]:
    """What :86: says: its structured parts where it has some, and its text with the breaks left out and as blanks."""
    whole = "\n".join(values)
    within = mt940.models.Transactions(options=_OPTIONS)
    result: dict[str, Any] = {"transaction_details": whole}
    found = mt940.processors.transaction_details_post_processor(
        within, _DETAILS, {"transaction_details": whole}, result
    )
    pieces = [each for each in whole.split("\n") if each.strip()]
    return {**found, "texts": ["".join(pieces), " ".join(each.strip() for each in pieces)]}


def _keyed(found: Sequence[tuple[Line, str]], ident: str) -> list[Line]:
    lines, refs = [line for line, _ in found], [ref for _, ref in found]
    own = checks.strong(lines, refs)
    told = {"statement": ident[:140], "form": FORM}
    keys = [
        f"{line.booked_on:%Y%m%d}/{ref}" if alone else f"{ident}/{place}"
        for place, (line, ref, alone) in enumerate(zip(lines, refs, own, strict=True), 1)
    ]
    return numbered([replace(line, ident=key[:132], told=told) for line, key in zip(lines, keys, strict=True)])


def _sums(page: _Page, lines: Sequence[Line], code: str) -> None:
    """The bank's own counts and sums, where it gives them. Raises Refused."""
    for name, kind in (("90D", "out"), ("90C", "in")):
        said = page.get(name)
        if said is None:
            continue
        parts = _parsed(_BALANCES[name], said)
        mine = [line.amount for line in lines if line.kind == kind]
        total = next(each for each in parts.values() if isinstance(each, mt940.models.SumAmount))
        amount = abs(checks.minor(f"{total.amount:f}", code, said.row, f":{name}:"))
        if (str(parts.get("number") or "0").lstrip("0") or "0", amount) != (str(len(mine)), sum(mine)):
            raise refuse(said.row, f":{name}:", "", f"there are {len(mine)} lines, which come to {sum(mine)}")

"""TM Forum CustomerBill (TMF678 v4) as JSON: one bill or an array. Tolerant of what we ignore, strict on the rest.

Amounts are parsed as Decimal; a bill is worth its taxIncludedAmount, of which remainingAmount is still owed.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings

from doenda.billing import accounts, classes
from doenda.billing.imports import bills, elsewhere
from doenda.billing.imports.decode import Opened, refuse
from doenda.billing.imports.lines import Common, Staged
from doenda.billing.imports.paths import Reader
from doenda.billing.imports.report import Report, shortened
from doenda.billing.models import Account, Bill
from doenda.kernel import clock, facts, money

LARGEST = 64 * 1024 * 1024
STATES = ("new", "onHold", "validated", "sent", "settled", "partiallyPaid", "partiallySettled")
HOLDER_ROLES = ("holder", "owner", "customer", "payer", "bill receiver", "billreceiver")


@dataclass(frozen=True, slots=True)
class Read:
    """One CustomerBill, understood. `remaining` and `applied` are in minor units."""

    line: Staged
    remaining: int | None
    applied: tuple[tuple[str, int], ...]
    on_hold: bool


def load(opened: Opened) -> list[Any]:
    """The objects of the file. Raises Refused with line and column for what is not JSON."""
    if opened.size > LARGEST:
        raise refuse(1, "file", "", f"a JSON file is at most {LARGEST:,} bytes; split it or use CSV")
    try:
        data = json.loads(
            opened.path.read_text(encoding=opened.encoding), parse_float=Decimal, parse_constant=_no_constant
        )
    except json.JSONDecodeError as error:
        raise refuse(error.lineno, f"column {error.colno}", "", f"not JSON: {error.msg}") from error
    except (RecursionError, ValueError) as error:
        raise refuse(1, "file", "", f"not JSON that we read: {shortened(error)}") from error
    return data if isinstance(data, list) else [data]


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number in JSON")


def read(place: int, data: object, item_class: str) -> Read | list[tuple[str, object, str]]:
    """The rule for one object (pure but for the carrier's zone): the bill, or everything wrong with it by JSON path."""
    reader = Reader(f"$[{place}]")
    if not isinstance(data, dict):
        reader.wrong("", data, "is not an object")
        return reader.problems
    kind = data.get("@type")
    if kind not in (None, "", "CustomerBill") and data.get("@baseType") != "CustomerBill":
        reader.wrong("@type", kind, f"this is an {kind}, not a CustomerBill")
        return reader.problems
    found = _Bill(reader, data, item_class).read(place)
    return reader.problems or found


class _Bill:
    def __init__(self, reader: Reader, data: dict[str, Any], item_class: str) -> None:
        self.reader, self.data, self.item_class = reader, data, item_class
        self.state: object = None

    def _object(self, name: str) -> dict[str, Any]:
        value = self.data.get(name)
        if value is not None and not isinstance(value, dict):
            self.reader.wrong(name, value, "is not an object")
        return value if isinstance(value, dict) else {}

    def _list(self, name: str) -> list[Any]:
        value = self.data.get(name)
        if value is not None and not isinstance(value, list):
            self.reader.wrong(name, value, "is not a list")
        return value if isinstance(value, list) else []

    def read(self, place: int) -> Read:
        reader, data = self.reader, self.data
        number = reader.text("billNo", data.get("billNo"), "bill")
        identity = reader.text("id", data.get("id"), "bill", required=not number)
        account = reader.text("billingAccount.id", self._object("billingAccount").get("id"), "account", required=True)
        amounts = {
            name: reader.money(name, data.get(name)) for name in ("taxIncludedAmount", "amountDue", "remainingAmount")
        }
        applied = self._applied()
        unit = self._one_unit(amounts, applied)
        total = _first(amounts, "taxIncludedAmount", "amountDue", "remainingAmount")
        if total is None and not reader.problems:
            reader.wrong("taxIncludedAmount", "", "the bill has neither taxIncludedAmount nor amountDue")
        owed = _first(amounts, "remainingAmount", "amountDue")
        self._negative(total, amounts)
        self._state(owed)
        paid = tuple((name, each.minor) for name, each in applied)
        line = self._line(place, number or identity, account, total or money.Money(0, unit))
        remaining = owed.minor if owed is not None and line.common.kind == "bill" else None
        return Read(line, remaining, paid, self.state == "onHold")

    def _negative(self, total: money.Money | None, amounts: dict[str, money.Money | None]) -> None:
        """Less than nothing is a credit only where the bill says that it is a credit note."""
        credit = "credit" in str(self.data.get("category") or "").lower()
        for name, amount in amounts.items():
            if amount is not None and amount.minor < 0 and not credit:
                reason = "is negative, and the bill's category is not credit note"
                self.reader.wrong(f"{name}.value", amount.decimal, reason)
        if credit and total is not None and total.minor >= 0:
            self.reader.wrong("category", self.data.get("category"), "a credit note's amount is negative")

    def _applied(self) -> list[tuple[str, money.Money]]:
        found = []
        for place, each in enumerate(self._list("appliedPayment")):
            path = f"appliedPayment[{place}]"
            payment = each.get("payment") if isinstance(each, dict) else None
            name = payment.get("id") if isinstance(payment, dict) else None
            amount = (
                self.reader.money(f"{path}.appliedAmount", each.get("appliedAmount"))
                if isinstance(each, dict)
                else None
            )
            if amount is None:
                continue
            if not isinstance(name, str) or not 0 < len(name) <= elsewhere.ID_LENGTH or not name.isprintable():
                self.reader.wrong(f"{path}.payment.id", name, f"must be 1 to {elsewhere.ID_LENGTH} characters")
            elif amount.minor <= 0:
                self.reader.wrong(f"{path}.appliedAmount.value", amount.minor, "a payment is more than nothing")
            else:
                found.append((name, amount))
        return found

    def _one_unit(self, amounts: dict[str, money.Money | None], applied: list[tuple[str, money.Money]]) -> str:
        units = {each.currency: name for name, each in amounts.items() if each is not None}
        units |= {each.currency: "appliedPayment" for _, each in applied if each.currency not in units}
        if len(units) > 1:
            self.reader.wrong(list(units.values())[-1], ", ".join(units), "the bill mixes currencies")
        return next(iter(units), "")

    def _state(self, owed: money.Money | None) -> None:
        name = "state" if self.data.get("state") is not None else "status"
        self.state = self.data.get(name)
        if self.state is not None and self.state not in STATES:
            self.reader.wrong(name, self.state, f"not one of {', '.join(STATES)}")
        if self.state == "settled" and owed is not None and owed.minor > 0:
            self.reader.wrong(name, self.state, "settled, yet something remains to be paid")

    def _holder(self) -> tuple[str, str]:
        parties = [each for each in self._list("relatedParty") if isinstance(each, dict) and each.get("id")]
        parties.sort(key=lambda each: str(each.get("role", "")).lower() not in HOLDER_ROLES)
        if not parties:
            return "", ""
        path = "relatedParty"
        name = self.reader.text(f"{path}.name", parties[0].get("name"), "account_holder")
        return name, self.reader.text(f"{path}.id", parties[0].get("id"), "party")

    def _line(self, place: int, number: str, account: str, total: money.Money) -> Staged:
        reader, data = self.reader, self.data
        bill_date = reader.day("billDate", data.get("billDate"))
        due_date = reader.day("paymentDueDate", data.get("paymentDueDate"))
        if total.minor > 0 and due_date is None and not reader.problems:
            reader.wrong("paymentDueDate", "", "is missing")
        bill_date = bill_date or due_date or clock.today()
        due_date = due_date or bill_date
        if due_date < bill_date:
            reader.wrong("paymentDueDate", data.get("paymentDueDate"), "before billDate")
        period = self._object("billingPeriod")
        starts = reader.day("billingPeriod.startDateTime", period.get("startDateTime"))
        ends = reader.day("billingPeriod.endDateTime", period.get("endDateTime"))
        if starts and ends and ends < starts:
            reader.wrong("billingPeriod.endDateTime", period.get("endDateTime"), "before startDateTime")
        holder, party = self._holder()
        common = Common(
            account=account,
            bill=number,
            revision=self._revision(),
            kind="credit_note" if total.minor < 0 else "bill",
            credits="",
            period_start=starts,
            period_end=ends,
            bill_date=bill_date,
            due_date=due_date,
            currency=total.currency,
            total=None,
            holder=holder,
            holder_kind="person",
            party=party,
            phone="",
            email="",
            language="ko",
            line="",
        )
        return Staged(place, self.item_class, abs(total.minor), common)

    def _revision(self) -> int:
        """TMF678 has no revision: the second of its last update counts as one."""
        value = self.data.get("lastUpdate")
        if value is None or value == "":
            return 1
        try:
            moment = datetime.fromisoformat(value)
            return max(1, int((moment if moment.tzinfo else moment.replace(tzinfo=clock.zone())).timestamp()))
        except (TypeError, ValueError, OverflowError):
            self.reader.wrong("lastUpdate", value, "is not an instant (ISO 8601)")
            return 1


def _first(amounts: dict[str, money.Money | None], *names: str) -> money.Money | None:
    return next((found for name in names if (found := amounts[name]) is not None), None)


def take_in(opened: Opened, report: Report, item_class: str) -> None:
    """Read the file, write its bills, then the payments that they name. Raises Refused."""
    if item_class not in classes.policy(clock.today(), settings.DOENDA_COUNTRY).in_files:
        raise ValueError(f"no such item class: {item_class}")
    found: dict[str, Read] = {}
    for place, data in enumerate(load(opened)):
        each = read(place, data, item_class)
        if isinstance(each, list):
            for path, value, reason in each:
                report.problem(place, path, value, reason)
        elif each.line.common.bill in found and _content(found[each.line.common.bill]) != _content(each):
            report.problem(
                place, f"$[{place}].id", each.line.common.bill, "the bill stands twice in this file, and differs"
            )
        else:
            found.setdefault(each.line.common.bill, each)
    bills.take_in((each.line for each in found.values()), report)
    _strangers(found, report)
    _payments(found, report)


def _content(each: Read) -> tuple[object, ...]:
    return (each.line.common, each.line.amount, each.remaining, each.applied, each.on_hold)


def _strangers(found: dict[str, Read], report: Report) -> None:
    if report.counts.get("accounts"):
        report.note(
            f"{report.counts['accounts']} account(s) were new to us and made from billingAccount.id; this form brings "
            "no phone number, so their holders cannot be told anything until a CSV brings one"
        )
    held = [number for number, each in found.items() if each.on_hold]
    for bill in Bill.objects.filter(number__in=held):
        facts.record("billing.bill_on_hold", bill.account_id, {"bill_ids": [str(bill.pk)], "number": bill.number})
        report.note(f"bill {bill.number} is on hold at the carrier")


def _payments(found: dict[str, Read], report: Report) -> None:
    """Applied payments once each; then what the carrier says is paid without saying by which payment."""
    wanted = [each for each in found.values() if each.applied or each.remaining is not None]
    rows = {bill.number: bill for bill in Bill.objects.filter(number__in=[each.line.common.bill for each in wanted])}
    locked = accounts.lock_many(bill.account_id for bill in rows.values())
    for each in wanted:
        if bill := rows.get(each.line.common.bill):
            _pay(locked[bill.account_id], bill, each, report)


def _pay(account: Account, bill: Bill, each: Read, report: Report) -> None:
    at = clock.day_start(each.line.common.bill_date)
    for name, amount in each.applied:
        new = elsewhere.take_in(account, name, amount, at, bill=bill, part=True)
        report.count("payments" if new else "payments_known")
    bill.refresh_from_db()
    if each.remaining is None or bill.revision != each.line.common.revision or bill.state == Bill.State.CANCELLED:
        return
    ours = bill.remaining - bill.late_fee
    if ours > each.remaining:
        rest = f"{bill.number}@{each.line.common.revision}"
        elsewhere.take_in(account, rest[: elsewhere.ID_LENGTH], ours - each.remaining, at, bill=bill, part=True)
        report.count("payments")
        report.note(f"bill {bill.number}: paid at the carrier without naming the payment, in part or whole")
    elif 0 <= ours < each.remaining:
        report.note(
            f"bill {bill.number}: less remains with us than the carrier says; our payments were not fed to it yet"
        )

"""Bills and payments from files: what is taken in, and what is refused with its place."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from doenda.billing import books, owed
from doenda.billing.imports.run import Imported, import_file
from doenda.billing.models import Account, Bill, BillItem, ImportFile, Line, Party, Posting
from doenda.kernel.models import FactRow

HEADER = (
    "account,account_holder,phone,line,bill,revision,period_start,period_end,bill_date,due_date,currency,class,amount"
)
FIRST = "A-1,김하나,010-1234-5678,01012345678,B-1,1,2014-09-01,2014-09-30,2014-10-05,2014-10-25,KRW,service,45000"
SECOND = "A-1,김하나,010-1234-5678,01012345678,B-1,1,2014-09-01,2014-09-30,2014-10-05,2014-10-25,KRW,content,7300"
OTHER = "A-2,=HYPERLINK(1),+82212345678,,B-2,1,,,2014-10-05,2014-10-25,KRW,device_instalment,20000"

type Take = Callable[..., Imported]


@pytest.fixture
def take(db: None, tmp_path: Path) -> Take:
    count = 0

    def run(*lines: str, encoding: str = "utf-8", data: bytes | None = None, kind: str | None = None) -> Imported:
        nonlocal count
        count += 1
        path = tmp_path / f"file{count}.csv"
        path.write_bytes(("\n".join(lines) + "\n").encode(encoding) if data is None else data)
        return import_file(path, kind=kind)

    return run


def problems(imported: Imported) -> list[tuple[int, str, str]]:
    assert not imported.ok
    return [(each.row, each.column, each.reason) for each in imported.report.problems]


def test_bills_become_accounts_lines_items_and_postings(take: Take) -> None:
    imported = take(HEADER, FIRST, SECOND, OTHER)
    assert imported.ok, imported.report.problems
    assert imported.report.counts["bills"] == 2
    bill = Bill.objects.get(number="B-1")
    assert (bill.amount, bill.remaining, bill.state, bill.due_date) == (52300, 52300, "open", date(2014, 10, 25))
    assert sorted(bill.items.values_list("item_class", "amount")) == [("content", 7300), ("service", 45000)]
    line = Line.objects.get(account=bill.account)
    assert line.number == "+821012345678"
    assert {item.line_id for item in bill.items.all()} == {line.pk}
    holder = Party.objects.get(roles__account=bill.account)
    assert (holder.name, holder.phone, holder.language, holder.kind) == ("김하나", "+821012345678", "ko", "person")
    assert books.balance(bill.account_id, books.RECEIVABLE) == 52300
    assert books.trial().ok
    assert FactRow.objects.filter(kind="billing.file_imported").count() == 1


def test_a_formula_in_a_name_is_a_name(take: Take) -> None:
    assert take(HEADER, OTHER).ok
    assert Party.objects.get().name == "=HYPERLINK(1)"


def test_the_same_file_again_changes_nothing(take: Take) -> None:
    take(HEADER, FIRST)
    again = take(HEADER, FIRST)
    assert again.ok
    assert again.again
    assert Posting.objects.count() == 1


def test_the_same_revision_again_is_unchanged(take: Take) -> None:
    take(HEADER, FIRST, SECOND)
    again = take(HEADER, FIRST)
    assert again.ok
    assert (again.report.counts["unchanged"], again.report.counts["bills"]) == (1, 0)
    assert "differs from ours" in again.report.notes[0]
    assert Bill.objects.get().amount == 52300


def test_a_higher_revision_posts_the_difference(take: Take) -> None:
    take(HEADER, FIRST, SECOND)
    imported = take(HEADER, FIRST.replace("B-1,1", "B-1,2").replace("45000", "40000"))
    assert imported.ok, imported.report.problems
    bill = Bill.objects.get()
    assert (bill.amount, bill.revision) == (40000, 2)
    assert owed.open_bills(bill.account_id)[0].remaining_by_class == {"service": 40000}
    assert books.trial().ok


def test_a_lower_revision_is_refused(take: Take) -> None:
    take(HEADER, FIRST.replace("B-1,1", "B-1,5"))
    assert problems(take(HEADER, FIRST)) == [(2, "revision", "older than the revision we have")]


def test_cp949_is_read(take: Take) -> None:
    imported = take(HEADER, FIRST, encoding="cp949")
    assert imported.ok
    assert Party.objects.get().name == "김하나"


def test_a_byte_order_mark_is_no_part_of_the_header(take: Take) -> None:
    assert take(HEADER, FIRST, encoding="utf-8-sig").ok


@pytest.mark.parametrize(
    ("data", "row", "column", "words"),
    [
        (b"", 1, "file", "the file is empty"),
        (b"account,bill\nA\0,1\n", 2, "file", "byte 15 is NUL: this is not a text file"),
        (b"\x89PNG\r\n\x1a\n\0\0", 3, "file", "NUL"),
        ("account".encode("utf-16"), 1, "file", "UTF-16"),
        (b"account,bill\nA,\xff\xff\n", 2, "file", "not UTF-8: byte 16, line 2"),
        (b"1,2,3\n4,5,6\n", 1, "header", "there is no header"),
        (b"\n\n", 1, "header", "there is no header"),
        (b'"account,bill\nA,1\n', 1, "header", "not CSV"),
        ((HEADER + ",iban\n").encode(), 1, "iban", "unknown column"),
        ((HEADER + ",bill\n").encode(), 1, "bill", "stands twice"),
        (HEADER.replace(",currency", "").encode(), 1, "currency", "the column is missing"),
        ((HEADER + "\n").encode(), 1, "file", "there is no bill in this file"),
        ((HEADER + "\n" + "x" * 70_000).encode(), 2, "line", "longer than 65,536 characters"),
        ((HEADER + '\n"' + "x\n" * 20_000).encode(), 2, "line", "not CSV"),
        (b'{"id": 1', 1, "column 9", "not JSON"),
        (b"[NaN]", 1, "file", "NaN is not a number"),
        (b"[" * 100_000, 1, "file", "not JSON"),
    ],
)
def test_what_is_no_bills_file_is_refused_with_the_place(
    take: Take, data: bytes, row: int, column: str, words: str
) -> None:
    imported = take(data=data)
    found = problems(imported)
    assert len(found) == 1
    assert found[0][:2] == (row, column)
    assert words in found[0][2]
    assert ImportFile.objects.get().accepted is False
    assert not Account.objects.exists()


@pytest.mark.parametrize(
    ("old", "new", "column", "words"),
    [
        ("45000", "45000.5", "amount", "decimals"),
        ("45000", "1e9", "amount", "not an amount"),
        ("45000", "NaN", "amount", "not an amount"),
        ("45000", "٤٥", "amount", "not an amount"),
        ("45000", "", "amount", "must not be empty"),
        ("45000", "-45000", "amount", "the bill's amount is negative"),
        ("45000", "999999999999999999999", "amount", "too large"),
        ("KRW", "WON", "currency", "ISO 4217"),
        ("2014-10-25", "2014-02-30", "due_date", "no such day"),
        ("2014-10-25", "25.10.2014", "due_date", "YYYY-MM-DD"),
        ("2014-10-25", "2014-10-01", "due_date", "before bill_date"),
        ("2014-09-30", "2014-08-30", "period_end", "before period_start"),
        ("service", "services", "class", "not one of"),
        ("service", "late_fee", "class", "not one of"),
        ("B-1,1", "B-1,x", "revision", "not a whole number"),
        ("010-1234-5678", "call me", "phone", "not a phone number"),
        ("A-1,", ",", "account", "must not be empty"),
        ("B-1,", "B" * 65 + ",", "bill", "longer than 64"),
        ("김하나", "김\x07하나", "account_holder", "control character"),
        (",service", ",service,service", "line", "14 fields where the header has 13"),
    ],
)
def test_a_bad_field_refuses_the_whole_file(take: Take, old: str, new: str, column: str, words: str) -> None:
    found = problems(take(HEADER, OTHER, FIRST.replace(old, new, 1)))
    assert [(row, name) for row, name, _ in found] == [(3, column)]
    assert words in found[0][2].replace("amount too large", "too large") or words == "too large"
    assert not Account.objects.exists()


def test_every_problem_is_counted_and_a_thousand_are_shown(take: Take) -> None:
    bad = [OTHER.replace("B-2", f"B-{n}").replace("KRW", "XXX!") for n in range(10, 1310)]
    imported = take(HEADER, FIRST, *bad)
    assert imported.report.problems_total == 1300
    assert len(imported.file.report["problems"]) == 1000


def test_junk_below_a_good_header_is_not_read_to_its_end(take: Take) -> None:
    imported = take(HEADER, *["junk"] * 5000)
    assert imported.report.problems_total == 200
    assert "the rest was not read" in imported.report.notes[0]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (
            [FIRST, SECOND.replace("B-1,1", "B-1,2")],
            (3, "bill", "another row of this bill in this file says otherwise"),
        ),
        (
            [FIRST, SECOND.replace("KRW", "EUR").replace("B-1", "B-9")],
            (3, "currency", "another currency in another row"),
        ),
        ([FIRST, SECOND.replace("7300", "-7300")], (3, "class", "discounts on this bill exceed")),
    ],
)
def test_rows_that_contradict_each_other_are_refused(
    take: Take, rows: list[str], expected: tuple[int, str, str]
) -> None:
    found = problems(take(HEADER, *rows))
    assert [each[:2] for each in found] == [expected[:2]]
    assert expected[2] in found[0][2]


def test_a_known_account_keeps_its_currency_and_its_bills(take: Take) -> None:
    take(HEADER, FIRST)
    assert problems(take(HEADER, FIRST.replace("KRW", "EUR").replace("B-1", "B-7"))) == [
        (2, "currency", "the account has another currency")
    ]
    assert problems(take(HEADER, FIRST.replace("A-1", "A-5"))) == [
        (2, "account", "this bill belongs to another account")
    ]


def test_a_total_that_the_items_miss_is_refused(take: Take) -> None:
    found = problems(take(HEADER + ",total", FIRST + ",52300"))
    assert found == [(2, "total", "the bill's items do not add up to this total")]
    assert take(HEADER + ",total", FIRST + ",52300", SECOND + ",52300").ok


def test_a_new_phone_number_is_followed(take: Take) -> None:
    take(HEADER, FIRST)
    take(HEADER, FIRST.replace("010-1234-5678", "010-9999-0000").replace("B-1", "B-3"))
    assert Party.objects.get().phone == "+821099990000"


def test_a_credit_note_lowers_the_bill_that_it_names(take: Take) -> None:
    take(HEADER, FIRST)
    note = "A-1,,,,N-1,1,,,2014-10-09,2014-10-09,KRW,service,5000,credit_note,B-1"
    imported = take(HEADER + ",kind,credits", note)
    assert imported.ok, imported.report.problems
    assert Bill.objects.get().remaining == 40000
    assert not take(HEADER + ",kind,credits", note.replace("B-1", "B-77").replace("N-1", "N-2")).ok
    assert books.trial().ok


def test_credit_is_used_up_by_the_next_bill(take: Take) -> None:
    take(HEADER, FIRST)
    assert take("payment_id,account,amount,currency,paid_at", "P-1,A-1,50000,KRW,2014-10-20").ok
    account = Account.objects.get()
    assert books.credit(account.pk) == 5000
    take(HEADER, FIRST.replace("B-1", "B-2"))
    assert Bill.objects.get(number="B-2").remaining == 40000
    assert books.credit(account.pk) == 0
    assert books.trial().ok


def test_payments_taken_elsewhere_are_posted_once(take: Take) -> None:
    take(HEADER, FIRST, OTHER)
    header = "payment_id,account,bill,amount,currency,paid_at"
    imported = take(header, "P-1,A-1,B-1,45000,KRW,2014-10-20T10:00:00+09:00", "P-2,A-2,,5000,KRW,2014-10-20")
    assert imported.ok, imported.report.problems
    assert imported.report.counts["payments"] == 2
    assert Bill.objects.get(number="B-1").state == "settled"
    assert Bill.objects.get(number="B-2").remaining == 15000
    again = take(header, "P-1,A-1,B-1,45000,KRW,2014-10-20")
    assert (again.report.counts["unchanged"], again.report.counts.get("payments", 0)) == (1, 0)
    assert books.trial().ok


def test_bad_payments_are_refused_with_their_place(take: Take) -> None:
    take(HEADER, FIRST, OTHER)
    header = "payment_id,account,bill,amount,currency,paid_at"
    rows = [
        "P-1,A-9,,1,KRW,2014-10-20",
        "P-2,A-1,B-2,1,KRW,2014-10-20",
        "P-3,A-1,,1,EUR,2014-10-20",
        "P-4,A-1,,0,KRW,2014-10-20",
        "P-5,A-1,,1,KRW,yesterday",
        "P-1,A-1,,1,KRW,2014-10-20",
    ]
    found = {(row, column) for row, column, _ in problems(take(header, *rows))}
    assert found == {(2, "account"), (3, "bill"), (4, "currency"), (5, "amount"), (6, "paid_at"), (7, "payment_id")}


def settled_bill() -> dict[str, Any]:
    """Shaped like the sample that TM Forum publishes with TMF678 v4: settled by one payment, `status` for `state`."""
    euro = {"unit": "EUR"}
    return {
        "id": "CB-900",
        "href": "https://carrier.example/tmf-api/customerBillManagement/v4/customerBill/CB-900",
        "billNo": "990123456",
        "amountDue": euro | {"value": 0.00},
        "appliedPayment": [
            {"appliedAmount": euro | {"value": 50.00}, "payment": {"id": "PAY-1", "@type": "PaymentRef"}, "@type": "x"}
        ],
        "billDate": "2020-01-05T12:00:56.982Z",
        "billingAccount": {"id": "A0900", "name": "BA somebody"},
        "billingPeriod": {},
        "paymentDueDate": "2020-01-15T00:00:00.000Z",
        "relatedParty": [{}],
        "remainingAmount": euro | {"value": 0.00},
        "status": "settled",
        "taxExcludedAmount": euro | {"value": 40.00},
        "taxIncludedAmount": euro | {"value": 50.00},
        "lastUpdate": "2020-01-05T12:00:56.982Z",
        "@type": "CustomerBill",
        "@schemalocation": "anything",
    }


def take_json(take: Take, *bills: Any) -> Imported:
    return take(data=json.dumps(bills[0] if len(bills) == 1 else list(bills)).encode())


def test_a_settled_tmf678_bill_is_imported_as_settled(take: Take) -> None:
    imported = take_json(take, settled_bill())
    assert imported.ok, imported.report.problems
    bill = Bill.objects.get()
    assert (bill.number, bill.currency, bill.amount, bill.paid, bill.state) == (
        "990123456",
        "EUR",
        5000,
        5000,
        "settled",
    )
    assert Party.objects.get().name == "unknown holder"
    assert "made from billingAccount.id" in imported.report.notes[0]
    assert books.trial().ok


def test_a_later_state_of_a_tmf678_bill_brings_only_what_is_new(take: Take) -> None:
    bill = settled_bill() | {"status": "sent", "appliedPayment": []}
    bill["remainingAmount"] = {"unit": "EUR", "value": 50}
    assert take_json(take, bill).ok
    assert Bill.objects.get().remaining == 5000
    assert take_json(take, settled_bill() | {"lastUpdate": "2020-01-09T12:00:00Z"}).ok
    assert take_json(take, settled_bill() | {"lastUpdate": "2020-01-10T12:00:00Z"}).ok
    assert Bill.objects.get().state == "settled"
    assert books.credit(Bill.objects.get().account_id) == 0


def test_a_bill_paid_without_a_named_payment_is_settled_all_the_same(take: Take) -> None:
    assert take_json(take, settled_bill() | {"appliedPayment": []}).ok
    assert Bill.objects.get().state == "settled"


def test_a_negative_tmf678_bill_is_a_credit_for_its_account(take: Take) -> None:
    take_json(take, settled_bill())
    minus = {"unit": "EUR", "value": -12.5}
    note = settled_bill() | {"billNo": "N1", "taxIncludedAmount": minus, "remainingAmount": minus, "appliedPayment": []}
    found = problems(take_json(take, note))
    assert {column for _, column, _ in found} == {"$[0].taxIncludedAmount.value", "$[0].remainingAmount.value"}
    imported = take_json(take, note | {"category": "credit note"})
    assert imported.ok, imported.report.problems
    assert books.credit(Account.objects.get().pk) == 1250


def test_a_billing_rate_is_not_a_bill(take: Take) -> None:
    rate = {"id": "R1", "billingAccount": {"id": "A1"}, "@type": "AppliedCustomerBillingRate"}
    found = problems(take_json(take, rate))
    assert found == [(0, "$[0].@type", "this is an AppliedCustomerBillingRate, not a CustomerBill")]


@pytest.mark.parametrize(
    ("change", "path", "words"),
    [
        ({"billingAccount": {}}, "billingAccount.id", "is missing"),
        ({"remainingAmount": {"unit": "KRW", "value": 0}}, "remainingAmount", "mixes currencies"),
        ({"taxIncludedAmount": {"unit": "EUR", "value": "50"}}, "taxIncludedAmount.value", "is not a number"),
        ({"taxIncludedAmount": {"unit": "EUR", "value": 50.001}}, "taxIncludedAmount.value", "decimals"),
        ({"taxIncludedAmount": {"unit": "EURO", "value": 50}}, "taxIncludedAmount.unit", "ISO 4217"),
        ({"status": "lost"}, "status", "not one of"),
        ({"paymentDueDate": "soon"}, "paymentDueDate", "not a date"),
        ({"paymentDueDate": "2019-01-01"}, "paymentDueDate", "before billDate"),
        (
            {"appliedPayment": [{"appliedAmount": {"unit": "EUR", "value": 1}}]},
            "appliedPayment[0].payment.id",
            "must be",
        ),
        ({"remainingAmount": {"unit": "EUR", "value": 5}}, "status", "settled, yet something remains"),
    ],
)
def test_what_we_act_on_in_tmf678_must_be_right(take: Take, change: dict[str, Any], path: str, words: str) -> None:
    found = problems(take_json(take, settled_bill() | {"billNo": "first"}, settled_bill() | change))
    assert [(row, column) for row, column, _ in found] == [(1, f"$[1].{path}")]
    assert words in found[0][2]


def test_a_bill_on_hold_is_told_to_the_rooms_above(take: Take) -> None:
    bill = settled_bill() | {"state": "onHold", "appliedPayment": [], "remainingAmount": {"unit": "EUR", "value": 50}}
    assert take_json(take, bill).ok
    assert FactRow.objects.filter(kind="billing.bill_on_hold").count() == 1


def test_items_of_a_corrected_bill_are_replaced(take: Take) -> None:
    take(HEADER, FIRST, SECOND)
    take(HEADER, FIRST.replace("B-1,1", "B-1,3"))
    assert BillItem.objects.count() == 1

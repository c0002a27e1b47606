"""The carrier's books against ours: every bill matched, or listed with what differs and who owns it."""

import json
import random
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from doenda.billing import accounts, bills, comparison, feed, post
from doenda.billing.comparison import Compared, Reason
from doenda.billing.comparison_near import slip, suggestion
from doenda.billing.models import Account, Bill, Posting
from doenda.kernel import clock
from doenda.kernel.ids import new_id, outside

HEADER = "bill,account,currency,amount,paid,remaining"
DUE = date(2014, 10, 25)


def account(number: str, *, probe: bool = False, currency: str = "KRW") -> Account:
    with transaction.atomic():
        return accounts.open_account(number, currency, probe=probe)


def bill(of: Account, number: str, amount: int = 50_000) -> Bill:
    with transaction.atomic():
        return bills.issue(accounts.lock(of.pk), number, [bills.Item("service", amount)], due_date=DUE)


def pay(of: Bill, amount: int, fact: str) -> None:
    with transaction.atomic():
        mine = accounts.lock(of.account_id)
        post.payment(mine, [(of.pk, amount)], provider="sandbox", fact_kind="p", fact_id=fact, at=clock.now())


def acknowledge_all() -> None:
    feed.acknowledge(list(feed.export()))


@pytest.fixture
def three(db: None, noon: clock.Frozen) -> list[Bill]:
    one = account("A-1")
    made = [bill(one, "B-1001"), bill(one, "B-1002", 30_000), bill(account("A-2"), "B-2001", 7_000)]
    pay(made[0], 20_000, "f1")
    pay(made[2], 7_000, "f2")
    acknowledge_all()
    return made


RIGHT = ["B-1001,A-1,KRW,50000,20000,30000", "B-1002,A-1,KRW,30000,0,30000", "B-2001,A-2,KRW,7000,7000,0"]


def compare(folder: Path, rows: list[str], header: str = HEADER) -> Compared:
    path = folder / "books.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return comparison.compare(path)


def found(result: Compared) -> list[tuple[str, str]]:
    assert all(each.owner for each in result.findings)
    return [(each.about, str(each.reason)) for each in result.findings]


def test_books_that_agree_are_matched_to_the_last_bill(three: list[Bill], tmp_path: Path) -> None:
    result = compare(tmp_path, RIGHT)
    assert (result.ok, result.balanced, result.figures["matched"], found(result)) == (True, True, 3, [])
    assert result.sums == {"KRW": {"theirs": 60_000, "ours": 60_000, "explained": 0}}


def test_a_closed_bill_need_not_stand_in_their_file(three: list[Bill], tmp_path: Path) -> None:
    result = compare(tmp_path, RIGHT[:2])
    assert (result.ok, result.figures["closed_not_told"]) == (True, 1)


@pytest.mark.parametrize(
    ("row", "reason", "theirs"),
    [
        ("B-1002,A-1,KRW,31000,0,31000", Reason.AMOUNT_DIFFERS, 31_000),
        ("B-1002,A-1,KRW,30000,100,29900", Reason.PAID_DIFFERS, 29_900),
        ("B-1002,A-1,KRW,30000,0,29999", Reason.REMAINING_DIFFERS, 29_999),
        ("B-1002,A-9,KRW,30000,0,30000", Reason.ACCOUNT_DIFFERS, 30_000),
    ],
)
def test_what_differs_about_a_bill_is_named_and_in_the_sums(
    three: list[Bill], tmp_path: Path, row: str, reason: Reason, theirs: int
) -> None:
    result = compare(tmp_path, [RIGHT[0], row, RIGHT[2]])
    assert found(result) == [("B-1002", reason)]
    assert (result.ok, result.balanced, result.findings[0].owner, result.findings[0].row) == (False, True, "billing", 3)
    assert result.sums["KRW"]["theirs"] - result.sums["KRW"]["ours"] == theirs - 30_000
    assert result.figures == result.figures | {"lines": 3, "matched": 2, "parked": 1}


def test_another_currency_and_another_state_are_named(three: list[Bill], tmp_path: Path) -> None:
    usd = compare(tmp_path, [RIGHT[0], "B-1002,A-1,USD,300.00,0,300.00", RIGHT[2]])
    assert (found(usd), usd.balanced) == ([("B-1002", Reason.CURRENCY_DIFFERS)], True)
    header = f"{HEADER},state,late_fee,credited"
    rows = [f"{RIGHT[0]},open,0,0", f"{RIGHT[1]},settled,0,0", f"{RIGHT[2]},SETTLED,0,0"]
    state = compare(tmp_path, rows, header)
    assert found(state) == [("B-1002", Reason.STATE_DIFFERS)]


def test_bills_that_only_one_side_has_are_listed_with_the_bill_that_may_be_meant(
    three: list[Bill], tmp_path: Path
) -> None:
    result = compare(tmp_path, [RIGHT[0], RIGHT[1].replace("B-1002", "B-1020"), RIGHT[2], "C-7,A-7,KRW,10,0,10"])
    assert found(result) == [
        ("B-1020", Reason.NOT_HERE),
        ("C-7", Reason.NOT_HERE),
        ("B-1002", Reason.NOT_THERE),
    ]
    assert [each.suggestion for each in result.findings] == ["B-1002", "", ""]
    assert (result.balanced, result.sums["KRW"]["explained"]) == (True, 10)


def test_what_the_feed_has_told_lately_explains_a_difference_until_it_is_too_old(
    three: list[Bill], tmp_path: Path, noon: clock.Frozen
) -> None:
    pay(three[1], 12_000, "f3")
    result = compare(tmp_path, RIGHT)
    assert (found(result), result.ok, result.balanced) == ([("B-1002", Reason.IN_TRANSIT)], True, True)
    assert (result.findings[0].owner, result.sums["KRW"]["explained"]) == ("system", 12_000)
    noon.advance(timedelta(days=3))
    result = compare(tmp_path, RIGHT)
    posting = Posting.objects.get(fact_id="f3")
    assert found(result) == [("B-1002", Reason.IN_TRANSIT), (outside(posting.pk), Reason.UNACKNOWLEDGED)]
    assert not result.ok
    acknowledge_all()
    assert found(compare(tmp_path, RIGHT)) == [("B-1002", Reason.PAID_DIFFERS)]
    mended = [RIGHT[0], "B-1002,A-1,KRW,30000,12000,18000", RIGHT[2]]
    assert compare(tmp_path, mended).ok


def test_probes_are_left_out_on_both_sides(three: list[Bill], tmp_path: Path) -> None:
    bill(account("P-1", probe=True), "P-1", 100)
    assert compare(tmp_path, RIGHT).ok
    result = compare(tmp_path, [*RIGHT, "P-1,P-1,KRW,999,0,999"])
    assert (result.ok, result.probes, result.sums["KRW"]["theirs"]) == (True, 1, 60_000)


def test_postings_that_they_have_taken_over_are_compared_one_by_one(
    three: list[Bill], tmp_path: Path, noon: clock.Frozen
) -> None:
    pay(three[1], 12_000, "f3")
    noon.advance(timedelta(days=3))
    new = Posting.objects.get(fact_id="f3")
    old = Posting.objects.get(fact_id="f1")
    stranger = outside(new_id())
    path = tmp_path / "acks.jsonl"
    rows: list[dict[str, Any]] = [
        {"posting": outside(new.pk), "account": "A-1", "currency": "KRW", "amount": 12000},
        {"posting": outside(old.pk), "account": "A-1", "currency": "KRW", "amount": 2000},
        {"posting": stranger, "account": "A-1", "currency": "KRW", "amount": "5"},
    ]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    result = comparison.compare(path)
    assert found(result) == [(outside(old.pk), Reason.POSTING_DIFFERS), (stranger, Reason.POSTING_NOT_HERE)]
    assert (result.matched, result.sums.get("KRW", {}).get("theirs", 0)) == (1, 0)


def test_a_file_of_json_lines_says_the_same_as_one_of_csv(three: list[Bill], tmp_path: Path) -> None:
    path = tmp_path / "books.jsonl"
    objects = [dict(zip(HEADER.split(","), row.split(","), strict=True)) for row in RIGHT]
    objects[0] |= {"amount": 50000, "late_fee": 0, "credited": 0}  # type: ignore[dict-item]
    path.write_text("\n".join(map(json.dumps, objects)), encoding="utf-8")
    assert comparison.compare(path).ok


WRONG = [
    ("B-1,A-1,KRW,50000,0", 2, "line"),
    ("B-1,A-1,KRW,5x,0,0", 2, "amount"),
    ("B-1,A-1,KRW,0.5,0,0", 2, "amount"),
    ("B-1,A-1,KRW,-5,0,0", 2, "amount"),
    ("B-1,A-1,WON,5,0,5", 2, "currency"),
    (",A-1,KRW,5,0,5", 2, "bill"),
    ("B-1,,KRW,5,0,5", 2, "account"),
    ("B-1,A-1,KRW,5,0,", 2, "remaining"),
]


@pytest.mark.parametrize(("row", "line", "column"), WRONG)
def test_one_wrong_row_refuses_the_file_whole_and_says_where(
    three: list[Bill], tmp_path: Path, row: str, line: int, column: str
) -> None:
    result = compare(tmp_path, [row, *RIGHT])
    assert result.refused is not None
    assert (result.ok, result.lines) == (False, 0)
    assert [(each.row, each.column) for each in result.refused.problems] == [(line, column)]


def test_a_row_that_stands_twice_or_does_not_add_up_is_refused(three: list[Bill], tmp_path: Path) -> None:
    twice = compare(tmp_path, [*RIGHT, RIGHT[0]])
    assert twice.refused is not None
    assert "already, on line 2" in twice.refused.problems[0].reason
    header = f"{HEADER},late_fee,credited"
    sums = compare(tmp_path, [f"{RIGHT[0]},500,0"], header)
    assert sums.refused is not None
    assert [(each.row, each.column) for each in sums.refused.problems] == [(2, "remaining")]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"bill,account\n",
        b"nothing here\n1\n",
        f"{HEADER},colour\n".encode(),
        f"{HEADER}\n".encode(),
        b'{"bill": "B-1", "bill": "B-2"}\n',
        b'{"bill": ["B-1"]}\n',
        b'{"bill": "B-1"\n',
        b"[1]\n",
        b'{"posting": "nonsense", "account": "A", "currency": "KRW", "amount": 1}\n',
        b'{"bill": true, "account": "A"}\n',
        b"\xff\xfe\x00",
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_its_place(db: None, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "books"
    path.write_bytes(content)
    result = comparison.compare(path)
    assert result.refused is not None
    assert result.refused.problems[0].row >= 1
    assert (result.ok, result.figures["refused"] > 0) == (False, True)


@pytest.mark.parametrize(
    ("one", "other", "is_slip"),
    [
        ("B-1002", "B-1020", True),
        ("B-1002", "B-1003", True),
        ("B-1002", "B-102", True),
        ("B-1002", "B-10022", True),
        ("B-1002", "B-1002", False),
        ("B-1002", "B-2001", False),
        ("B-1002", "B-10", False),
        ("", "B", True),
    ],
)
def test_a_slip_of_the_hand_is_one_sign_or_two_neighbours(one: str, other: str, is_slip: bool) -> None:
    assert slip(one, other) is is_slip is slip(other, one)


def test_a_bill_is_suggested_only_if_no_other_fits_as_well() -> None:
    pool = [("B-12", "A-1", 5), ("B-13", "A-2", 6), ("B-99", "A-1", 7)]
    assert suggestion("B-14", "A-1", 0, pool) == "B-12"
    assert suggestion("B-14", "A-3", 6, pool) == "B-13"
    assert suggestion("X", "A-1", 7, pool) == "B-99"
    assert suggestion("B-14", "A-3", 0, pool) == ""
    assert suggestion("B-14", "A-1", 0, [*pool, ("B-15", "A-1", 5)]) == ""


def test_the_sums_balance_whatever_their_file_says(db: None, noon: clock.Frozen, tmp_path: Path) -> None:
    """Made-up books, 30 times: the difference of the sums is that of the findings, to the won."""
    chance = random.Random(41)
    accounts_ = [account(f"A-{n}") for n in range(4)]
    made = [bill(chance.choice(accounts_), f"B-{n:03}", chance.randrange(1_000, 90_000)) for n in range(25)]
    for place, each in enumerate(made):
        if chance.random() < 0.5:
            pay(each, chance.randrange(1, each.amount + 1), f"f{place}")
    for _ in range(30):
        rows = []
        for each in Bill.objects.select_related("account"):
            amount, paid, remaining = each.amount, each.paid, each.remaining
            number, owner = each.number, each.account.number
            match chance.randrange(9):
                case 0:
                    remaining = chance.randrange(100_000)
                case 1:
                    paid += 1
                case 2:
                    number = f"X-{number}"
                case 3:
                    continue
                case 4:
                    owner = "A-77"
            rows.append(f"{number},{owner},KRW,{amount},{paid},{remaining}")
        result = compare(tmp_path, rows)
        assert (result.refused, result.balanced) == (None, True), result.sums
        ended = result.matched + sum(each.row > 0 for each in result.findings)
        assert ended == result.lines == len(rows), "every line ends somewhere"


def test_ten_thousand_bills_are_compared_in_a_few_statements(db: None, noon: clock.Frozen, tmp_path: Path) -> None:
    owner = account("A-1")
    rows = []
    values = {"account": owner, "bill_date": DUE, "due_date": DUE, "currency": "KRW", "amount": 1_000}
    Bill.objects.bulk_create(Bill(number=f"N-{n:05}", **values) for n in range(10_000))
    rows = [f"N-{n:05},A-1,KRW,1000,0,1000" for n in range(10_000)]
    with CaptureQueriesContext(connection) as asked:
        result = compare(tmp_path, rows)
    assert (result.ok, result.matched) == (True, 10_000)
    assert len(asked) < 25, [each["sql"][:60] for each in asked]

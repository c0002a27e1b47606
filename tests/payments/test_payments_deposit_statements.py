"""Statement files of deposits: strict, whole or not at all, and every line counts once whoever brings it."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.payments.test_payments_deposit import DepositWorld, agree, begin, deposit_world, number_of, run
from tests.worlds import overdue_bill

from doenda.billing import books
from doenda.billing.models import ImportFile
from doenda.kernel import clock, sweeps
from doenda.payments.deposits import desk, statements
from doenda.payments.deposits.models import DepositLine
from doenda.payments.deposits.movements import Movement
from doenda.payments.models import Attempt, RefundCase
from doenda.payments.states import State

HEADER = "거래일자,거래시각,거래번호,거래구분,가상계좌번호,거래금액,입금자명,원거래번호,거래후잔액\n"


@pytest.fixture
def bank(db: None, noon: clock.Frozen) -> Iterator[DepositWorld]:
    with deposit_world() as made:
        yield made


def write(folder: Path, *lines: str, name: str = "statement.csv", encoding: str = "cp949") -> Path:
    path = folder / name
    path.write_text(HEADER + "".join(f"{line}\n" for line in lines), encoding=encoding)
    return path


def line(number: str, amount: str = '"52,300"', ident: str = "D000000001", **more: str) -> str:
    said = {"day": "2014-10-22", "time": "12:00:00", "kind": "입금", "of": ""} | more
    return f"{said['day']},{said['time']},{ident},{said['kind']},{number},{amount},김민수,{said['of']},1"


def test_a_line_pays_and_the_file_and_its_lines_again_post_nothing_twice(bank: DepositWorld, tmp_path: Path) -> None:
    bill = overdue_bill()
    number = number_of(begin(bill))
    first = statements.take_in(write(tmp_path, line(number)), "shinhan")
    assert (first.ok, first.report.counts) == (True, {"rows": 1, "new": 1, "known": 0})
    run()
    bill.refresh_from_db()
    assert bill.state == "settled"
    assert statements.take_in(write(tmp_path, line(number)), "shinhan").again
    other = write(tmp_path, line(number), line(number, "700", "D000000002"), name="more.csv", encoding="utf-8")
    second = statements.take_in(other, "shinhan")
    assert (second.ok, second.report.counts) == (True, {"rows": 2, "new": 1, "known": 1})
    run()
    assert Attempt.objects.filter(state=State.PAID).count() == 2
    assert (RefundCase.objects.get().amount, books.credit(bill.account_id)) == (700, 0), "it goes back by itself"


@pytest.mark.parametrize("first", ["list", "statement"])
def test_a_line_of_the_list_and_of_the_statement_counts_once(bank: DepositWorld, tmp_path: Path, first: str) -> None:
    bill = overdue_bill()
    number = number_of(begin(bill))
    came = bank.deposit(number, 52300)
    path = write(tmp_path, line(number, ident=came["id"]))
    if first == "list":
        run()
        assert statements.take_in(path, "shinhan").report.counts["known"] == 1
    else:
        assert statements.take_in(path, "shinhan").report.counts["new"] == 1
    run()
    assert DepositLine.objects.count() == 1
    agree(bank)


def test_two_equal_deposits_of_the_same_second_are_two(bank: DepositWorld, tmp_path: Path) -> None:
    bill = overdue_bill()
    number = number_of(begin(bill))
    path = write(tmp_path, line(number, "100", "D000000001"), line(number, "100", "D000000002"))
    assert statements.take_in(path, "shinhan").ok
    run()
    bill.refresh_from_db()
    assert bill.paid == 200


@pytest.mark.parametrize(
    ("bad", "place"),
    [
        (line("0889", amount="-1"), ("3", "거래금액")),
        (line("0889", amount="0"), ("3", "거래금액")),
        (line("0889", amount="12.5"), ("3", "거래금액")),
        (line("0889", amount='"5,23,00"'), ("3", "거래금액")),
        (line("0889", ident=""), ("3", "거래번호")),
        (line("0889", kind="출금"), ("3", "거래구분")),
        (line("0889", kind="반환"), ("3", "원거래번호")),
        (line("0889", of="D000000009"), ("3", "원거래번호")),
        (line("not a number"), ("3", "가상계좌번호")),
        (line("0889", day="2014-10-32"), ("3", "거래일자")),
        (line("0889") + ",extra", ("3", "line")),
        (line("0889"), ("3", "거래번호")),  # the same number twice
    ],
)
def test_a_file_with_one_wrong_line_is_refused_whole_and_the_place_is_named(
    bank: DepositWorld, tmp_path: Path, bad: str, place: tuple[str, str]
) -> None:
    good = line("0889")
    bad = bad if bad == good or "D000000001" not in bad else bad.replace("D000000001", "D000000002", 1)
    taken = statements.take_in(write(tmp_path, good, bad), "shinhan")
    assert not taken.ok
    [problem] = taken.report.problems
    assert (str(problem.row), problem.column) == place
    assert DepositLine.objects.count() == 0
    assert ImportFile.objects.get().accepted is False


def test_a_file_with_unknown_columns_or_without_the_banks_own_number_is_refused(
    bank: DepositWorld, tmp_path: Path
) -> None:
    path = tmp_path / "x.csv"
    path.write_text(HEADER.replace("거래번호,거래구분", "순번,거래구분"), encoding="utf-8")
    assert "순번" in str(statements.take_in(path, "shinhan").report.problems[0])


def test_a_line_told_otherwise_than_before_refuses_the_file_and_keeps_nothing_of_it(
    bank: DepositWorld, tmp_path: Path
) -> None:
    number = number_of(begin(overdue_bill()))
    came = bank.deposit(number, 52300)
    run()
    taken = statements.take_in(write(tmp_path, line(number, "5", "D7"), line(number, "99", came["id"])), "shinhan")
    assert not taken.ok
    assert taken.report.problems[0].row == 3
    assert DepositLine.objects.count() == 1
    agree(bank)


def test_what_the_statement_says_was_taken_back_is_undone(bank: DepositWorld, tmp_path: Path) -> None:
    bill = overdue_bill()
    number = number_of(begin(bill))
    back = line(number, ident="T000000002", kind="입금취소", of="D000000001", time="13:00:00")
    assert statements.take_in(write(tmp_path, back), "shinhan").ok
    run()
    assert desk.parked()[0].reason == "unknown_origin", "its deposit has not been told yet"
    assert statements.take_in(write(tmp_path, line(number), name="late.csv"), "shinhan").ok
    run()
    bill.refresh_from_db()
    assert (bill.state, desk.parked()) == ("open", [])
    assert Attempt.objects.get().state == State.UNDONE


def test_a_bare_day_on_which_the_number_changed_hands_is_for_a_person_until_the_list_says_more(
    bank: DepositWorld, noon: clock.Frozen
) -> None:
    from doenda.payments.deposits import storing
    from doenda.payments.deposits.models import DepositNumber

    mine, other = overdue_bill(number="B-1"), overdue_bill(number="B-2", phone="+821000005678")
    DepositNumber.objects.exclude(number="088900000000").update(retired=True)
    number = number_of(begin(mine))
    noon.advance(timedelta(days=8))
    sweeps.run("inquiries")
    run()
    noon.advance(timedelta(days=31))
    assert number_of(begin(other)) == number
    day = clock.day_start(clock.today())
    told = Movement("088", "D9", "deposit", number, 500, "KRW", day, day_only=True)
    storing.store([told], "statement")
    run()
    assert [one.reason for one in desk.parked()] == ["changed_hands"]
    exact = Movement("088", "D9", "deposit", number, 500, "KRW", day + timedelta(hours=1))
    storing.store([exact], "list")
    run()
    assert desk.parked() == []
    mine.refresh_from_db()
    assert mine.paid == 500, "an hour after midnight it was still the former holder's"


def test_every_described_bank_names_its_own_number() -> None:
    for name, columns in statements.mappings().items():
        assert columns.ident, name
        assert not columns.day_only

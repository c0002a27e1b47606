"""The set-based import and its row-wise twin decide alike, on files made up at random."""

from datetime import date
from pathlib import Path

from django.db import transaction
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from doenda.billing import accounts, bills, books, classes
from doenda.billing.imports.judge import KnownBill, judge
from doenda.billing.imports.lines import LineRule, Staged
from doenda.billing.imports.run import import_file
from doenda.billing.imports.stage import Block
from doenda.billing.models import Account, Bill
from doenda.kernel import clock

HEADER = [
    "account",
    "bill",
    "revision",
    "kind",
    "credits",
    "bill_date",
    "due_date",
    "currency",
    "class",
    "amount",
    "total",
]
ROW = st.tuples(
    st.sampled_from(["A1", "A1", "A1", "A2", "A\\3"]),
    st.sampled_from(["B1", "B1", "B2", "B3", "B4", "B5", "B6", "B7"]),
    st.sampled_from(["1", "2", "3"]),
    st.sampled_from(["", "bill", "bill", "credit_note"]),
    st.just(""),
    st.just("2014-10-05"),
    st.sampled_from(["2014-10-25", "2014-10-26"]),
    st.sampled_from(["KRW"] * 8 + ["EUR"]),
    st.sampled_from(["service", "content"]),
    st.sampled_from(["100", "250", "70", "300", "-50", "0", "-100", "9999999999999"]),
    st.sampled_from([""] * 9 + ["100", "350"]),
)
CREDITS = st.tuples(
    *[*(st.just(each) for each in ("A1", "N1", "1", "credit_note"))], st.sampled_from(["", "B1", "B9"])
).flatmap(lambda first: st.just((*first, "2014-10-05", "2014-10-25", "KRW", "service", "70", "")))


def bill_at_random() -> st.SearchStrategy[list[tuple[str, ...]]]:
    """One to three lines that mostly agree on their bill."""
    return st.tuples(
        ROW, st.lists(st.tuples(st.sampled_from(["service", "content"]), st.sampled_from(["100", "-50"])), max_size=2)
    ).map(lambda made: [made[0], *((*made[0][:8], *more, made[0][10]) for more in made[1])])


FILES = st.lists(st.one_of(bill_at_random(), CREDITS.map(lambda row: [row])), min_size=1, max_size=4).map(
    lambda groups: [row for group in groups for row in group]
)


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(FILES)
def test_both_refuse_for_the_same_reasons_or_write_the_same_bills(
    db: None, tmp_path: Path, rows: list[tuple[str, ...]]
) -> None:
    with transaction.atomic():
        _known()
        lines = _lines(rows)
        known = {
            bill.number: KnownBill(bill.account.number, bill.revision, bill.state == "cancelled")
            for bill in Bill.objects.select_related("account")
        }
        before = dict(Bill.objects.values_list("number", "amount"))
        verdict = judge(lines, dict(Account.objects.values_list("number", "currency")), known)
        path = tmp_path / "file.csv"
        path.write_text("\n".join(",".join(row) for row in [tuple(HEADER), *rows]) + "\n", encoding="utf-8")
        imported = import_file(path)
        assert {(each.row, each.column, each.reason) for each in imported.report.problems} == verdict.problems
        assert imported.ok == (not verdict.problems)
        after = dict(Bill.objects.values_list("number", "amount"))
        event("refused" if verdict.problems else "accepted")
        for _, _, reason in verdict.problems:
            event(reason)
        if verdict.problems:
            assert after == before
        else:
            changed = {
                number: verdict.amount[number] for number, act in verdict.action.items() if act in {"new", "correct"}
            }
            assert after == before | changed
        trial = books.trial()
        assert trial.ok, trial
        transaction.set_rollback(True)


def _known() -> None:
    """A won account with one bill in revision 2 and a cancelled one, a euro account."""
    account = accounts.lock(accounts.open_account("A1", "KRW").pk)
    for number in ("B1", "B2"):
        items = [bills.Item("service", 300)]
        made = bills.issue(account, number, items, due_date=date(2014, 9, 25), bill_date=date(2014, 9, 5), revision=2)
    bills.cancel(account, made, fact_id="c", at=clock.now())
    accounts.open_account("A2", "EUR")


def _lines(rows: list[tuple[str, ...]]) -> list[Staged]:
    known = classes.policy(date(2014, 10, 1)).in_files
    rule = LineRule(HEADER, classes=known, country="KR")
    found = [rule.read(number, row) for number, row in enumerate(rows, 2)]
    assert all(isinstance(line, Staged) for line in found), found
    return [line for line in found if isinstance(line, Staged)]


def test_ids_made_in_sql_are_version_7_and_count_upwards() -> None:
    block = Block.fresh()
    first, later = block.nth(1), block.nth(1_000_000)
    assert first.version == later.version == 7
    assert first.variant == later.variant
    assert first < later

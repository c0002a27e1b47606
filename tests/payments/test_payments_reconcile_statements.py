"""Statement files against the ledger: every line ends matched or parked, once, and a person decides what is posted."""

import json
from contextlib import suppress
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from tests.payments.recon_tools import ACCOUNT, bill, camt, entry, mt940, order, paid, statement
from tests.payments.test_payments_deposit import begin, deposit_world, number_of, run
from tests.worlds import overdue_bill, world

from doenda.access.models import AuditEntry
from doenda.billing import books, post
from doenda.billing.models import Account, ImportFile, Posting
from doenda.kernel import clock
from doenda.kernel.db import atomic
from doenda.kernel.ids import outside
from doenda.payments import desk, staff
from doenda.payments.models import Attempt, ReconLine, ReconRun
from doenda.payments.reconciliation import again, queue
from doenda.payments.reconciliation.statements import FileTaken, take

KIM, BOSS = "agent:kim", "operator:park"


@pytest.fixture
def folder(db: None, noon: clock.Frozen, tmp_path: Path) -> Path:
    return tmp_path


def told(folder: Path, *entries: str, closing: int, name: str = "s.xml", **more: Any) -> FileTaken:
    return take(camt(folder / name, statement(*entries, closing=closing, **more)))


def only() -> ReconLine:
    return ReconLine.objects.get()


def waits(folder: Path, *entries: str, closing: int, **more: Any) -> ReconLine:
    assert told(folder, *entries, closing=closing, **more).ok
    line = only()
    assert line.state == "parked"
    return line


def test_a_line_is_matched_by_order_by_key_and_by_bill(folder: Path) -> None:
    first, second, third = bill("B-000001"), bill("B-000002"), bill("B-000003")
    made = paid(first, ref="K-000001")
    paid(second, ref="K-000002")
    paid(third, ref="K-000003")
    entries = [entry(e2e=order(made)), entry(text="key K-000002"), entry(text="요금 B-000003 감사합니다")]
    taken = told(folder, *entries, closing=156900)
    run_of = taken.runs[0]
    assert (taken.ok, run_of.matched, run_of.parked, run_of.ok) == (True, 3, 0, True)
    assert (run_of.their_total, run_of.our_total, run_of.difference) == (156900, 156900, 0)
    assert set(ReconLine.objects.values_list("account_id", flat=True)) == {
        each.account_id for each in (first, second, third)
    }


def test_the_same_file_is_ignored_and_the_same_statement_in_another_is_known(folder: Path) -> None:
    made = paid(bill("B-000001"))
    text = entry(e2e=order(made)), entry(), entry()
    told(folder, *text, closing=156900)
    assert told(folder, *text, closing=156900).again
    other = told(folder, *text, closing=156900, name="copy.xml", more="<AddtlStmtInf>copy</AddtlStmtInf>")
    assert (other.ok, other.runs[0].known, other.runs[0].matched) == (True, 3, 0)
    assert ReconLine.objects.count() == 3


def test_a_statement_that_tells_a_line_otherwise_refuses_its_file_whole(folder: Path) -> None:
    told(folder, entry(ref="R1"), closing=52300)
    refused = told(folder, entry("52301", ref="R1"), entry(), closing=104601, name="b.xml")
    assert not refused.ok
    assert "told otherwise before" in refused.report.problems[0].reason
    assert ReconLine.objects.count() == 1
    assert ImportFile.objects.filter(accepted=False).count() == 1


def test_one_reference_of_a_bank_in_two_statements_is_never_lost(folder: Path) -> None:
    told(folder, entry(ref="R1"), closing=52300)
    second = told(folder, entry(ref="R1"), opening=52300, closing=104600, ident="S-2", number=2, name="b.xml")
    assert not second.ok, "nobody can tell whether it is the same money"


def test_statements_of_an_account_follow_each_other_over_files(folder: Path) -> None:
    assert told(folder, entry(), closing=52300).ok
    gap = told(folder, entry(), opening=60000, closing=112300, ident="S-3", number=3, name="c.xml")
    assert "number 2 and what follows is missing" in gap.report.problems[0].reason
    assert told(folder, entry(), opening=52300, closing=104600, ident="S-2", number=2, name="b.xml").ok
    elsewhere = told(folder, entry(), opening=9, closing=52309, ident="S-1", account="KR-2", name="d.xml")
    assert elsewhere.ok, "another account has a row of its own"


@pytest.mark.parametrize("cut", [0, 300, 700])
def test_a_truncated_or_an_empty_file_is_refused_and_remembered(folder: Path, cut: int) -> None:
    path = camt(folder / "s.xml", statement(entry(), closing=52300))
    path.write_bytes(path.read_bytes()[:cut])
    refused = take(path)
    assert (refused.ok, ReconLine.objects.count(), ReconRun.objects.count()) == (False, 0, 0)
    assert ImportFile.objects.get().report["problems"]


def test_a_huge_file_is_refused_before_it_is_read(folder: Path, settings: Any) -> None:
    settings.DOENDA_IMPORT_MAX_BYTES = 100
    assert "larger than 100 bytes" in told(folder, entry(), closing=52300).report.problems[0].reason


def test_a_fact_that_is_named_twice_is_matched_once(folder: Path) -> None:
    made = paid(bill("B-000001"))
    told(folder, entry(e2e=order(made), ref="R1"), entry(e2e=order(made), ref="R2"), closing=104600)
    lines = ReconLine.objects.order_by("ident")
    assert [(line.state, line.reason) for line in lines] == [("matched", ""), ("parked", "TWICE")]
    rows = [f":61:1410221022C52300,NTRF{order(made)[:16]}//R9", f":86:{order(made)}"]
    twin = mt940(folder / "t.sta", rows, closing="C141022KRW52300,")
    assert take(twin).runs[0].told["reasons"] == {"TWICE": 1}, "the same money in another form of another name"


def test_what_came_undone_is_matched_by_the_line_that_takes_it_back(folder: Path) -> None:
    made = paid(bill("B-000001"))
    back = entry(e2e=order(made), side="DBIT", reversal="true", ref="R2")
    told(folder, entry(e2e=order(made), ref="R1"), back, closing=0)
    assert ReconLine.objects.get(kind="out").reason == "UNDONE_UNKNOWN"
    with atomic():
        post.undo_payment("payment", made.fact_id, ("undone", made.fact_id))
    assert again.look(100) == 1
    line = ReconLine.objects.get(kind="out")
    assert (line.state, line.fact_kind, line.fact_id) == ("matched", "undone", made.fact_id)


def test_a_deposit_of_the_banks_list_is_the_line_of_its_statement(db: None, noon: clock.Frozen, tmp_path: Path) -> None:
    with deposit_world() as bank:
        owed = overdue_bill()
        came = bank.deposit(number_of(begin(owed)), 52300)
        early = told(tmp_path, entry(text=f"deposit {came['id']}", ref="R1"), closing=52300)
        assert early.runs[0].told["reasons"] == {"NOT_IN_LEDGER": 1}
        run()
        assert again.look(100) == 1
        assert only().fact_id == Attempt.objects.get(state="paid").fact_id


def test_money_of_a_probe_is_marked_and_kept_apart(folder: Path) -> None:
    owed = bill("B-000001")
    Account.objects.filter(pk=owed.account_id).update(probe=True)
    made = paid(owed, probe=True)
    other = paid(bill("B-000002"), ref="K-000002")
    taken = told(folder, entry(e2e=order(made)), entry(e2e=order(other)), closing=104600)
    line = ReconLine.objects.get(probe=True)
    assert line.reference == order(made)
    found = taken.runs[0]
    assert (found.probes, found.matched, found.their_total, found.told["probe_sum"]) == (1, 2, 52300, 52300)


@pytest.mark.parametrize(
    ("amount", "text", "name", "reason"),
    [
        ("5230", "B-000001", "", "LOST_ZERO"),
        ("25300", "B-000001", "", "TRANSPOSED_DIGITS"),
        ("52301", "B-000001", "", "AMOUNT_DIFFERS"),
        ("52300", "B-000010", "", "TRANSPOSED_DIGITS"),
        ("52300", "rent", "김 민 수", "WRONG_REFERENCE"),
        ("52300", "B-000001", "", "NOT_IN_LEDGER"),
    ],
)
@pytest.mark.parametrize("known", [False, True])
def test_a_near_miss_waits_with_a_suggestion_and_posts_nothing(
    folder: Path, amount: str, text: str, name: str, reason: str, known: bool
) -> None:
    owed = bill("B-000001")
    if known:
        paid(owed)
        if reason == "NOT_IN_LEDGER":
            return
    before = Posting.objects.count()
    line = waits(folder, entry(amount, text=text, name=name), closing=int(amount))
    assert (line.reason, line.owner, line.due_at) == (reason, "desk", clock.now() + timedelta(days=2))
    assert set(line.suggestion) == {"fact" if known else "bill", "why", "score"}
    assert Posting.objects.count() == before


def test_two_bills_that_fit_equally_are_no_suggestion(folder: Path) -> None:
    bill("B-000001")
    bill("B-000002")
    assert waits(folder, entry(name="김민수"), closing=52300).suggestion == {}


def test_an_open_bill_that_is_named_counts_more_than_a_likeness(folder: Path) -> None:
    paid(bill("B-000001"))
    bill("B-000002", name="박서준")
    line = waits(folder, entry(text="B-000002"), closing=52300)
    assert (line.reason, line.suggestion["bill"]) == ("NOT_IN_LEDGER", "B-000002")


def test_accepted_money_is_posted_once_to_the_bill_and_audited(folder: Path) -> None:
    owed = bill("B-000001")
    line = waits(folder, entry(text="B-000001"), closing=52300)
    done = queue.accept(line.pk, by=KIM)
    owed.refresh_from_db()
    assert (done.posted, owed.state, books.trial().ok) == (52300, "settled", True)
    line.refresh_from_db()
    assert (line.state, line.handled_by, line.account_id) == ("settled_by_hand", KIM, owed.account_id)
    assert Posting.objects.filter(fact_kind=line.fact_kind, fact_id=line.fact_id).count() == 1
    assert AuditEntry.objects.filter(action="reconciliation accepted", subject_id=line.pk).exists()
    with pytest.raises(queue.NotAllowed, match="no such line"):
        queue.accept(line.pk, by=KIM)
    copy = told(folder, entry(text="B-000001"), closing=52300, name="c.xml", more="<AddtlStmtInf>c</AddtlStmtInf>")
    assert copy.runs[0].known == 1
    assert again.look(100) == 0


def test_only_staff_with_the_right_may_and_above_the_limit_two_of_them(folder: Path) -> None:
    owed = bill("B-000001", 400000)
    line = waits(folder, entry("400000", text="B-000001"), closing=400000)
    for stranger in ("", "clerk:lee", "user:nobody", "kim"):
        with pytest.raises(staff.NotAllowed):
            queue.accept(line.pk, by=stranger)
    assert not queue.accept(line.pk, by=KIM).done
    assert not queue.accept(line.pk, by="agent: KIM").done, "the same person by another spelling"
    assert not queue.dismiss(line.pk, by=BOSS, words="no").done, "that is another wish"
    assert not queue.accept(line.pk, by=KIM).done
    with pytest.raises(staff.NotAllowed):
        queue.accept(line.pk, by="agent:lee")
    assert queue.accept(line.pk, by=BOSS).posted == 400000
    owed.refresh_from_db()
    assert owed.state == "settled"


def test_too_much_becomes_credit_and_a_person_may_name_the_bill(folder: Path) -> None:
    owed = bill("B-000001")
    line = waits(folder, entry("60000", text="who knows"), closing=60000)
    with pytest.raises(queue.NotAllowed, match="name the bill"):
        queue.accept(line.pk, by=KIM)
    with pytest.raises(queue.NotAllowed, match="no bill of this number"):
        queue.accept(line.pk, by=KIM, bill="B-9")
    assert queue.accept(line.pk, by=KIM, bill="B-000001").done
    owed.refresh_from_db()
    assert (owed.state, books.credit(owed.account_id)) == ("settled", 7700)


def test_a_near_miss_that_is_the_same_money_is_tied_and_not_posted(folder: Path) -> None:
    made = paid(bill("B-000001"))
    line = waits(folder, entry(text="rent", name="김민수"), closing=52300)
    before = Posting.objects.count()
    assert queue.accept(line.pk, by=KIM).fact == ("payment", made.fact_id)
    assert Posting.objects.count() == before


def test_money_that_came_twice_becomes_the_accounts_credit(folder: Path) -> None:
    owed = bill("B-000001")
    made = paid(owed)
    told(folder, entry(e2e=order(made), ref="R1"), entry(e2e=order(made), ref="R2"), closing=104600)
    line = ReconLine.objects.get(state="parked")
    assert queue.accept(line.pk, by=KIM).posted == 52300
    assert books.credit(owed.account_id) == 52300


def test_a_transfer_for_a_bill_that_was_paid_by_card_is_money_of_its_own(folder: Path) -> None:
    """A card's money comes in a payout of many, so no line of a bank is it, however like it looks."""
    owed = bill("B-000001")
    paid(owed, ref="tgen_1", provider="toss")
    line = waits(folder, entry(text="B-000001", name="김민수"), closing=52300)
    assert line.reason == "TWICE"
    assert queue.accept(line.pk, by=KIM).posted == 52300
    assert books.credit(owed.account_id) == 52300


def test_what_only_looks_like_a_card_payment_is_not_tied_to_it(folder: Path) -> None:
    owed = bill("B-000001")
    paid(owed, ref="tgen_1", provider="toss")
    line = waits(folder, entry(text="rent", name="김민수"), closing=52300)
    assert (line.reason, line.suggestion) == ("NOT_IN_LEDGER", {})


def test_the_rest_of_a_bill_that_was_paid_by_card_in_part_is_for_that_bill(folder: Path) -> None:
    owed = bill("B-000001")
    paid(owed, 20_000, ref="tgen_1", provider="toss")
    line = waits(folder, entry("32300", text="B-000001"), closing=32300)
    assert (line.reason, line.suggestion["bill"]) == ("NOT_IN_LEDGER", "B-000001")


def test_what_must_not_be_posted_by_hand_is_not(folder: Path) -> None:
    owed = bill("B-000001")
    begun = Attempt.objects.create(
        account_id=owed.account_id, provider="sandbox", method="card", channel="web", amount=52300, currency="KRW"
    )
    for text, side, said in (
        (outside(begun.pk), "CRDT", "its provider is asked"),
        ("B-000001", "DBIT", "name the bill"),
    ):
        told(
            folder,
            entry(text=text, side=side),
            closing=52300 if side == "CRDT" else -52300,
            name=f"{side}.xml",
            ident=side,
            account=side,
        )
        line = ReconLine.objects.get(source=f"statement:{side}")
        with pytest.raises(queue.NotAllowed, match=said):
            queue.accept(line.pk, by=KIM)
    with pytest.raises(queue.NotAllowed, match="only money that came in"):
        queue.accept(line.pk, by=KIM, bill="B-000001")
    wrong = told(folder, entry("5230", text="B-000001", ref="Z"), closing=5230, name="z.xml", ident="Z", account="Z")
    assert wrong.runs[0].told["reasons"] == {"LOST_ZERO": 1}
    paid(owed)
    again.look(100)
    ReconLine.objects.create(
        run_id=wrong.runs[0].pk,
        source="feed:toss",
        ident="1",
        kind="in",
        amount=1,
        currency="KRW",
        at=clock.now(),
        state="parked",
        reason="NOT_IN_LEDGER",
        owner="desk",
        due_at=clock.now(),
    )
    with pytest.raises(queue.NotAllowed, match="asked of the provider"):
        queue.accept(ReconLine.objects.get(source="feed:toss").pk, by=KIM)


def test_a_dismissed_line_says_why_and_is_gone_from_the_desk(folder: Path) -> None:
    line = waits(folder, entry("300", side="DBIT", text="fee"), closing=-300)
    (item,) = desk.waiting("reconciliation")["reconciliation"]
    assert (item.id, item.amount, ACCOUNT in item.words) == (line.pk, 300, False)
    with pytest.raises(queue.NotAllowed, match="say why"):
        queue.dismiss(line.pk, by=KIM, words=" ")
    queue.dismiss(line.pk, by=KIM, words="a fee of the bank")
    line.refresh_from_db()
    assert (line.state, line.words, desk.waiting("reconciliation")["reconciliation"]) == (
        "settled_by_hand",
        "a fee of the bank",
        [],
    )


def command(*arguments: str) -> dict[str, Any]:
    out = StringIO()
    with suppress(SystemExit):
        call_command("reconcile", *arguments, "--json", stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def test_the_command_says_what_became_of_every_line(folder: Path) -> None:
    made = paid(bill("B-000001"))
    good = camt(folder / "a.xml", statement(entry(e2e=order(made)), entry(status="PDNG"), entry("9"), closing=52309))
    bad = camt(folder / "b.xml", statement(entry(), closing=1, account="KR-2"))
    said = command(str(good), str(bad), str(good))
    assert not said["ok"]
    figures = said["figures"]
    assert [figures[name] for name in ("files", "lines", "matched", "parked", "refused", "ignored", "pending")] == [
        *(3, 2, 1, 1, 1, 1, 1),
    ]
    assert "off by" in said["failures"][0]
    waiting = command("--queue")
    assert (waiting["ok"], waiting["figures"]) == (True, {"waiting": 1, "late": 0})
    ident = waiting["rows"][0]["id"]
    assert command("--dismiss", ident, "--by", KIM, "--words", "none of ours")["figures"]["done"] == 1
    for wrong in (["--accept", ident, "--by", KIM], ["--queue", "--accept", ident], [str(folder / "none")], []):
        with pytest.raises(CommandError):
            command(*wrong)
    with pytest.raises(CommandError, match="no such form"):
        command(str(good), "--format", "pdf")


def test_what_waits_too_long_fails_the_queue(folder: Path, noon: clock.Frozen) -> None:
    waits(folder, entry("9"), closing=9)
    noon.advance(timedelta(days=3))
    assert not command("--queue")["ok"]


def test_a_file_takes_the_same_number_of_queries_whatever_its_length(
    folder: Path, django_assert_max_num_queries: Any
) -> None:
    many = 300
    owed = bill("B-000001", 1000000)
    made = [order(paid(owed, 1000 + place, ref=f"K-{place:06d}")) for place in range(many)]
    entries = [entry(str(1000 + place), e2e=one) for place, one in enumerate(made)]
    path = camt(
        folder / "many.xml", statement(*entries, *[entry("7")] * many, closing=sum(range(1000, 1000 + many)) + 7 * many)
    )
    with django_assert_max_num_queries(45):
        taken = take(path)
    assert (taken.runs[0].matched, taken.runs[0].parked) == (many, many)


def test_the_command_looks_at_a_providers_list_and_at_the_carriers_billing(folder: Path) -> None:
    with world():
        said = command("--provider", "sandbox")
        assert said["figures"] | {"refused": 0, "parked": 0, "lines": 0, "matched": 0} == said["figures"]
        with pytest.raises(CommandError):
            command("--provider", "nobody")
    path = folder / "items.csv"
    path.write_text("nothing of ours\n", encoding="utf-8")
    assert not command("--billing", str(path))["ok"]
    bill("B-000001")
    path.write_text("bill,account,currency,amount,paid,remaining\nB-9,A-9,KRW,700,0,700\n", encoding="utf-8")
    sums, *findings = command("--billing", str(path))["rows"]
    assert sums == {"currency": "KRW", "theirs": 700, "ours": 52300, "explained": -51600}
    assert {(each["about"], each["reason"], each["owner"]) for each in findings} == {
        ("B-9", "NOT_HERE", "billing"),
        ("B-000001", "NOT_THERE", "billing"),
    }

"""The feed to the carrier's books, and the commands."""

import json
from datetime import date
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from doenda.billing import accounts, bills, feed, post
from doenda.billing.models import PostingAck
from doenda.kernel import clock

BILLS = """account,bill,bill_date,due_date,currency,class,amount
A-1,B-1,2014-10-05,2014-10-25,KRW,service,1000
"""


@pytest.fixture
def posted(db: None) -> None:
    with transaction.atomic():
        for probe in (False, True):
            account = accounts.lock(accounts.open_account(f"A{probe}", "KRW", probe=probe).pk)
            bill = bills.issue(account, f"B{probe}", [bills.Item("service", 500)], due_date=date(2014, 10, 25))
            post.payment(
                account, [(bill.pk, 500)], provider="sandbox", fact_kind="p", fact_id=str(probe), at=clock.now()
            )


def test_postings_are_fed_until_they_are_acknowledged(posted: None) -> None:
    lines = list(feed.export())
    read = [json.loads(line) for line in lines]
    assert [(each["from"], each["to"], each["amount"]) for each in read] == [
        ("billed", "receivable", 500),
        ("receivable", "clearing:sandbox", 500),
    ], "a probe's money stays out"
    assert read[1]["fact"] == {"kind": "p", "id": "False", "leg": 0}
    assert feed.acknowledge([lines[0], ""]) == (1, 0)
    assert [json.loads(line)["id"] for line in feed.export()] == [read[1]["id"]]
    assert feed.acknowledge([read[0]["id"], read[1]["id"]]) == (1, 1)
    assert list(feed.export()) == []


@pytest.mark.parametrize("bad", ["A" * 26, "nonsense", "{}", '{"id": 5}', "[]"])
def test_an_acknowledgement_of_something_else_is_refused_whole(posted: None, bad: str) -> None:
    with pytest.raises(feed.BadAck, match="line 2"):
        feed.acknowledge([next(feed.export()), bad])
    assert not PostingAck.objects.exists()


def test_the_feed_command_writes_and_reads_files(posted: None, tmp_path: Path) -> None:
    out = StringIO()
    call_command("feed", "export", str(tmp_path / "feed"), "--json", stdout=out)
    call_command("feed", "ack", str(tmp_path / "feed"), "--json", stdout=out)
    first, second = (json.loads(line) for line in out.getvalue().splitlines())
    assert first == {"ok": True, "figures": {"exported": 2}}
    assert second == {"ok": True, "figures": {"acknowledged": 2, "known": 0}}
    with pytest.raises(CommandError, match="No such file"):
        call_command("feed", "ack", str(tmp_path / "nothing"))


def test_the_import_command_speaks_json_and_exits_by_its_answer(db: None, tmp_path: Path) -> None:
    path = tmp_path / "bills.csv"
    path.write_text(BILLS, encoding="utf-8")
    out = StringIO()
    call_command("import_bills", str(path), "--json", stdout=out)
    data = json.loads(out.getvalue())
    assert (data["ok"], data["figures"]["bills"], data["problems"]) == (True, 1, [])
    path.write_text(BILLS.replace("1000", "1e3"), encoding="utf-8")
    out = StringIO()
    with pytest.raises(SystemExit) as stopped:
        call_command("import_bills", str(path), "--json", stdout=out)
    assert stopped.value.code == 1
    problem = {"row": 2, "column": "amount", "value": "1e3", "reason": "not an amount"}
    assert json.loads(out.getvalue())["problems"] == [problem]
    with pytest.raises(CommandError):
        call_command("import_bills", str(tmp_path / "nothing.csv"))


def test_a_person_reads_what_was_refused(db: None, tmp_path: Path) -> None:
    path = tmp_path / "bills.csv"
    path.write_text(BILLS.replace("KRW", "WON"), encoding="utf-8")
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("import_bills", str(path), stdout=out)
    assert "refused, nothing of it was kept" in out.getvalue()
    assert "row 2, currency 'WON': not a currency code of ISO 4217" in out.getvalue()

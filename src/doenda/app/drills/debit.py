"""A debit cycle of many mandates through a real clearing house: every bill right to the won, whatever came back.

The house answers with paid, no funds and closed accounts, leaves some records out, adds some that nobody knows, and
delivers its file twice. Its own books say what it took; the file's totals are compared on both sides.
"""

import contextlib
import csv
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet
from django.conf import settings
from django.db.models import Q, Sum

from doenda.app import stage
from doenda.app.result import Result
from doenda.billing import books
from doenda.billing.imports.run import import_file
from doenda.billing.models import Account, Bill, Posting
from doenda.kernel import clock, net, outbox
from doenda.kernel.db import atomic
from doenda.kernel.sealing import seal
from doenda.payments import providers
from doenda.payments.debit import answers, files, home, instruct
from doenda.payments.debit.models import DebitAnswer, DebitFile, DebitItem, DebitParked, Mandate
from doenda.payments.models import Attempt

MANDATES = 10_000
NO_FUNDS, CLOSED, MISSING, UNKNOWN = 500, 300, 20, 20
DAY = date(2014, 10, 28)
"""A Tuesday; its cut-off is on Monday, its results come in the night to Wednesday."""
HEADER = ["account", "account_holder", "phone", "line", "bill", "bill_date", "due_date", "currency", "class", "amount"]


@dataclass(frozen=True)
class House:
    """A clearing house as a process of its own."""

    url: str

    def control(self, method: str, path: str, body: object = None) -> Any:
        reply = net.call("clearing", method, f"{self.url}/_control/{path}", json=body, timeout=60)
        if reply.status >= 300:
            raise RuntimeError(f"the clearing house said {reply.status} to {path}: {reply.body[:200]!r}")
        return reply.json()


def run(*, mandates: int = MANDATES) -> Result:
    result = Result()
    with (
        tempfile.TemporaryDirectory() as folder,
        stage.database(fast=True),
        _house(Path(folder)) as house,
        _configured(house.url),
        clock.freeze(clock.at(DAY - timedelta(days=1), 9)) as frozen,
    ):
        _customers(Path(folder), mandates)
        _accounts(house, mandates)
        begun = clock.monotonic()
        out = _out(result, frozen, mandates)
        sent = clock.monotonic()
        _back(house, frozen)
        done = clock.monotonic()
        _check(result, house, out, mandates)
    result.figures |= {
        "seconds": round(done - begun, 1),
        "seconds_out": round(sent - begun, 1),
        "seconds_back": round(done - sent, 1),
    }
    return result


def _number(index: int) -> str:
    return f"110{index:09d}"


def _amount(index: int) -> int:
    return 900 + index * 7919 % 90_000


def _is(index: int) -> str:
    """What the books of the house hold against customer `index`."""
    if index % 20 == 7:
        return "no_funds" if index // 20 < NO_FUNDS else "paid"
    if index % 20 == 13:
        return "closed" if index // 20 < CLOSED else "paid"
    return "paid"


@contextlib.contextmanager
def _house(folder: Path) -> Iterator[House]:
    argv = [sys.executable, "-m", "peers.clearing", "--port", "0", "--journal", str(folder / "clearing.journal")]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)  # noqa: S603
    try:
        assert process.stdout is not None
        said = process.stdout.readline().split()
        if said[:1] != ["listening"]:
            raise RuntimeError("the clearing house did not start")
        yield House(f"http://{said[1]}")
    finally:
        process.terminate()
        process.wait(20)
        if process.stdout is not None:
            process.stdout.close()


@contextlib.contextmanager
def _configured(url: str) -> Iterator[None]:
    """This process's settings: the house that was just started, and a sealing key if there is none."""
    before, keys = settings.DOENDA_PROVIDERS, getattr(settings, "DOENDA_SEALING_KEYS", [])
    terms = {"url": url, "key": "clearing-key", "proofs": ["clearing-proof"], "institution": "9912345678"}
    settings.DOENDA_PROVIDERS = {**before, "debit": {**terms, "branch": "0040000", "deposit": "1234567890"}}
    settings.DOENDA_SEALING_KEYS = keys or [Fernet.generate_key().decode()]
    providers.get.cache_clear()
    try:
        yield
    finally:
        settings.DOENDA_PROVIDERS, settings.DOENDA_SEALING_KEYS = before, keys
        providers.get.cache_clear()


def _customers(folder: Path, count: int) -> None:
    """Accounts with one bill each, by an import; then a mandate each."""
    path = folder / "bills.csv"
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(HEADER)
        for index in range(count):
            phone = f"010-{index // 10_000:04d}-{index % 10_000:04d}"
            row = [f"A-{index}", "김민수", phone, phone, f"B-{index}", "2014-10-01", DAY.isoformat(), "KRW", "service"]
            writer.writerow([*row, _amount(index)])
    imported = import_file(path)
    if not imported.ok:
        raise RuntimeError(f"the bills were not taken in: {imported.file.report}")
    now = clock.now()
    rows = [
        Mandate(
            account_id=account_id,
            kind="bank",
            scheme="cms",
            payer=f"P{number[2:]:0>12}",
            bank="088",
            sealed_number=seal(_number(int(number[2:])).encode()),
            last_two=number[-2:].rjust(2, "0"),
            holder="김민수",
            consent="signature",
            consent_text="debit-ko-1",
            consent_at=now,
            consent_visitor="drill",
            consent_sha256="0" * 64,
            state="active",
            active_at=now,
        )
        for account_id, number in Account.objects.filter(number__startswith="A-").values_list("pk", "number")
    ]
    with atomic():
        Mandate.objects.bulk_create(rows, batch_size=1000)


def _accounts(house: House, count: int) -> None:
    rows = []
    for index in range(count):
        is_now = _is(index)
        balance = _amount(index) - (1 if is_now == "no_funds" else 0)
        state = "closed" if is_now == "closed" else "open"
        rows.append({"bank": "088", "number": _number(index), "balance": balance, "state": state})
    house.control("POST", "accounts", {"accounts": rows})
    faults = [
        {"fault": "missing_record", "remaining": MISSING},
        {"fault": "unknown_record", "remaining": UNKNOWN},
        {"fault": "duplicate_file", "remaining": 1},
    ]
    house.control("PUT", "faults", {"*": faults})


def _out(result: Result, frozen: clock.Frozen, count: int) -> DebitFile:
    """Instruct in the window, bind at the cut-off, bring the file to the house."""
    frozen.set(clock.at(DAY - timedelta(days=1), 12))
    made = instruct.run("KRW")
    result.expect(made.debits == count, f"{made.debits} of {count} bills were instructed")
    frozen.set(clock.at(DAY - timedelta(days=1), 16, 30))
    files.sweep(100)
    row = outbox.claim(Q(kind=files.OUTBOX))
    if row is None:
        raise RuntimeError("no file was built")
    outbox.send_claimed(row)
    file = DebitFile.objects.get()
    total = sum(_amount(index) for index in range(count))
    result.expect(file.state == "accepted", f"the house said: {file.state} {file.reason}")
    result.expect((file.records, file.debit_sum) == (count, total), f"the file says {file.records}, {file.debit_sum}")
    result.expect(made.amount == total, f"{made.amount} won were instructed, the bills said {total}")
    return file


def _back(house: House, frozen: clock.Frozen) -> None:
    """The house clears its books; we fetch what it gives out, and what is missing gets its person."""
    house.control("POST", "clear", {"day": DAY.isoformat()})
    frozen.set(clock.at(DAY + timedelta(days=1), 3, 1))
    answers.poll(100)
    home.bring(100)


def _check(result: Result, house: House, file: DebitFile, count: int) -> None:
    books_of_house = house.control("GET", "books")
    taken = {int(serial): int(won) for serial, won in books_of_house["taken"][file.name].items()}
    clock_at = clock.at(DAY + timedelta(days=2), 12)
    with clock.freeze(clock_at):
        home.own_overdue(100)
    words: Counter[str] = Counter()
    mismatches = 0
    posted = dict(Posting.objects.filter(fact_kind="payment").values_list("bill_id").annotate(sum=Sum("amount")))
    rows = DebitItem.objects.select_related("attempt").prefetch_related("attempt__bills__bill")
    for item in rows.filter(kind="debit").iterator(chunk_size=2000):
        words["missing" if item.state == "filed" else item.code] += 1
        wrong = _wrong(item, taken, posted)
        mismatches += bool(wrong)
        if wrong and len(result.failures) < 20:
            result.failures.append(wrong)
    ours = sum(posted.values())
    missed = sum(taken.get(item.serial or 0, 0) for item in DebitItem.objects.filter(state="filed"))
    result.expect(
        books_of_house["carrier"] == ours + missed,
        f"the house took {books_of_house['carrier']}, we posted {ours}, {missed} wait for their record",
    )
    stands = sum(each.amount for each in books.balances() if each.name == "clearing:debit")
    result.expect(stands == ours, f"clearing:debit holds {stands}, the postings say {ours}")
    trial = books.trial()
    result.expect(trial.ok, f"the ledger does not balance: {trial}")
    owned = Attempt.objects.filter(state="instructed", person_owns_at__isnull=False).count()
    result.expect(owned == words["missing"], f"{owned} of {words['missing']} missing results have a person")
    parked = DebitParked.objects.filter(reason="UNKNOWN_RECORD", item=None, closed_at=None).count()
    again = DebitAnswer.objects.aggregate(sum=Sum("again"))["sum"] or 0
    expected = Counter(_is(index) for index in range(count))
    result.expect(words["NO_FUNDS"] + words["CLOSED_ACCOUNT"] + words["PAID"] + words["missing"] == count, str(words))
    result.expect(parked == UNKNOWN, f"{parked} of {UNKNOWN} unknown records are parked")
    result.expect(words["missing"] == MISSING, f"{words['missing']} of {MISSING} records are missing")
    result.expect(again == 1, f"the second delivery was ignored {again} times")
    result.notes.append(f"the house's books: {dict(expected)}; the file of {file.debit_sum} won was acknowledged")
    result.figures = {
        "mandates": count,
        "paid": words["PAID"],
        "no_funds": words["NO_FUNDS"],
        "closed": words["CLOSED_ACCOUNT"],
        "unknown": parked,
        "missing": words["missing"],
        "duplicates_ignored": again,
        "mismatches": mismatches,
        "won": ours,
    }


def _wrong(item: DebitItem, taken: dict[int, int], posted: dict[Any, int]) -> str:
    """What is wrong with the item's bill, by the house's own books; "" if it is right to the won."""
    bill: Bill = item.attempt.bills.all()[0].bill
    took = taken.get(item.serial or 0, 0)
    arrived = 0 if item.state == "filed" else took
    state = {"filed": "instructed", "paid": "paid"}.get(item.state, "refused")
    wanted = (arrived, arrived, bill.amount - arrived, "open" if arrived < bill.amount else "settled", state)
    stands = (bill.paid, posted.get(bill.pk, 0), bill.remaining, bill.state, item.attempt.state)
    kind = _is(int(bill.number[2:]))
    if item.state == "refused" and item.code != {"no_funds": "NO_FUNDS", "closed": "CLOSED_ACCOUNT"}.get(kind):
        return f"{bill.number}: {item.code}, but the account is {kind}"
    if took not in (0, bill.amount) or (kind == "paid") != bool(took):
        return f"{bill.number}: the house took {took} of {bill.amount}, the account is {kind}"
    return "" if wanted == stands else f"{bill.number}: {stands}, should be {wanted}"

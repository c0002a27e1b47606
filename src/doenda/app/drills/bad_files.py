"""Files that are wrong in every way: each is refused whole, its error names the place, nothing is half-imported."""

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from doenda.app import stage
from doenda.app.result import Result
from doenda.billing.imports.run import import_file
from doenda.billing.models import Account, Bill, BillItem, ExternalFact, Party, Posting
from doenda.kernel import clock, randomness

HEADER = "account,account_holder,phone,line,bill,bill_date,due_date,currency,class,amount\n"
GOOD = "A-1,김민수,010-0000-1234,010-0000-1234,B-1,2014-10-01,2014-10-31,KRW,service,52300\n"
JUNK_BYTES = 50_000_000


@dataclass(frozen=True)
class Bad:
    """A file, and the words that its error must hold: the place, and the reason."""

    name: str
    write: Callable[[Path], object]
    place: tuple[str, ...]


def _text(content: str, encoding: str = "utf-8") -> Callable[[Path], object]:
    return lambda path: path.write_text(content, encoding=encoding)


def _bill(**changes: object) -> dict[str, object]:
    made: dict[str, object] = {
        "id": "TMF-1",
        "billNo": "TMF-1",
        "@type": "CustomerBill",
        "billingAccount": {"id": "A-9"},
        "amountDue": {"unit": "KRW", "value": 52300},
        "remainingAmount": {"unit": "KRW", "value": 52300},
        "taxIncludedAmount": {"unit": "KRW", "value": 52300},
        "billDate": "2014-10-01T00:00:00Z",
        "paymentDueDate": "2014-10-31T00:00:00Z",
        "state": "sent",
    }
    return made | changes


def _json(content: object) -> Callable[[Path], object]:
    return lambda path: path.write_text(json.dumps(content), encoding="utf-8")


def _junk(path: Path) -> None:
    with randomness.seeded(50) as chance:
        path.write_bytes(chance.randbytes(JUNK_BYTES))


FILES = (
    Bad("malformed.csv", _text(HEADER + GOOD + 'A-2,"김,010\n'), ("3",)),
    Bad(
        "a-word-for-an-amount.csv",
        _text(HEADER + GOOD + GOOD.replace("52300", "lots").replace("B-1", "B-2")),
        ("3", "amount"),
    ),
    Bad("no-such-day.csv", _text(HEADER + GOOD.replace("2014-10-31", "2014-10-32")), ("2", "due_date")),
    Bad("unknown-column.csv", _text(HEADER.replace("bill_date", "billed_on") + GOOD), ("bill_date",)),
    Bad(
        "broken-utf8.csv", lambda path: path.write_bytes((HEADER + GOOD).encode() + b"A-2,\xff\xfe\x81,x\n"), ("byte",)
    ),
    Bad("wrong-currency.csv", _text(HEADER + GOOD.replace("KRW", "WON")), ("2", "currency")),
    Bad("two-currencies.csv", _text(HEADER + GOOD + GOOD.replace("KRW", "EUR").replace("B-1", "B-2")), ("currency",)),
    Bad("a-bill-twice.csv", _text(HEADER + GOOD + GOOD.replace("2014-10-31", "2014-11-30")), ("B-1",)),
    Bad(
        "negative-and-no-credit.json",
        _json(_bill(amountDue={"unit": "KRW", "value": -100}, remainingAmount={"unit": "KRW", "value": -100})),
        ("amountDue",),
    ),
    Bad(
        "tmf-wrong-currency.json",
        _json([_bill(), _bill(id="TMF-2", billNo="TMF-2", amountDue={"unit": "WON", "value": 1})]),
        ("[1]", "unit"),
    ),
    Bad("tmf-bill-twice.json", _json([_bill(), _bill(paymentDueDate="2014-12-31T00:00:00Z")]), ("TMF-1",)),
    Bad(
        "not-a-bill.json",
        _json({"@type": "AppliedCustomerBillingRate", "id": "ABR123"}),
        ("AppliedCustomerBillingRate",),
    ),
    Bad("truncated.json", _text(json.dumps([_bill()])[:-40]), ("column",)),
    Bad("fifty-megabytes-of-junk.csv", _junk, ("byte",)),
)


def run() -> Result:
    result = Result()
    slowest = 0.0
    with stage.database(fast=True), tempfile.TemporaryDirectory() as folder:
        for bad in FILES:
            path = Path(folder) / bad.name
            bad.write(path)
            begun = clock.monotonic()
            done = import_file(path)
            slowest = max(slowest, clock.monotonic() - begun)
            said = json.dumps(done.file.report, ensure_ascii=False)
            result.expect(not done.ok, f"{bad.name} was taken in")
            for words in bad.place:
                result.expect(words in said, f"{bad.name}: the error does not say {words!r}: {said[:300]}")
            result.notes.append(f"{bad.name}: {_first(done.file.report)}")
            left = sum(model.objects.count() for model in (Account, Party, Bill, BillItem, Posting, ExternalFact))
            result.expect(left == 0, f"{bad.name} left {left} rows behind")
        path = Path(folder) / "good.csv"
        path.write_text(HEADER + GOOD, encoding="cp949")
        result.expect(import_file(path).ok, "the good file was refused afterwards")
        result.expect(import_file(path).again, "the same file again was not recognised")
    result.figures = {
        "files": len(FILES),
        "refused": len(FILES) - len(result.failures),
        "slowest_seconds": round(slowest, 2),
    }
    return result


def _first(report: dict[str, Any]) -> str:
    """The first problem of a report, as a person is told it."""
    first = report["problems"][0]
    return f"row {first['row']}, {first['column']}: {first['reason']}"[:160]

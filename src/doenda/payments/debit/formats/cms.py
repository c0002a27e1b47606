"""Writing debit files and reading their answers by the record table (cms_table). Strict: a file is right, or refused.

`keys` prove who wrote a file: the newest writes, every live one is good for reading.
"""

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import date

from doenda.payments.debit.formats import records
from doenda.payments.debit.formats.cms_table import DATA, HEADER, LENGTH, TRAILER
from doenda.payments.debit.formats.words import Answers, Head, Kind, Malformed, Order, Result, ResultFile, Totals

KINDS: dict[Kind, str] = {"debit": "R", "refund": "D"}
ANSWERS: dict[str, Answers] = {"EB22": "results", "EB29": "returns"}
OUT = "EB21"
MAC_BYTES = 10


def name(head: Head, kind: str = OUT) -> str:
    """The file's name with its sequence, as it is known to both sides: EB21-20141027-01."""
    return f"{kind}-{head.day:%Y%m%d}-{head.sequence:02d}"


def sums(orders: Iterable[Order | Result]) -> Totals:
    """What the trailer must say of these records (pure)."""
    debits = refunds = debit_sum = refund_sum = paid = paid_sum = 0
    for each in orders:
        if each.kind == "refund":
            refunds, refund_sum = refunds + 1, refund_sum + each.amount
            continue
        debits, debit_sum = debits + 1, debit_sum + each.amount
        if isinstance(each, Result) and each.done:
            paid, paid_sum = paid + 1, paid_sum + each.amount
    return Totals(debits + refunds, debits, debit_sum, refunds, refund_sum, paid, paid_sum)


def write(head: Head, orders: Sequence[Order], *, branch: str, deposit: str, keys: Sequence[str]) -> bytes:
    """An EB21 file. Raises ValueError for a value that does not fit its column, naming the column, never the value."""
    file = f"{OUT}{head.day:%m%d}"
    common: dict[str, records.Value] = {"institution": head.institution, "file": file}
    top = {**common, "day": head.day, "branch": branch, "deposit": deposit, "sequence": head.sequence}
    body = [records.pack(HEADER, top)]
    body += [records.pack(DATA, _values(head.institution, order)) for order in orders]
    end = records.pack(TRAILER, {**common, **asdict(sums(orders))})
    content = b"".join(body) + end[:-MAC_BYTES]
    return content + mac(content, keys[0])


def fits(order: Order) -> bool:
    """Can this order be written as a record?"""
    try:
        records.pack(DATA, _values("", order))
    except ValueError:
        return False
    return bool(order.account)


def _values(institution: str, order: Order) -> records.Values:
    return {
        "kind": KINDS[order.kind],
        "serial": order.serial,
        "institution": institution,
        "bank": order.bank.ljust(7, "0"),
        "account": order.account,
        "amount": order.amount,
        "check": order.check,
        "passbook": records.fitting(order.label, 16),
        "payer": order.payer,
    }


def mac(content: bytes, key: str) -> bytes:
    """The proof at a file's end."""
    return hmac.digest(key.encode(), content, hashlib.sha256).hex()[:MAC_BYTES].encode()


def read(content: bytes, *, institution: str, keys: Sequence[str]) -> ResultFile:
    """An EB22 or EB29 file. Raises Malformed, naming line and column, for whatever is not exactly right."""
    lines = records.cut(content, LENGTH)
    if len(lines) < 2:
        raise Malformed(1, "record", "a file has a header and a trailer")
    top = records.unpack(HEADER, 1, lines[0])
    last = len(lines)
    end = records.unpack(TRAILER, last, lines[-1])
    proofs = [mac(content[:-MAC_BYTES], key) for key in keys]
    if not any(hmac.compare_digest(content[-MAC_BYTES:], proof) for proof in proofs):
        raise Malformed(last, "mac", "does not prove that the clearing house wrote this")
    head, answers = _head(top, institution)
    for column in ("institution", "file"):
        if end[column] != top[column]:
            raise Malformed(last, column, "is not the header's")
    found = [_result(number, line, head, answers) for number, line in enumerate(lines[1:-1], 2)]
    _check_serials(found, answers, lines)
    for column, value in asdict(sums(found)).items():
        if end[column] != value:
            raise Malformed(last, column, f"says {end[column]}, the records say {value}")
    return ResultFile(name(head, str(top["file"])[:4]), answers, head, found)


def _head(top: dict[str, records.Value], institution: str) -> tuple[Head, Answers]:
    if top["institution"] != institution:
        raise Malformed(1, "institution", "is not ours")
    file, day, sequence = str(top["file"]), top["day"], int(str(top["sequence"]))
    answers = ANSWERS.get(file[:4])
    if answers is None:
        raise Malformed(1, "file", f"is not one of {', '.join(ANSWERS)}")
    if not isinstance(day, date):
        raise Malformed(1, "day", "is missing")
    if file[4:] != f"{day:%m%d}":
        raise Malformed(1, "file", "does not name the header's day")
    if not sequence:
        raise Malformed(1, "sequence", "counts from 1")
    return Head(institution, day, sequence), answers


def _result(number: int, line: bytes, head: Head, answers: Answers) -> Result:
    said = records.unpack(DATA, number, line)
    kind = next((kind for kind, letter in KINDS.items() if letter == said["kind"]), None)
    if kind is None:
        raise Malformed(number, "kind", "is neither R nor D")
    if said["institution"] != head.institution:
        raise Malformed(number, "institution", "is not the header's")
    code, outcome = str(said["code"]), said["outcome"]
    if outcome not in ("Y", "N"):
        raise Malformed(number, "outcome", "is neither Y nor N")
    if len(code) != 4 or not (code.isascii() and code.isdigit()):
        raise Malformed(number, "code", "is not four digits")
    if (outcome == "Y") != (code == "0000"):
        raise Malformed(number, "code", "0000 and Y go together")
    serial, origin = int(str(said["serial"])), head
    if answers == "returns":
        if not isinstance(said["origin_day"], date):
            raise Malformed(number, "origin_day", "a return names the debit that it is about")
        origin = Head(head.institution, said["origin_day"], int(str(said["origin_sequence"])))
        serial = int(str(said["origin_serial"]))
    bank, account, payer = str(said["bank"])[:3], str(said["account"]), str(said["payer"])
    amount = int(str(said["amount"]))
    return Result(number, serial, kind, bank, account, amount, outcome == "Y", code, payer, origin)


def _check_serials(found: Sequence[Result], answers: Answers, lines: Sequence[bytes]) -> None:
    """Results come in the order of their serials, each once; a missing one leaves a gap. Returns count their own."""
    before = 0
    for result in found:
        serial = int(lines[result.line - 1][1:9])
        if serial <= before or (answers == "returns" and serial != before + 1):
            raise Malformed(result.line, "serial", f"{serial} after {before}")
        before = serial

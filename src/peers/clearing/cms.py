"""The clearing house's own reading and writing of fixed-width files: 150 bytes a record, CP949, no line ends.

Offsets count from 0 here. Written apart from the carrier's, so that each checks the other.
"""

import hashlib
import hmac
from dataclasses import dataclass
from typing import Any

LENGTH = 150


class Bad(Exception):
    """The file is refused whole: the line (1 is the header), the column, why."""

    def __init__(self, line: int, column: str, reason: str) -> None:
        super().__init__(f"line {line}, {column}: {reason}")
        self.line, self.column, self.reason = line, column, reason


@dataclass(frozen=True, slots=True)
class Read:
    """An EB21 file: the debit day as YYYY-MM-DD, and its records."""

    institution: str
    day: str
    sequence: int
    orders: list[list[Any]]


def _number(raw: bytes, line: int, column: str) -> int:
    if not raw.isdigit():
        raise Bad(line, column, "not digits")
    return int(raw)


def _text(raw: bytes, line: int, column: str) -> str:
    try:
        return raw.decode("cp949").rstrip(" ")
    except UnicodeDecodeError:
        raise Bad(line, column, "not CP949") from None


def proof(content: bytes, key: str) -> bytes:
    return hmac.new(key.encode(), content, hashlib.sha256).hexdigest()[:10].encode()


def read(content: bytes, key: str) -> Read:
    """Raises Bad."""
    if not content or len(content) % LENGTH or len(content) < 2 * LENGTH:
        raise Bad(len(content) // LENGTH + 1, "record", "the file is not made of records of 150 bytes")
    lines = [content[at : at + LENGTH] for at in range(0, len(content), LENGTH)]
    head, end, last = lines[0], lines[-1], len(lines)
    if head[:9] != b"H00000000":
        raise Bad(1, "kind", "not a header")
    if end[:9] != b"T99999999":
        raise Bad(last, "kind", "not a trailer")
    if not hmac.compare_digest(end[140:], proof(content[:-10], key)):
        raise Bad(last, "mac", "the proof is wrong")
    institution, file = _text(head[9:19], 1, "institution"), _text(head[19:27], 1, "file")
    day, sequence = _number(head[27:33], 1, "day"), _number(head[56:58], 1, "sequence")
    if file != f"EB21{day % 10000:04d}" or not sequence:
        raise Bad(1, "file", "not EB21 and the header's day")
    orders = [_order(number, line, institution) for number, line in enumerate(lines[1:-1], 2)]
    debits = [order[4] for order in orders if order[1] == "R"]
    backs = [order[4] for order in orders if order[1] == "D"]
    wanted = (len(orders), len(debits), sum(debits), 0, 0, len(backs), sum(backs))
    said = [(27, 35), (35, 43), (43, 56), (56, 64), (64, 77), (77, 85), (85, 98)]
    for (start, stop), value in zip(said, wanted, strict=True):
        if _number(end[start:stop], last, "totals") != value:
            raise Bad(last, "totals", f"columns {start + 1}-{stop} do not say {value}")
    return Read(institution, f"20{day:06d}"[:4] + f"-{day // 100 % 100:02d}-{day % 100:02d}", sequence, orders)


def _order(number: int, line: bytes, institution: str) -> list[Any]:
    kind = _text(line[:1], number, "kind")
    serial = _number(line[1:9], number, "serial")
    if kind not in ("R", "D"):
        raise Bad(number, "kind", "neither R nor D")
    if serial != number - 1:
        raise Bad(number, "serial", "serials count from 1")
    if _text(line[9:19], number, "institution") != institution:
        raise Bad(number, "institution", "not the header's")
    bank, account = _text(line[19:26], number, "bank")[:3], _text(line[26:42], number, "account")
    amount = _number(line[42:55], number, "amount")
    if not amount or not account:
        raise Bad(number, "amount", "nothing to do")
    _text(line[73:89], number, "passbook")
    return [serial, kind, bank, account, amount, _text(line[91:111], number, "payer")]


def write(kind: str, head: tuple[str, str, int], rows: list[dict[str, Any]], key: str) -> bytes:
    """An EB22 or EB29 file. `head`: institution, day (YYYY-MM-DD), sequence; `rows` as `answered` makes them."""
    institution, day, sequence = head
    short = day[2:].replace("-", "")
    file = f"{kind}{short[2:]}"
    top = f"H00000000{institution:<10}{file}{short}{'0000000':<7}{'':<16}{sequence:02d}".encode("cp949").ljust(LENGTH)
    lines = [_row(number, institution, row) for number, row in enumerate(rows, 1)]
    debits = [row for row in rows if row["kind"] == "R"]
    backs = [row["amount"] for row in rows if row["kind"] == "D"]
    paid = [row["amount"] for row in debits if row["code"] == "0000"]
    end = (
        f"T99999999{institution:<10}{file}{len(rows):08d}{len(debits):08d}{sum(row['amount'] for row in debits):013d}"
        f"{len(paid):08d}{sum(paid):013d}{len(backs):08d}{sum(backs):013d}"
    )
    content = top + b"".join(lines) + end.encode().ljust(LENGTH - 10)
    return content + proof(content, key)


def _row(number: int, institution: str, row: dict[str, Any]) -> bytes:
    serial = number if row.get("origin") else row["serial"]
    day, sequence = row.get("origin") or ("", 0)
    outcome = "Y" if row["code"] == "0000" else "N"
    line = (
        f"{row['kind']}{serial:08d}{institution:<10}{row['bank']:<3}0000{row['account']:<16}{row['amount']:013d}{'':<13}"
        f"{outcome}{row['code']}{'':<16}{'':<2}{row['payer']:<20}{'':<5}1"
        f"{day[2:].replace('-', '') or '000000'}{sequence:02d}{row['serial'] if day else 0:08d}"
    )
    return line.encode("cp949").ljust(LENGTH)

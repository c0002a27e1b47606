"""Result and return files as they are given out, right or with a planned fault in them."""

from typing import TYPE_CHECKING, Any

from peers.clearing import cms, sepa
from peers.clearing.state import Cleared, File, Given, Returned

if TYPE_CHECKING:
    from peers.clearing.truth import Clearing

RECORDS = ("missing_record", "unknown_record", "amount_changed", "unlisted_code", "other_payer")  # strike a record each
WHOLE = ("wrong_sum", "wrong_count", "short_record", "not_cp949", "wrong_day", "forged", "duplicate_file")
FAULTS = (*RECORDS, *WHOLE)


def results(house: "Clearing", file: File, cleared: Cleared) -> list[object]:
    """What changes when a file is carried out: its books, and the answer that says so (twice, by a fault)."""
    codes = {int(serial): str(code) for serial, code in cleared.done}
    rows = _struck(house, [_row(order, codes[order[0]]) for order in file.orders])
    number = len(house.state.given) + 1
    if file.form == "sepa":
        name, content = f"PS-{number:08d}", sepa.write(file.ident, number, rows)
    else:
        name = file.ident.replace("EB21", "EB22")
        content = _cms(house, "EB22", (file.institution, file.day, file.sequence), rows)
    made: list[object] = [cleared, house.give(number, name, "results", file.ident, content)]
    if house.faults.fires(("duplicate_file",)):
        made.append(house.give(number + 1, name, "results", file.ident, content))
    return made


def returns(house: "Clearing", day: str, asked: list[tuple[File, int, str]]) -> list[object]:
    """What changes when payers' banks take debits back on a day."""
    rows = []
    for file, serial, code in asked:
        row = _row(house.state.orders[file.ident][serial], code)
        rows.append(row | {"origin": (file.day, file.sequence)})
    sequence = 1 + sum(one.kind == "returns" and day.replace("-", "") in one.ident for one in house.state.given)
    content = _cms(house, "EB29", (asked[0][0].institution, day, sequence), _struck(house, rows))
    ident = f"EB29-{day.replace('-', '')}-{sequence:02d}"
    given: Given = house.give(len(house.state.given) + 1, ident, "returns", "", content)
    return [*(Returned(file.ident, serial, code) for file, serial, code in asked), given]


def _row(order: list[Any], code: str) -> dict[str, Any]:
    serial, kind, bank, account, amount, payer = order
    names = ("serial", "kind", "bank", "account", "amount", "payer", "code")
    return dict(zip(names, (serial, kind, bank, account, amount, payer, code), strict=True))


def _struck(house: "Clearing", rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows under the faults that strike single records; a fault's `remaining` says how many."""
    kept, strange = [], 0
    for row in rows:
        fault = house.faults.fires(RECORDS)
        match fault.name if fault else "":
            case "missing_record":
                continue
            case "unknown_record":
                strange += 1
            case "amount_changed":
                row = row | {"amount": row["amount"] + 1}  # noqa: PLW2901
            case "unlisted_code":
                row = row | {"code": "8888"}  # noqa: PLW2901
            case "other_payer":
                row = row | {"payer": "SOMEBODYELSE"}  # noqa: PLW2901
        kept.append(row)
    top = max((row["serial"] for row in rows), default=0)
    return kept + [
        _row([top + each, "R", "088", f"99900{each:06d}", 7700, f"STRANGER{each}"], "0000")
        for each in range(1, strange + 1)
    ]


def _cms(house: "Clearing", kind: str, head: tuple[str, str, int], rows: list[dict[str, Any]]) -> bytes:
    content = cms.write(kind, head, rows, house.proof)
    fault = house.faults.fires(tuple(name for name in WHOLE if name != "duplicate_file"))
    return _spoiled(content, fault.name, house.proof) if fault else content


def _spoiled(content: bytes, fault: str, key: str) -> bytes:
    """A whole file that is wrong in one way, under a right proof (but for `forged`)."""
    end = len(content) - cms.LENGTH
    changed = bytearray(content)
    match fault:
        case "wrong_sum":
            changed[end + 43 : end + 56] = b"%013d" % (int(changed[end + 43 : end + 56]) + 1)
        case "wrong_count":
            changed[end + 27 : end + 35] = b"%08d" % (int(changed[end + 27 : end + 35]) + 1)
        case "short_record":
            del changed[cms.LENGTH + 140]
        case "not_cp949":
            changed[cms.LENGTH + 73 : cms.LENGTH + 75] = b"\xff\xff"
        case "wrong_day":
            changed[27:33] = b"141131"
        case "forged":
            return content[:-10] + b"0123456789"
    return bytes(changed[:-10]) + cms.proof(bytes(changed[:-10]), key)

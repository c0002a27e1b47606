"""Fixed-width records: a table of fields becomes bytes, and bytes become values again, both strictly.

Widths are bytes, not letters: a Hangul syllable of CP949 takes two.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from doenda.payments.debit.formats.words import Malformed

ENCODING = "cp949"
type Value = str | int | date
type Values = Mapping[str, Value]
type FieldKind = Literal["text", "number", "date", "const"]


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a record. `start` counts from 1.

    kind      in the file                               padding
    text      CP949, at the left                        spaces on the right
    number    digits                                    zeros on the left
    date      YYMMDD; all zeros: no day                 -
    const     exactly `value`                           spaces on the right
    """

    name: str
    start: int
    width: int
    kind: FieldKind
    value: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """A kind of record: its fields must cover `length` bytes without a gap or an overlap (checked here)."""

    name: str
    length: int
    fields: tuple[Field, ...]

    def __post_init__(self) -> None:
        at = 1
        for field in self.fields:
            if field.start != at:
                raise ValueError(f"{self.name}.{field.name} starts at {field.start}, not at {at}")
            at += field.width
        if at != self.length + 1:
            raise ValueError(f"{self.name} has {at - 1} bytes, not {self.length}")


def pack(record: Record, values: Values) -> bytes:
    """The record's bytes. Raises ValueError for a value that does not fit: nothing is ever cut off silently."""
    return b"".join(_packed(record, field, values) for field in record.fields)


def _packed(record: Record, field: Field, values: Values) -> bytes:
    where = f"{record.name}.{field.name}"
    if field.kind == "const":
        return field.value.encode(ENCODING).ljust(field.width)
    value = values.get(field.name, "" if field.kind == "text" else 0)
    if field.kind == "date":
        return value.strftime("%y%m%d").encode() if isinstance(value, date) else b"0" * field.width
    if field.kind == "number":
        if not isinstance(value, int) or value < 0 or len(str(value)) > field.width:
            raise ValueError(f"{where}: not a number of at most {field.width} digits")
        return f"{value:0{field.width}d}".encode()
    return _text(where, str(value), field.width)


def _text(where: str, value: str, width: int) -> bytes:
    try:
        made = value.encode(ENCODING)
    except UnicodeEncodeError as error:
        raise ValueError(f"{where}: has a letter that CP949 does not know") from error
    if len(made) > width or any(byte < 0x20 for byte in made):
        raise ValueError(f"{where}: longer than {width} bytes, or has a control character")
    return made.ljust(width)


def fitting(value: str, width: int) -> str:
    """As many letters of `value` as CP949 knows and `width` bytes hold: for what is only printed, never for a key."""
    known = "".join(letter for letter in value if letter.isprintable()).encode(ENCODING, "ignore")
    return known[:width].decode(ENCODING, "ignore")


def unpack(record: Record, line: int, content: bytes) -> dict[str, Value]:
    """The record's values; const fields are checked and left out. Raises Malformed, naming line and column."""
    if len(content) != record.length:
        raise Malformed(line, record.name, f"{len(content)} bytes, not {record.length}")
    found: dict[str, Value] = {}
    for field in record.fields:
        raw = content[field.start - 1 : field.start - 1 + field.width]
        if field.kind != "const":
            found[field.name] = _unpacked(field, line, raw)
        elif raw != field.value.encode(ENCODING).ljust(field.width):
            raise Malformed(line, field.name, "is not what this record must have here")
    return found


def _unpacked(field: Field, line: int, raw: bytes) -> Value:
    if field.kind == "text":
        try:
            text = raw.decode(ENCODING)
        except UnicodeDecodeError as error:
            raise Malformed(line, field.name, "is not CP949") from error
        if any(letter < " " for letter in text):
            raise Malformed(line, field.name, "has a control character")
        return text.rstrip(" ")
    if not raw.isdigit():
        raise Malformed(line, field.name, "has something else than digits")
    if field.kind == "number":
        return int(raw)
    if not int(raw):
        return ""
    try:
        return date(2000 + int(raw[:2]), int(raw[2:4]), int(raw[4:]))
    except ValueError as error:
        raise Malformed(line, field.name, "is not a day (YYMMDD)") from error


def cut(content: bytes, length: int) -> Sequence[bytes]:
    """The records of a file, which follow each other without a separator. Raises Malformed for a wrong length."""
    if not content or len(content) % length:
        last = len(content) // length + 1
        raise Malformed(last, "record", f"the file has {len(content)} bytes, not a multiple of {length}")
    return [content[at : at + length] for at in range(0, len(content), length)]

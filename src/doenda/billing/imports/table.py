"""A CSV file as rows: header checked, strict quoting, one row at a time."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from doenda.billing.imports import decode
from doenda.billing.imports.decode import Opened, refuse

FIELD_LIMIT = 16 * 1024


class Reader(Protocol):
    """What csv.reader gives."""

    line_num: int

    def __next__(self) -> list[str]: ...


@contextmanager
def rows(opened: Opened) -> Iterator[tuple[list[str], Iterator[tuple[int, list[str]]]]]:
    """The header, and the rows after it with the line on which each begins. Raises Refused where the CSV is broken."""
    csv.field_size_limit(FIELD_LIMIT)
    with opened.path.open(encoding=opened.encoding, errors="strict", newline="") as stream:
        reader = csv.reader(decode.lines(stream), strict=True)
        yield _header(reader), _body(reader)


def _header(reader: Reader) -> list[str]:
    try:
        header = [name.strip().lower() for name in _next(reader) or []]
    except csv.Error as error:
        raise refuse(1, "header", "", f"not CSV: {error}") from error
    if not any(header):
        raise refuse(1, "header", "", "there is no header")
    return header


def _body(reader: Reader) -> Iterator[tuple[int, list[str]]]:
    while True:
        row = reader.line_num + 1
        try:
            fields = _next(reader)
        except csv.Error as error:
            raise refuse(row, "line", "", f"not CSV: {error}") from error
        if fields is None:
            return
        if fields:  # an empty line is nothing
            yield row, fields


def _next(reader: Reader) -> list[str] | None:
    try:
        return reader.__next__()
    except StopIteration:
        return None


def check_header(header: list[str], required: tuple[str, ...], optional: tuple[str, ...]) -> None:
    """Raises Refused for a missing, unknown or repeated column, and for a file that has no header at all."""
    known = {*required, *optional}
    if not known & set(header):
        raise refuse(1, "header", ",".join(header), f"there is no header; it begins with: {', '.join(required)}")
    for place, name in enumerate(header):
        if name not in known:
            raise refuse(1, name or f"column {place + 1}", name, f"unknown column; known: {', '.join(sorted(known))}")
        if header.index(name) != place:
            raise refuse(1, name, name, "the column stands twice")
    for name in required:
        if name not in header:
            raise refuse(1, name, "", "the column is missing")

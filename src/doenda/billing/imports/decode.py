"""Which encoding a file is in, and its lines. Reads a stream in blocks; nothing is kept in memory.

UTF-8 with or without a byte order mark, else CP949 (what Korean billing systems and spreadsheets write); both strictly.
"""

import codecs
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from doenda.billing.imports.report import Refused, Report

BLOCK = 1 << 20
LONGEST_LINE = 64 * 1024
_WIDE = {codecs.BOM_UTF16_LE: "UTF-16", codecs.BOM_UTF16_BE: "UTF-16", codecs.BOM_UTF32_BE: "UTF-32"}


@dataclass(frozen=True, slots=True)
class Opened:
    """What a first pass over the file says: its digest, size and encoding, and whether it looks like JSON."""

    path: Path
    sha256: str
    size: int
    encoding: str
    json: bool


def refuse(row: int, column: str, value: object, reason: str) -> Refused:
    """A refusal for one reason."""
    report = Report()
    report.problem(row, column, value, reason)
    return Refused(report)


def inspect(path: Path, limit: int) -> Opened:
    """Read the file once. Raises Refused with byte and line of the first thing that is not text, OSError."""
    digest, size, lines, start = hashlib.sha256(), 0, 1, b""
    candidates = [_Strict("utf-8", "UTF-8"), _Strict("cp949", "CP949")]
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            if not size:
                start = block[:4096]
                _refuse_wide(start)
            if (nul := block.find(b"\0")) >= 0:
                line = lines + block.count(b"\n", 0, nul)
                raise refuse(line, "file", "", f"byte {size + nul + 1} is NUL: this is not a text file")
            for candidate in candidates:
                candidate.feed(block, size, lines)
            if all(candidate.error for candidate in candidates):
                raise refuse(candidates[0].line, "file", "", " and ".join(each.error for each in candidates))
            size += len(block)
            lines += block.count(b"\n")
            if size > limit:
                raise refuse(lines, "file", "", f"the file is larger than {limit:,} bytes (DOENDA_IMPORT_MAX_BYTES)")
            digest.update(block)
    if not size:
        raise refuse(1, "file", "", "the file is empty")
    for candidate in candidates:
        candidate.feed(b"", size, lines, final=True)
    fitting = next((each.encoding for each in candidates if not each.error), None)
    if fitting is None:
        raise refuse(candidates[0].line, "file", "", " and ".join(each.error for each in candidates))
    looks = start.removeprefix(codecs.BOM_UTF8).lstrip()[:1]
    encoding = "utf-8-sig" if start.startswith(codecs.BOM_UTF8) else fitting
    return Opened(path, digest.hexdigest(), size, encoding, looks in {b"{", b"["})


def _refuse_wide(start: bytes) -> None:
    for mark, name in _WIDE.items():
        if start.startswith(mark):
            raise refuse(1, "file", "", f"this is {name}; save the file as UTF-8")


class _Strict:
    """One encoding tried on the stream; `error` says where it failed."""

    def __init__(self, encoding: str, name: str) -> None:
        self.encoding, self.name = encoding, name
        self.decoder = codecs.getincrementaldecoder(encoding)("strict")
        self.error, self.line = "", 0

    def feed(self, block: bytes, offset: int, lines: int, *, final: bool = False) -> None:
        if self.error:
            return
        held = len(self.decoder.getstate()[0])
        try:
            self.decoder.decode(block, final)
        except UnicodeDecodeError as error:
            place = max(0, error.start - held)
            self.line = lines + block.count(b"\n", 0, place)
            self.error = f"not {self.name}: byte {offset + error.start - held + 1}, line {self.line}"


def lines(stream: TextIO) -> Iterator[str]:
    """The stream's lines. Raises Refused for one that is longer than `LONGEST_LINE`."""
    number = 0
    while line := stream.readline(LONGEST_LINE):
        number += 1
        if len(line) == LONGEST_LINE:
            raise refuse(number, "line", line[:80], f"the line is longer than {LONGEST_LINE:,} characters")
        yield line

"""Values that tests use as cards, accounts, keys and secrets, and the watch that no log of a run ever holds one.

Standard library and pytest only: a child process loads this very file before anything else (`_SITE`). What is watched:
every record of every logger of this process and of each Python process that a test starts, unmasked, with the text of
exceptions; and what those processes write to their standard output and error.
"""

import base64
import logging
import os
import re
import sys
import traceback
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

CARDS = (
    "4242424242424242",
    "5555555555554444",
    "378282246310005",
    "9410123456789010",
    "4330280486944821",
    "4000002500003155",
    "4000008260003178",
    "4111111111111111",
)
ACCOUNTS = (
    "11012345678904",
    "30200012345671",
    "1002123456789",
    "94270200123456",
    "6509876543210",
    "110123456789",
    "110555123456",
    "110000000001",
    "110000000003",
    "123412341234",
    "088900000000",
    "088900000001",
    "088900000099",
    "99988877766655",
    "8001011234567",
)
KEYS = (
    "test_sk_planted00Toss0newest000000000",
    "live_sk_planted00Toss0older0000000000",
    "test_ck_planted00Toss0client000000000",
    "portone-planted-api-secret-newest-0000",
    "whsec_cGxhbnRlZC1wb3J0b25lLXdlYmhvb2s=",
    "sk_test_plantedStripe0000000000000000",
    "sk_live_plantedStripe0000000000000000",
    "planted-sandbox-key-00000000",
    "planted-deposit-secret-0000",
)
WATCH = "DOENDA_TESTS_WATCHED_LOG"
_SITE = """
import importlib.util, os
if os.environ.get({name!r}):
    spec = importlib.util.spec_from_file_location("_planted", {path!r})
    planted = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(planted)
    planted.watch(os.environ[{name!r}], output=True)
"""
_LINK = re.compile(rb"/[ps]/[A-Z2-7]{26}")
_PLANTED: dict[str, str] = {}


def plant(name: str, value: str) -> str:
    """From here on `value` must stand in no log of this session; reports call it by `name`. Returns it."""
    _PLANTED[value] = name
    _pattern.cache_clear()
    return value


def _named() -> dict[str, str]:
    lists = {"card": CARDS, "account": ACCOUNTS, "key": KEYS}
    return {value: f"{name} {place}" for name, of in lists.items() for place, value in enumerate(of)} | _PLANTED


def _spellings(value: str) -> set[str]:
    """As it would stand in a log: plain, in groups, in an address, in a Basic header, in JSON."""
    found = {value, quote(value, safe=""), base64.b64encode(f"{value}:".encode()).decode()}
    if value.isdigit():
        groups = [value[at : at + 4] for at in range(0, len(value), 4)]
        found |= {" ".join(groups), "-".join(groups), f"{value[:3]}-{value[3:6]}-{value[6:]}"}
    return found


@cache
def _pattern() -> tuple[re.Pattern[bytes], Mapping[bytes, str]]:
    names = {spelt.encode(): name for value, name in _named().items() for spelt in _spellings(value)}
    either = b"|".join(re.escape(each) for each in sorted(names, key=len, reverse=True))
    return re.compile(either), names


def _note(path: str, kind: str, text: str) -> None:
    """One write, so that processes do not tear each other's lines."""
    line = f"{kind} {os.getpid()} {text}".replace("\n", "\\n") + "\n"
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except PermissionError:  # a process that a test runs as somebody else
        return
    try:
        os.write(file, line.encode("utf-8", "replace"))
    finally:
        os.close(file)


def _raw(record: logging.LogRecord) -> str:
    """The record as it was meant, without any masking, and with what its exception says."""
    try:
        message = logging.LogRecord.getMessage(record)
    except (TypeError, ValueError, KeyError):
        message = f"{record.msg} {record.args!r}"
    error = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else ""
    return f"{record.name} {record.levelname} {message}\n{error}{record.stack_info or ''}"


def watch(path: str, *, output: bool = False) -> Any:
    """Copy every record of this process to the file, and with `output` what it writes. Returns how to stop it."""
    handles = logging.Logger.callHandlers

    def watched_handlers(logger: logging.Logger, record: logging.LogRecord) -> None:
        _note(path, "log", _raw(record))
        handles(logger, record)

    logging.Logger.callHandlers = watched_handlers  # type: ignore[method-assign, assignment]
    for stream in (sys.stdout, sys.stderr) if output else ():
        _tee(path, stream)

    def stop() -> None:
        logging.Logger.callHandlers = handles  # type: ignore[method-assign]

    return stop


def _tee(path: str, stream: Any) -> None:
    if stream is None:
        return
    write = stream.write

    def both(text: str) -> int:
        _note(path, "out", text)
        written: int = write(text)
        return written

    stream.write = both


def found_in(path: Path) -> list[str]:
    """Where a planted value, or in a log a customer's link, stands in the file: by its name, never itself."""
    pattern, names = _pattern()
    leaks: list[str] = []
    for line in path.read_bytes().splitlines() if path.exists() else []:
        told = {names[each.group()] for each in pattern.finditer(line)}
        if line.startswith(b"log") and _LINK.search(line):
            told.add("a customer's link")
        if told:
            shown = _LINK.sub(b"/*/***", pattern.sub(b"***", line)).decode("utf-8", "replace")
            leaks.append(f"{', '.join(sorted(told))} in: {shown[:300]}")
    return leaks


def secrets_of(providers: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Every key and secret in the settings of providers, by a name."""
    for provider, entry in providers.items():
        for name, value in entry.items():
            if any(word in name for word in ("key", "secret", "proof")):
                for each in [value] if isinstance(value, str) else value:
                    if isinstance(each, str) and len(each) >= 8:
                        yield f"{provider}'s {name}", each


def child_environment(folder: Path, log: Path) -> dict[str, str]:
    """Under these variables every Python process watches itself as this one does."""
    (folder / "sitecustomize.py").write_text(_SITE.format(name=WATCH, path=__file__), encoding="utf-8")
    return {
        WATCH: str(log),
        "PYTHONPATH": os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]),
    }


def watching(folder: Path) -> Iterator[Path]:
    """What the session's fixture does: watch until the last test is over, then fail if anything planted was told."""
    log, before = folder / "watched.log", {name: os.environ.get(name) for name in (WATCH, "PYTHONPATH")}
    os.environ.update(child_environment(folder, log))
    stop, root = watch(str(log)), logging.getLogger()
    level = root.level
    for handler in root.handlers:  # more is made, and watched, than is shown
        if type(handler) is logging.StreamHandler and handler.level == logging.NOTSET:
            handler.setLevel(level)
    root.setLevel(min(level, logging.INFO))
    try:
        yield log
    finally:
        root.setLevel(level)
        stop()
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)
    leaks = found_in(log)
    assert not leaks, f"{len(leaks)} lines of the logs of this run tell a secret:\n" + "\n".join(leaks[:20])

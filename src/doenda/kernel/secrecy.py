"""The second line of defence: whatever a log line was made of, no card, account, key or customer's link stands in it.

The first line is that nobody logs such a thing. `install` covers every logger and handler of a process, the text of
exceptions, and what the interpreter itself prints of an exception that nobody caught.
"""

import logging
import re
import sys
import threading
import traceback
from collections.abc import Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any

HIDDEN = "***"
_LINK = re.compile(r"/(p|s)/[^/\s?#\"'<>)]+")
_USERINFO = re.compile(r"(://)[^/\s@]+@")
_KEY = re.compile(r"\b(?:(?:test|live)_g?[sc]k_|[srp]k_(?:test|live)_|whsec_)[\w+/=-]+")
_SCHEME = re.compile(r"\b(Bearer|Basic|PortOne|HMAC-SHA256)(\s+)[\w.~+/=-]{6,}")
_NAMED = re.compile(
    r"(?i)\b([\w-]*(?:secret|password|passwd|api[_-]?key|paymentkey|billingkey|signature))"
    r"(['\"]?\s*[=:]\s*b?['\"]?)([^\s'\",;&})]{4,})"
)
_ROW = re.compile(r"(Failing row contains |Key \([^)]*\)=)\(.*\)")
_CARD = re.compile(r"(?<![\w-])\d(?:[ -]?\d){12,18}(?![\w-])")
_PLAIN = re.compile(r"(?<![\w.+-])\d{10,16}(?![\w-]|\.\d)")
_GROUPS = re.compile(r"(?<![\w-])\d{4}(?: \d{1,4}){2,4}(?![\w:-])")
_HYPHENS = re.compile(r"(?<![\w.-])\d{2,6}-\d{2,6}-\d{2,10}(?:-\d{1,4})?(?![\w-])")

SHORTEST = 8
_known: re.Pattern[str] | None = None


def know(values: Iterable[str]) -> None:
    """Mask these very values from now on, and only these: the keys and secrets that this installation runs on.

    What is shorter than `SHORTEST` is left alone: it would cut holes into words.
    """
    global _known  # noqa: PLW0603 - set once at start
    found = sorted({each for each in values if len(each) >= SHORTEST}, key=len, reverse=True)
    _known = re.compile("|".join(re.escape(each) for each in found)) if found else None


def secrets_in(settings: Mapping[str, Any], *, all_of_it: bool = False) -> Iterator[str]:
    """Every text under a name with "key", "secret", "password" or "proof" in it, however deep: for `know`."""
    for name, value in settings.items():
        secret = all_of_it or any(word in str(name).lower() for word in ("key", "secret", "password", "proof"))
        if isinstance(value, Mapping):
            yield from secrets_in(value, all_of_it=secret)
        elif secret:
            yield from (str(each) for each in (value if isinstance(value, list | tuple) else [value]))


def link(text: str) -> str:
    """The text with the secret part of every customer's address cut out."""
    return _LINK.sub(rf"/\1/{HIDDEN}", text)


def masked(text: str) -> str:
    """The text without what looks like a card or account number, a key, a secret or a customer's link.

    The last digits of a number stay, so that staff can find their way. Ids of ours are left alone.
    """
    if _known is not None:
        text = _known.sub(HIDDEN, text)
    text = link(text)
    text = _USERINFO.sub(rf"\1{HIDDEN}@", text)
    text = _KEY.sub(HIDDEN, text)
    text = _SCHEME.sub(rf"\1\2{HIDDEN}", text)
    text = _NAMED.sub(rf"\1\2{HIDDEN}", text)
    text = _ROW.sub(rf"\1({HIDDEN})", text)  # PostgreSQL tells the values of what it refused
    text = _CARD.sub(_card, text)
    text = _PLAIN.sub(_account, _GROUPS.sub(_account, text))
    return _HYPHENS.sub(_account, text)


def is_card(digits: str) -> bool:
    """Do 13 to 19 digits carry a card number's check digit (Luhn, ISO/IEC 7812-1)?"""
    if not 13 <= len(digits) <= 19:
        return False
    doubled = sum(sum(divmod(2 * int(each), 10)) for each in digits[-2::-2])
    return (doubled + sum(int(each) for each in digits[::-2])) % 10 == 0


def _card(found: re.Match[str]) -> str:
    digits = re.sub(r"\D", "", found.group())
    return HIDDEN + digits[-4:] if is_card(digits) else found.group()


def _account(found: re.Match[str]) -> str:
    digits = re.sub(r"\D", "", found.group())
    return HIDDEN + digits[-2:] if len(digits) >= 10 else found.group()


class Record(logging.LogRecord):
    """A log record that tells its message, its exception and its stack masked, whoever formats it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.stack_info:
            self.stack_info = masked(self.stack_info)
        if self.exc_info and self.exc_info[0] is not None:
            self.exc_text = _of_exception(*self.exc_info)

    def getMessage(self) -> str:  # noqa: N802 - its name in the standard library
        """The masked message; one whose arguments do not fit is told without them, not printed with them."""
        try:
            return masked(super().getMessage())
        except (TypeError, ValueError, KeyError):
            return masked(f"{self.msg} (its arguments do not fit)")


def _of_exception(kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> str:
    return masked("".join(traceback.format_exception(kind, error, trace)).rstrip("\n"))


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        sys.stderr.write(_of_exception(kind, error, trace) + "\n")


def _uncaught_in_thread(args: Any) -> None:
    if args.exc_type is not SystemExit:
        name = args.thread.name if args.thread else "?"
        told = _of_exception(args.exc_type, args.exc_value, args.exc_traceback)
        sys.stderr.write(f"Exception in thread {name}:\n{told}\n")


def install() -> None:
    """Have every record of this process made masked, and uncaught exceptions printed masked. Again: nothing more."""
    logging.setLogRecordFactory(Record)
    if sys.excepthook is sys.__excepthook__:
        sys.excepthook = _uncaught
    if threading.excepthook is threading.__excepthook__:
        threading.excepthook = _uncaught_in_thread

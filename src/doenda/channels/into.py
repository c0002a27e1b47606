"""Where the customer can bring the money: an account at a bank, or a slip to show in a store."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from doenda.assurance import guidance, hours
from doenda.assurance.hours import Calendar, Span
from doenda.channels.whens import until
from doenda.kernel import clock, texts
from doenda.kernel.money import Money, ascii_words
from doenda.kernel.words import amount
from doenda.payments import attempts, banks
from doenda.payments.counter import numbers
from doenda.payments.models import Attempt
from doenda.payments.states import State

SLIP = "counter"
"""The "bank" of a number that is shown in a store (contract.PayInto)."""
_APART = 4


@dataclass(frozen=True, slots=True)
class Into:
    """`number` in groups, for the eye; `digits` as it is typed into a bank's form; `minor` the amount for machines."""

    number: str
    digits: str
    label: str
    minor: int
    amount: str
    amount_ascii: str
    rows: tuple[tuple[str, str], ...]


def waiting(bill_id: UUID) -> Attempt | None:
    """The bill's account or slip that can be paid into now; none while something else is paying."""
    found = Attempt.objects.filter(bills__bill_id=bill_id, state=State.NEEDS_DEPOSIT, expires_at__gt=clock.now())
    return found.order_by("-created_at").first()


def of(attempt: Attempt | None, lang: str) -> Into | None:
    """What the page shows; None when the number is of no use (any more)."""
    if attempt is None or attempt.state != State.NEEDS_DEPOSIT or not (given := attempt.details.get("pay_into")):
        return None
    parts = list(attempt.bills.select_related("bill"))
    if not any(part.bill.remaining for part in parts) or attempts.in_flight([part.bill_id for part in parts]):
        return None
    slip, money = given["bank"] == SLIP, Money(attempt.amount, attempt.currency)
    rows = [] if slip else [("bank", banks.name(given["bank"], lang))]
    rows += [("holder", given["holder"])] if given.get("holder") else []
    rows += [("until", until(attempt.expires_at, lang))] if attempt.expires_at else []
    rows += [("where", open_hours(hours.store(""), lang))] if slip else []
    return Into(
        number=numbers.shown(given["number"]) if slip else grouped(given["number"]),
        digits="".join(letter for letter in given["number"] if letter.isalnum()),
        label=texts.say("account-slip" if slip else "account-number", lang),
        minor=attempt.amount,
        amount=amount(money, lang),
        amount_ascii=ascii_words(money),
        rows=tuple((texts.say(f"account-{name}", lang), value) for name, value in rows),
    )


def grouped(number: str) -> str:
    """As the bank groups it; one that comes as a row of digits in fours, the last group never a single one."""
    if not number.isalnum():
        return number
    groups = [number[at : at + _APART] for at in range(0, len(number), _APART)]
    if len(groups) > 1 and len(groups[-1]) == 1:
        groups[-2:] = [groups[-2][:2], groups[-2][2:] + groups[-1]]
    return " ".join(groups)


def opens(channel: str, method: str) -> datetime | None:
    """When a method that is closed at this hour can be used again."""
    return next((way.until for way in guidance.closed_now(channel) if way.method == method), None)


_DAYS = {"ko": "월화수목금토일", "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")}
_HOLIDAYS = {"ko": "공휴일은 쉬어요", "en": "closed on public holidays"}


def open_hours(calendar: Calendar, lang: str) -> str:
    """A week's windows in words: "월–금 10:00–20:00, 토 10:00–17:00"."""
    said = [f"{_days(span, lang)} {_clock(span.start)}–{_clock(span.end)}" for span in calendar.windows]
    return ", ".join(said + ([_HOLIDAYS[lang]] if calendar.holidays else []))


def _days(span: Span, lang: str) -> str:
    names, days = _DAYS[lang], sorted(span.weekdays)
    if len(days) > 2 and days == list(range(days[0], days[-1] + 1)):
        return f"{names[days[0]]}–{names[days[-1]]}"
    return "·".join(names[day] for day in days)


def _clock(minutes: int) -> str:
    return f"{timedelta(minutes=minutes % 1440)}"[:-3] if minutes != 1440 else "24:00"

"""What a step says on a page: the arguments of its texts, and the lines that apply to this bill now."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings

from doenda.billing.models import Account, Bill, Line
from doenda.dunning import outlook
from doenda.dunning.models import LineCommand
from doenda.journeys.engine import State
from doenda.kernel import clock, texts, words
from doenda.kernel.ids import outside
from doenda.kernel.money import Money, ascii_words
from doenda.payments import attempts
from doenda.payments.models import Attempt


@dataclass(frozen=True)
class Subject:
    """Whose bill it is: what a page may show without a second proof is drawn from here and nowhere else."""

    account: Account
    bill: Bill

    def lines(self) -> list[Line]:
        return list(Line.objects.filter(account=self.account).order_by("number"))


def attempt_of(state: State) -> Attempt | None:
    found = state.data.get("attempt")
    return Attempt.objects.filter(pk=UUID(found)).first() if found else None


def method_name(method: str, lang: str) -> str:
    return texts.say(f"method-{method}", lang)


def common(lang: str) -> dict[str, str]:
    return {"carrier": settings.DOENDA_CARRIER[lang], "call": settings.DOENDA_CALL}


def arguments(subject: Subject | None, state: State, lang: str) -> dict[str, str]:
    """Every argument that a text of this state may use, as finished words of `lang`."""
    said = common(lang)
    if until := state.data.get("until"):
        said["until"] = _until(datetime.fromisoformat(until), lang)
    if subject is None:
        return said
    bill = subject.bill
    ahead = outlook.of(subject.account.id, bill_id=bill.id)
    attempt = attempt_of(state)
    amount = attempt.amount if attempt else int(state.data.get("amount") or bill.remaining)
    method = attempt.method if attempt else (state.data.get("way") or "//").split("/")[1]
    said |= {
        "amount": words.amount(Money(amount, bill.currency), lang),
        "remaining": words.amount(bill.money, lang),
        "due": words.day(ahead.fee_after or bill.due_date, lang) if ahead.fee_amount else words.day(bill.due_date, lang),
        "bill": bill.number,
        "period": words.month(bill.period_start or bill.bill_date, lang),
        "billed": words.month(bill.bill_date, lang),
        "method": method_name(method, lang) if method else "",
        "fee": words.amount(Money(ahead.fee_amount, bill.currency), lang),
        "fee_after": words.amount(Money(bill.remaining + ahead.fee_amount, bill.currency), lang),
        "bar_from": words.day(ahead.bar_from, lang) if ahead.bar_from else "",
        "bar_last_day": words.day(ahead.last_day_to_pay, lang) if ahead.last_day_to_pay else "",
        "bar_length": "2개월" if lang == "ko" else "2 months",
    }
    if ahead.held_until is not None:
        said.setdefault("until", _until(ahead.held_until, lang))
    return said


def _until(instant: datetime, lang: str) -> str:
    """A promise that ends with a day is said as that day: midnight of the 5th is "the 4th"."""
    local = clock.local(instant)
    if (local.hour, local.minute) == (0, 0):
        return words.day(clock.local(instant - timedelta(minutes=1)).date(), lang)
    return words.moment(instant, lang)


def lines_that_apply(here: str, subject: Subject, state: State, ways: list[str]) -> list[str]:
    """The names of the step's lines (`catalog.LINES`) that are true now, in the order in which they are said."""
    if here == "pay-bill":
        return _about_bill(subject)
    if here == "pay-paid":
        return _about_paid(subject, state)
    if here in {"pay-faulted", "pay-reported"}:
        return ["ways" if ways else "no_ways"]
    return []


def _about_bill(subject: Subject) -> list[str]:
    ahead = outlook.of(subject.account.id, bill_id=subject.bill.id)
    barred = any(line.barring != Line.Barring.NONE for line in subject.lines())
    held = ahead.held and ahead.held_until is not None
    moving = attempts.in_flight([subject.bill.id]) is not None
    told = {
        "unknown": moving,
        "barred": barred,
        "held": held,
        "fee": not held and ahead.fee_amount > 0 and ahead.fee_day is not None,
        "bar": not held and not barred and ahead.bar_from is not None,
    }
    return [name for name, true in told.items() if true]


def _about_paid(subject: Subject, state: State) -> list[str]:
    if state.data.get("receipt") == "nothing_due":
        return ["nothing_due"]
    found = []
    if subject.bill.remaining:
        found.append("part")
    elif any(line.barring != Line.Barring.NONE for line in subject.lines()):
        found.append("line-pending")
    elif LineCommand.objects.filter(
        line__account=subject.account, wanted="none", confirmed_at__gt=clock.now() - timedelta(days=1)
    ).exists():
        found.append("line-back")
    return found


def table(subject: Subject, state: State, lang: str) -> list[tuple[str, str]]:
    """The facts beside the words: amounts and numbers in ASCII, under labels that a screen without Hangul can show."""
    bill, attempt = subject.bill, attempt_of(state)
    rows = []
    if state.step == "paid" and attempt is not None:
        rows += [
            ("paid", ascii_words(Money(attempt.amount, attempt.currency))),
            ("when", words.moment(attempt.settled_at or attempt.created_at, lang)),
            ("how", method_name(attempt.method, lang)),
            ("receipt", outside(attempt.id)[-12:]),
        ]
    else:
        rows.append(("amount", ascii_words(bill.money)))
    rows.append(("bill", bill.number))
    rows += [("line", words.masked_phone(line.number)) for line in subject.lines()[:3]]
    return [(texts.say(f"web-fact-{name}", lang), value) for name, value in rows]


def spoken(message: str, lang: str, args: Mapping[str, str], part: str | None = None) -> str | None:
    """The text, or None where it has no such part."""
    return texts.say(message, lang, part=part, **args) if texts.has(message, lang, part) else None

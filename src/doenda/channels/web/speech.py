"""What a step says on a page: the arguments of its texts, and the lines that apply to this bill now."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from uuid import UUID

from django.conf import settings

from doenda.billing import owed
from doenda.billing.models import Account, Bill, Line
from doenda.dunning import outlook
from doenda.dunning.models import LineCommand
from doenda.journeys.engine import State
from doenda.kernel import clock, texts, words
from doenda.kernel.ids import outside
from doenda.kernel.money import Money, ascii_words
from doenda.payments import attempts
from doenda.payments.models import Attempt
from doenda.payments.states import State as Paying

_BEFORE_A_TRY = frozenset({"bill", "part", "method", "date", "already", "dispute", "person"})
"""Steps that speak of what is going to be paid, whatever this visit has tried before."""


@dataclass(frozen=True)
class Subject:
    """Whose bill it is: what a page may show without a second proof is drawn from here and nowhere else."""

    account: Account
    bill: Bill

    @cached_property
    def ahead(self) -> outlook.Outlook:
        return outlook.of(self.account.id, bill_id=self.bill.id)

    @cached_property
    def overdue_besides(self) -> int:
        """Minor units overdue on other bills of classes that may bar a line: paying this one alone is not all."""
        others = owed.overdue(self.account.id, clock.today())
        return sum(each.remaining for each in others if each.may_bar and each.bill_id != self.bill.id)

    def lines(self) -> list[Line]:
        return list(Line.objects.filter(account=self.account).order_by("number"))


def attempt_of(state: State) -> Attempt | None:
    found = state.data.get("attempt")
    return Attempt.objects.filter(pk=UUID(found)).first() if found else None


def method_name(method: str, lang: str) -> str:
    return texts.say(f"method-{method}", lang)


def common(lang: str) -> dict[str, str]:
    return {
        "carrier": settings.DOENDA_CARRIER[lang],
        "call": settings.DOENDA_CALL,
        "day_ahead": (clock.today() + timedelta(days=7)).isoformat(),
        "day_past": (clock.today() - timedelta(days=3)).isoformat(),
    }


def arguments(subject: Subject | None, state: State, lang: str) -> dict[str, str]:
    """Every argument that a text of this state may use, as finished words of `lang`."""
    said = common(lang)
    if until := state.data.get("until"):
        said["until"] = _until(datetime.fromisoformat(until), lang)
    if subject is None:
        return said
    bill = subject.bill
    attempt = attempt_of(state) if state.step not in _BEFORE_A_TRY else None
    amount = attempt.amount if attempt else int(state.data.get("amount") or bill.remaining)
    method = attempt.method if attempt else (state.data.get("way") or "//").split("/")[1]
    said |= {
        "amount": words.amount(Money(amount, bill.currency), lang),
        "remaining": words.amount(bill.money, lang),
        "bill": bill.number,
        "period": words.month(bill.period_start or bill.bill_date, lang),
        "billed": words.month(bill.bill_date, lang),
        "method": method_name(method, lang) if method else "",
    }
    if state.step in {"bill", "paid"}:
        said["overdue"] = words.amount(Money(subject.overdue_besides, bill.currency), lang)
    return said | _ahead(subject, lang) if state.step == "bill" else said


def _ahead(subject: Subject, lang: str) -> dict[str, str]:
    """What comes next, and when: only the bill's own page speaks of it."""
    bill, ahead = subject.bill, subject.ahead
    said = {
        "due": words.day(bill.due_date, lang),
        "fee_last_day": words.day(ahead.fee_after, lang) if ahead.fee_after else "",
        "fee": words.amount(Money(ahead.fee_amount, bill.currency), lang),
        "fee_after": words.amount(Money(bill.remaining + ahead.fee_amount, bill.currency), lang),
        "bar_from": words.day(ahead.bar_from, lang) if ahead.bar_from else "",
        "bar_last_day": words.day(ahead.last_day_to_pay, lang) if ahead.last_day_to_pay else "",
        "bar_length": f"{ahead.longest_days}일" if lang == "ko" else f"{ahead.longest_days} days",
    }
    return said | ({"until": _until(ahead.held_until, lang)} if ahead.held_until else {})


def _until(instant: datetime, lang: str) -> str:
    """A promise that ends with a day is said as that day: midnight of the 5th, or a minute before, is "the 4th"."""
    local = clock.local(instant)
    if (local.hour, local.minute) in {(0, 0), (23, 59)}:
        return words.day(clock.local(instant - timedelta(minutes=1)).date(), lang)
    return words.moment(instant, lang)


def lines_that_apply(here: str, subject: Subject, state: State, ways: list[str]) -> list[str]:
    """The names of the step's lines (`catalog.LINES`) that are true now, in the order in which they are said."""
    if here == "pay-bill":
        return _about_bill(subject)
    if here == "pay-paid":
        return _about_paid(subject, state)
    if here in {"pay-faulted", "pay-reported"}:
        return [] if moving(subject) else ["ways" if ways else "no_ways"]
    return []


def moving(subject: Subject) -> bool:
    """May money for the bill be on its way? Then nobody is invited to pay again."""
    return attempts.in_flight([subject.bill.id]) is not None


def _about_bill(subject: Subject) -> list[str]:
    ahead = subject.ahead
    barred = any(line.barring != Line.Barring.NONE for line in subject.lines())
    held = ahead.held and ahead.held_until is not None
    others = subject.overdue_besides > 0
    told = {
        "unknown": moving(subject),
        "barred": barred and not others,
        "barred_others": barred and others,
        "others": others and not barred,
        "held": held,
        "fee": not held and ahead.fee_amount > 0 and ahead.fee_day is not None,
        "bar": not held and not barred and ahead.bar_from is not None,
    }
    return [name for name, true in told.items() if true]


def in_question(subject: Subject, state: State) -> Money | None:
    """The amount that the step is about, if it is about one."""
    if state.step not in {"bill", "method", "away", "paid"}:
        return None
    whole = subject.bill.money
    if state.step == "bill":
        return whole
    attempt = attempt_of(state) if state.step != "method" else None
    return Money(attempt.amount if attempt else int(state.data.get("amount") or whole.minor), whole.currency)


def _paid_by(state: State) -> Attempt | None:
    """The attempt of a receipt: one that took the money, or none."""
    attempt = attempt_of(state)
    return attempt if attempt is not None and attempt.state == Paying.PAID else None


def _about_paid(subject: Subject, state: State) -> list[str]:
    found = ["others"] if subject.overdue_besides else []
    if state.data.get("receipt") == "nothing_due" or _paid_by(state) is None:
        return ["nothing_due", *found]
    if subject.bill.remaining:
        found.append("part")
    elif found:
        return found
    elif any(line.barring != Line.Barring.NONE for line in subject.lines()):
        found.append("line-pending")
    elif LineCommand.objects.filter(
        line__account=subject.account, wanted="none", confirmed_at__gt=clock.now() - timedelta(days=1)
    ).exists():
        found.append("line-back")
    return found


def table(subject: Subject, state: State, lang: str) -> list[tuple[str, str]]:
    """The facts beside the words: amounts and numbers in ASCII, under labels that a screen without Hangul can show."""
    bill, attempt = subject.bill, _paid_by(state)
    rows = []
    if state.step == "paid" and attempt is not None:
        rows += [
            ("paid", ascii_words(Money(attempt.amount, attempt.currency))),
            ("when", words.moment(attempt.settled_at or attempt.created_at, lang)),
            ("how", method_name(attempt.method, lang)),
            ("receipt", outside(attempt.id)[-12:]),
        ]
    rows.append(("bill", bill.number))
    rows += [("line", words.masked_phone(line.number)) for line in subject.lines()[:3]]
    return [(texts.say(f"web-fact-{name}", lang), value) for name, value in rows]


def spoken(message: str, lang: str, args: Mapping[str, str], part: str | None = None) -> str | None:
    """The text, or None where it has no such part."""
    return texts.say(message, lang, part=part, **args) if texts.has(message, lang, part) else None

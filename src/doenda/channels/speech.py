"""What a step says: the arguments of its texts, and the lines that apply to this bill now."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings

from doenda.assurance import guidance
from doenda.billing import owed
from doenda.billing.models import Account, Bill, Line
from doenda.channels import into, whens
from doenda.dunning import outlook
from doenda.dunning.models import LineCommand
from doenda.journeys import actions, catalog
from doenda.journeys.engine import State
from doenda.journeys.models import Session
from doenda.journeys.steps import Journey
from doenda.kernel import clock, once, texts, words
from doenda.kernel.ids import outside
from doenda.kernel.money import Money, ascii_words
from doenda.payments import attempts, pending
from doenda.payments.debit.models import DebitItem
from doenda.payments.models import Attempt
from doenda.payments.states import State as Paying

if TYPE_CHECKING:
    from django.db.models import QuerySet

_TELLS_WAYS = frozenset({"faulted", "reported"})
_BEFORE_A_TRY = frozenset({"bill", "part", "method", "date", "already", "dispute", "person", "mandate"})
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

    @cached_property
    def debit(self) -> Attempt | None:
        """The debit of this bill that is on its way to the bank."""
        found = actions.on_its_way(self.bill.id)
        return Attempt.objects.get(pk=found) if found else None

    @cached_property
    def waits(self) -> Attempt | None:
        """The account or slip with which this bill can be paid."""
        return into.waiting(self.bill.id)

    @cached_property
    def undone_until(self) -> datetime | None:
        """A payment of this bill was taken back by its bank: until when nothing adverse follows from it."""
        if not Attempt.objects.filter(bills__bill=self.bill, undone_at__isnull=False).exists():
            return None
        ends = [end for _, end in pending.undone(self.account.id) if end > clock.now()]
        return max(ends, default=None)

    def lines(self) -> list[Line]:
        return list(Line.objects.filter(account=self.account).order_by("number"))


def attempt_of(state: State) -> Attempt | None:
    found = state.data.get("attempt")
    return _attempt.first(attempt_id=UUID(found)) if found else None


@once.query
def _attempt(attempt_id: once.Open) -> "QuerySet[Attempt]":
    return Attempt.objects.filter(pk=attempt_id)


def method_name(method: str, lang: str) -> str:
    """As it is called where it is chosen; what is never chosen on a page (cash) has its name from guidance."""
    mine = f"method-{method}"
    return texts.say(mine, lang) if texts.has(mine, lang) else guidance.method_name(method, lang)


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
    for name, word in (("until", whens.until), ("opens", whens.from_when)):
        if moment := state.data.get(name):
            said[name] = word(datetime.fromisoformat(moment), lang)
    if subject is None:
        return said
    bill = subject.bill
    attempt = attempt_of(state) if state.step not in _BEFORE_A_TRY else None
    amount = _of(attempt) if attempt else int(state.data.get("amount") or bill.remaining)
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
    said |= _on_its_way(subject, state, attempt, lang)
    return said | _ahead(subject, lang) if state.step == "bill" else said


def _on_its_way(subject: Subject, state: State, attempt: Attempt | None, lang: str) -> dict[str, str]:
    """Of what takes its time: the account's last moment, the day of a debit, the hour at which the banks open."""
    said = {}
    waits = subject.waits if state.step == "bill" else attempt_of(state) if state.step == "person" else attempt
    if waits is not None and waits.state == Paying.NEEDS_DEPOSIT and waits.expires_at:
        said["account_until"] = whens.until(waits.expires_at, lang)
        said["amount"] = words.amount(Money(waits.amount, waits.currency), lang)
    debit = subject.debit if state.step == "bill" else attempt
    if debit is not None and (day := _debit_day(debit)):
        said["debit"] = words.amount(Money(debit.amount, debit.currency), lang)
        said["debit_day"] = words.day(day, lang)
    if state.step == "account" and attempt and (opens := into.opens(attempt.channel, attempt.method)):
        said["opens"] = whens.from_when(opens, lang)
    if state.step == "bill" and subject.undone_until:
        said["undone_until"] = whens.until(subject.undone_until, lang)
    return said


def _debit_day(attempt: Attempt) -> date | None:
    return DebitItem.objects.filter(attempt=attempt, kind="debit").values_list("day", flat=True).first()


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
    return said | ({"until": whens.until(ahead.held_until, lang)} if ahead.held_until else {})


def lines_that_apply(here: str, subject: Subject, state: State, ways: list[str]) -> list[str]:
    """The names of the step's lines (`catalog.LINES`) that are true now, in the order in which they are said."""
    if here == "pay-bill":
        return _about_bill(subject)
    if here == "pay-paid":
        return _about_paid(subject, state)
    if here == "pay-account":
        attempt = attempt_of(state)
        return ["closed"] if attempt and into.opens(attempt.channel, attempt.method) else []
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
        "undone": subject.undone_until is not None,
        "unknown": moving(subject),
        "instructed": subject.debit is not None,
        "account": subject.waits is not None and not moving(subject),
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
    if state.step not in {"bill", "method", "away", "script", "account", "paid"}:
        return None
    whole = subject.bill.money
    if state.step == "bill":
        return whole
    attempt = attempt_of(state) if state.step != "method" else None
    return Money(_of(attempt) if attempt else int(state.data.get("amount") or whole.minor), whole.currency)


def _of(attempt: Attempt) -> int:
    """What arrived, once something has: a deposit may be another sum than was asked for."""
    return attempt.taken or attempt.amount


def _paid_by(state: State) -> Attempt | None:
    """The attempt of a receipt: one that took the money, or none."""
    attempt = attempt_of(state)
    return attempt if attempt is not None and attempt.state == Paying.PAID else None


def _about_paid(subject: Subject, state: State) -> list[str]:
    found = ["others"] if subject.overdue_besides else []
    attempt = _paid_by(state)
    if state.data.get("receipt") == "nothing_due" or attempt is None:
        return ["nothing_due", *found]
    if attempt.refund_cases.exists():
        found.append("credit")
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
            ("paid", ascii_words(Money(_of(attempt), attempt.currency))),
            ("when", words.moment(attempt.settled_at or attempt.created_at, lang)),
            ("how", method_name(attempt.method, lang)),
            ("receipt", outside(attempt.id)[-12:]),
        ]
    rows.append(("bill", bill.number))
    rows += [("line", words.masked_phone(line.number)) for line in subject.lines()[:3]]
    return [(texts.say(f"web-fact-{name}", lang), value) for name, value in rows]


def said(
    journey: Journey, state: State, lang: str, subject: Subject | None, session: Session | None
) -> tuple[dict[str, str], list[str]]:
    """What the step says now, on whichever channel: the arguments of its texts, and their ids in order."""
    step = journey[state.step]
    args = arguments(subject, state, lang)
    ways = _way_names(session, lang) if state.step in _TELLS_WAYS else []
    args["ways"] = ", ".join(ways)
    messages = list(catalog.spoken_ids(journey, state))
    lines = lines_that_apply(catalog.step_id(journey, step), subject, state, ways) if subject else []
    messages += [catalog.line_id(journey, step, line) for line in lines]
    if subject and not lines and state.step in _TELLS_WAYS:
        messages.append("pay-bill-unknown")
    if "nothing_due" in lines:
        messages.remove(catalog.step_id(journey, step))
    return args, messages


def _way_names(session: Session | None, lang: str) -> list[str]:
    if session is None:
        return []
    return list(dict.fromkeys(method_name(way.method, lang) for way in actions.instead(session)))


def spoken(message: str, lang: str, args: Mapping[str, str], part: str | None = None) -> str | None:
    """The text, or None where it has no such part."""
    return texts.say(message, lang, part=part, **args) if texts.has(message, lang, part) else None

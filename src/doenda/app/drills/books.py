"""Do the providers' books, our ledger, the switch and the customers' texts agree, to the won?"""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import Error, connection

from doenda.app.drills import provider_books
from doenda.app.stage import Stage
from doenda.billing import books
from doenda.billing.models import AccountRole, Bill, Line
from doenda.kernel import clock, net
from doenda.kernel.ids import outside
from doenda.kernel.models import FactRow, OutboxRow
from doenda.notices.models import Notice
from doenda.payments.models import Attempt, AttemptBill
from doenda.payments.states import IN_FLIGHT


def compare(stage: Stage) -> list[str]:
    """Every disagreement, in words; empty when all agree. Raises what `Stage.control` raises."""

    providers = provider_books.compare(truth_of(stage), settings.DOENDA_OFFERED)
    return [*providers, *_ledger(), *_switch(stage), *_texts(stage), *_effects()]


def until_agreed(stage: Stage, seconds: float, also: Callable[[], list[str]] = list) -> list[str]:
    """Ask until nothing is left to do and all books agree, for at most `seconds`. Returns what still stands against it.

    `also` names what else must be over. A synthetic walk that pays between two looks is no disagreement: hence a loop.
    """
    deadline = clock.monotonic() + seconds
    while left := _left(stage, also):
        if clock.monotonic() > deadline:
            return left
        clock.sleep(1.0)
    return []


def until_reached(seconds: float = 60.0) -> bool:
    """Does our own connection to the database of the system work again, within so many seconds?"""
    deadline = clock.monotonic() + seconds
    while clock.monotonic() < deadline:
        try:
            connection.close()
            connection.ensure_connection()
            return True
        except Error:
            clock.sleep(0.2)
    return False


def _left(stage: Stage, also: Callable[[], list[str]]) -> list[str]:
    try:
        return [*also(), *unfinished(), *compare(stage)]
    except (Error, net.NotSent, net.NoAnswer) as away:
        connection.close()
        return [f"not reached: {type(away).__name__}"]


def truth_of(stage: Stage) -> provider_books.Truth:
    """The books of a running system's fakes."""

    def truth(peer: str) -> Mapping[str, Any]:
        told: Mapping[str, Any] = stage.control(peer, "GET", "books")
        return told

    return truth


def unfinished() -> list[str]:
    """What still has to move before books can be compared: news, unanswered attempts."""
    late = {
        "facts are not taken in": FactRow.objects.exclude(pending=[]).count(),
        "attempts are in flight": Attempt.objects.filter(state__in=IN_FLIGHT).count(),
    }
    return [f"{count} {words}" for words, count in late.items() if count]


def _effects() -> list[str]:
    stuck = OutboxRow.objects.filter(done_at=None, due_at__lte=clock.now()).count()
    return [f"{stuck} effects are not confirmed"] if stuck else []


def _ledger() -> list[str]:
    trial = books.trial()
    return [] if trial.ok else [f"the ledger does not balance: {trial}"]


def _switch(stage: Stage) -> list[str]:
    truth = stage.control("switch", "GET", "books")["services"]
    lines = Line.objects.exclude(account__probe=True)
    return [
        f"line {outside(line.pk)}: the switch says {truth[outside(line.pk)]['barring']}, we say {line.barring}"
        for line in lines
        if outside(line.pk) in truth and truth[outside(line.pk)]["barring"] != line.barring
    ]


def _texts(stage: Stage) -> list[str]:
    """Every notice went to a telephone of the account that it is about."""
    phones: dict[UUID, set[str]] = {}
    for account_id, phone in AccountRole.objects.values_list("account_id", "party__phone"):
        phones.setdefault(account_id, set()).add(phone)
    about = {outside(pk): account_id for pk, account_id in Notice.objects.values_list("pk", "account_id")}
    return [
        f"message {one['id']} went to a telephone that is not its customer's"
        for one in stage.control("handset", "GET", "inbox")
        if one["id"] in about and one["to"] not in phones.get(about[one["id"]], set())
    ]


def taken_by_bill(stage: Stage) -> Counter[UUID]:
    """What the providers' own books hold for each bill of a customer's, in minor units."""
    taken: dict[str, int] = {}
    for provider in provider_books.BY_ORDER.keys() & set(settings.DOENDA_OFFERED):
        taken |= provider_books.taken_by_order(provider, truth_of(stage))
    if "deposit" in settings.DOENDA_OFFERED:
        taken |= provider_books.deposits_by_order(truth_of(stage))
    by_bill: Counter[UUID] = Counter()
    for part in AttemptBill.objects.filter(attempt__synthetic=False):
        by_bill[part.bill_id] += min(taken.get(outside(part.attempt_id), 0), part.amount)
    return by_bill


def double_charges(stage: Stage) -> int:
    """How many bills were charged twice."""
    return len(charged_twice(stage))


def charged_twice(stage: Stage) -> list[str]:
    """Bills for which we charged more than they asked for, by the providers' own books: each with its charges.

    Money that a customer brings to an account number is no charge of ours: too much of it is credit with a case.
    """
    charges: dict[Bill, list[tuple[str, int]]] = {}
    for provider in provider_books.BY_ORDER.keys() & set(settings.DOENDA_OFFERED):
        taken = provider_books.taken_by_order(provider, truth_of(stage))
        parts = AttemptBill.objects.filter(attempt__synthetic=False, attempt__provider=provider)
        for part in parts.exclude(attempt__method="deposit").select_related("bill", "attempt"):
            held = taken.get(outside(part.attempt_id), 0)
            if amount := held if held > part.attempt.amount else min(held, part.amount):
                charges.setdefault(part.bill, []).append((f"{part.attempt.way} {part.attempt_id}", amount))
    return [
        f"bill {bill.number} of {bill.amount + bill.late_fee} was charged {each}"
        for bill, each in charges.items()
        if sum(amount for _, amount in each) > bill.amount + bill.late_fee
    ]

"""The refunds desk: everything about money that waits for a person, with its owner, its deadline and its age.

Any part of the room adds a list of its own with `@desk.lists("name")`. The acts of the desk stand here as well: each is
one transaction, named in the audit trail, and nobody approves what they asked for.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from doenda.access import audit
from doenda.billing import accounts, books
from doenda.kernel import clock
from doenda.kernel.db import atomic
from doenda.kernel.models import OutboxRow
from doenda.payments import inquiry, policy, refunds, staff
from doenda.payments.models import Attempt, Refund, RefundCase
from doenda.payments.moves import locked
from doenda.payments.providers.contract import BackTo
from doenda.payments.refunds import NotAllowed
from doenda.payments.states import IN_FLIGHT, State

MONEY = ("charge", "refund", "close", "debit_file", "deposit_return")
"""Kinds of outbox rows that are this room's."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that waits. `about`: the id to act on; `words` name no customer, no account and no card."""

    id: UUID
    about: str
    since: datetime
    deadline: datetime
    words: str
    account: str = ""
    amount: int = 0
    currency: str = ""
    owner: str = "desk"

    @property
    def age(self) -> timedelta:
        return clock.now() - self.since

    @property
    def late(self) -> bool:
        return clock.now() > self.deadline


type Lister = Callable[[], Iterable[Item]]
_lists: dict[str, Lister] = {}


def lists(name: str) -> Callable[[Lister], Lister]:
    """Register a list under a name that stays the same. Raises ValueError for a second one of that name."""

    def register(lister: Lister) -> Lister:
        if name in _lists:
            raise ValueError(f"two lists are called {name!r}")
        _lists[name] = lister
        return lister

    return register


def waiting(*names: str) -> dict[str, list[Item]]:
    """What waits, by list (all of them, unless named), each with the next deadline first. Raises KeyError."""
    return {name: sorted(_lists[name](), key=lambda item: item.deadline) for name in names or _lists}


@lists("unknown")
def _unknown() -> Iterable[Item]:
    """Attempts of which nobody knows whether money moved, and which the machine has given to a person."""
    found = Attempt.objects.filter(person_owns_at__isnull=False, state__in=sorted(IN_FLIGHT))
    for attempt in found.select_related("account"):
        yield _of_attempt(attempt, "unknown", inquiry.ownership(attempt).deadline)


@lists("attention")
def _attention() -> Iterable[Item]:
    """Attempts that are settled or over, and about which something does not fit."""
    found = Attempt.objects.filter(person_owns_at__isnull=False).exclude(state__in=sorted(IN_FLIGHT))
    for attempt in found.select_related("account"):
        assert attempt.person_owns_at is not None
        yield _of_attempt(attempt, "attention", attempt.person_owns_at + timedelta(days=policy.now().refund_days))


def _of_attempt(attempt: Attempt, about: str, deadline: datetime) -> Item:
    return Item(
        attempt.pk,
        about,
        attempt.person_owns_at or attempt.created_at,
        deadline,
        f"{attempt.way} {attempt.state}: {attempt.reason}",
        attempt.account.number,
        attempt.taken or attempt.amount,
        attempt.currency,
    )


@lists("cases")
def _cases() -> Iterable[Item]:
    """What was paid too much, and nobody knows yet where it is to go."""
    found = RefundCase.objects.filter(closed_at=None, owner="desk").select_related("account", "attempt", "refund")
    for case in found:
        if case.refund is not None and case.refund.failed_at is None:
            continue  # it waits for approval, in a list of its own
        failed = f"; refused: {case.refund.code}" if case.refund else ""
        left = books.credit(case.account_id)
        words = f"overpaid by {case.attempt.way}{failed}; credit now {left}"
        yield Item(
            case.pk, "case", case.created_at, case.due_at, words, case.account.number, case.amount, case.currency
        )


@lists("approvals")
def _approvals() -> Iterable[Item]:
    """Refunds above the limit that a second person has to look at."""
    found = Refund.objects.filter(needs_two=True, approved_by="", done_at=None, failed_at=None)
    for refund in found.select_related("attempt__account"):
        attempt = refund.attempt
        yield Item(
            refund.pk,
            "refund",
            refund.created_at,
            refund.created_at + timedelta(days=policy.now().refund_days),
            f"{refund.reason}, asked by {refund.asked_by}, to {attempt.way}",
            attempt.account.number,
            refund.amount,
            attempt.currency,
        )


@lists("parked")
def _parked() -> Iterable[Item]:
    """Effects on providers that will not succeed as they are."""
    found = OutboxRow.objects.filter(kind__in=MONEY, parked_at__isnull=False, done_at=None)
    for row in found:
        assert row.parked_at is not None
        deadline = row.parked_at + timedelta(days=policy.now().refund_days)
        yield Item(row.pk, row.kind, row.parked_at, deadline, f"{row.kind}: {row.reason}"[:120])


# Acts


def approve(refund_id: UUID, *, by: str) -> Refund:
    """The second pair of eyes. Raises NotAllowed: for its maker, for whoever has no such right, and where nothing waits
    or the payment does not stand any more."""
    _require(by, "approve")
    with atomic():
        refund = _waiting_refund(refund_id)
        if refund.attempt.state != State.PAID:
            raise NotAllowed("the payment does not stand any more: refuse this refund")
        approved = refunds.approve(refund_id, by=by)
        audit.note(by, "refund approved", subject_id=refund_id, account_id=refund.attempt.account_id)
        return approved


def refuse(refund_id: UUID, *, by: str, words: str) -> Refund:
    """It is not to be given back so: what was set aside is the customer's credit again, and its case the desk's.

    Whoever asked may withdraw it. Raises NotAllowed.
    """
    if not words.strip():
        raise NotAllowed("say why")
    with atomic():
        refund = _waiting_refund(refund_id)
        if by != refund.asked_by:
            _require(by, "approve")
        refunds.withdraw(refund, "REFUSED_BY_THE_DESK")
        account_id = refund.attempt.account_id
        audit.note(by, "refund refused", subject_id=refund_id, account_id=account_id, words=words[:200])
        return refund


def _waiting_refund(refund_id: UUID) -> Refund:
    """The refund, its account locked first. Raises NotAllowed unless it waits for approval."""
    account_id = Refund.objects.values_list("attempt__account_id", flat=True).filter(pk=refund_id).first()
    if account_id is None:
        raise NotAllowed("there is no such refund")
    accounts.lock(account_id)
    refund = Refund.objects.select_for_update(of=("self",)).select_related("attempt").get(pk=refund_id)
    if not refund.needs_two or refund.approved_by or refund.failed_at or refund.done_at:
        raise NotAllowed("nothing waits for approval here")
    return refund


def give_back(case_id: UUID, *, by: str, to: BackTo | None = None) -> Refund:
    """Send what was paid too much back: to its source, or to the payer's own account. Raises NotAllowed.

    Above the limit somebody else must approve it afterwards.
    """
    _require(by, "refund")
    if to is not None and not (to.bank and to.number.isascii() and to.number.replace("-", "").isdigit() and to.holder):
        raise NotAllowed("an account has a bank, a number and a holder")
    with atomic():
        found = RefundCase.objects.filter(pk=case_id).values_list("account_id", flat=True).first()
        if found is None:
            raise NotAllowed("there is no such case")
        account = accounts.lock(found)
        case = RefundCase.objects.select_for_update(of=("self",)).select_related("attempt", "refund").get(pk=case_id)
        refund = refunds.give_credit_back(account, case, by=by, back_to=to)
        if refund is not None:
            audit.note(
                by, "refund asked", subject_id=refund.pk, account_id=account.pk, to="account" if to else "source"
            )
            return refund
    raise NotAllowed("the credit has paid other bills since: the case is closed")


def seen_to(attempt_id: UUID, *, by: str, words: str) -> None:
    """A person has put right what did not fit about an attempt that is over. Raises NotAllowed for one in flight."""
    _require(by, "refund")
    if not words.strip():
        raise NotAllowed("say what was done")
    with atomic():
        if not Attempt.objects.filter(pk=attempt_id).exists():
            raise NotAllowed("there is no such attempt")
        _, attempt = locked(attempt_id)
        if attempt.person_owns_at is None or attempt.state in IN_FLIGHT:
            raise NotAllowed("nothing of this attempt is to be put right; what is unknown stays so until it is known")
        attempt.person_owns_at = None
        attempt.save(update_fields=["person_owns_at"])
        audit.note(by, "attempt seen to", subject_id=attempt_id, account_id=attempt.account_id, words=words[:200])


def _require(actor: str, act: str) -> None:
    if not staff.may(actor, act):
        raise NotAllowed(f"{actor[:80] or 'nobody'} may not do this ({act})")

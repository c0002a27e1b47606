"""Reviewing a case: lock the account, gather facts, decide, write the decision with its effects; one transaction."""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet

from doenda.billing import accounts, owed
from doenda.billing.models import Account, Bill
from doenda.dunning import effects, gather, policy
from doenda.dunning.case_facts import of_json
from doenda.dunning.decide import Decision, decide
from doenda.dunning.models import Case, CaseStep
from doenda.dunning.policy import Policy
from doenda.kernel import clock, once
from doenda.kernel.db import atomic

TRIES = 5
"""After so many failures in a row a case is parked with its reason, and a person looks at it."""


def policy_now() -> Policy:
    """The carrier's policy in force today."""
    return policy.in_force(settings.DOENDA_COUNTRY, clock.today())


def review(account_id: UUID) -> Decision | None:
    """Take the account's next step, if it has a case or needs one; None: it has none. Joins an open transaction."""
    with atomic():
        return review_locked(accounts.lock(account_id))


def review_locked(account: Account) -> Decision | None:
    """The same for a caller who holds the account's lock."""
    case = _open_case.first(account_id=account.pk) or _open(account)
    if case is None:
        return None
    now, rules = clock.now(), policy_now()
    facts = gather.facts_of(account, case, rules, now)
    decision = decide(facts, rules, now)
    effects.apply(decision, case=case, facts=facts, policy=rules, now=now)
    return decision


@once.query
def _open_case(account_id: once.Open) -> "QuerySet[Case]":
    return Case.objects.filter(account=account_id, closed_at=None).select_for_update()


def _open(account: Account) -> Case | None:
    if account.probe or not owed.overdue(account.pk, clock.today()):
        return None
    return Case.objects.create(account=account, stage_since=clock.today(), opened_at=clock.now())


def open_missing(limit: int) -> int:
    """Open a case for accounts with an overdue bill and none; returns how many. Their first review is due at once."""
    with_case = Case.objects.filter(closed_at=None).values("account_id")
    overdue = Bill.objects.filter(state=Bill.State.OPEN, due_date__lt=clock.today(), probe=False, account__probe=False)
    missing = overdue.exclude(account_id__in=with_case).order_by("account_id").values_list("account_id", flat=True)
    found = list(missing.distinct()[:limit])
    with atomic():
        rows = [Case(account_id=account_id, stage_since=clock.today(), opened_at=clock.now()) for account_id in found]
        Case.objects.bulk_create(rows, ignore_conflicts=True)
    return len(found)


def review_due(limit: int) -> int:
    """Review the cases whose time has come, a transaction each; one that fails never stops the others."""
    due = _due()
    found = list(due.order_by("next_check_at", "pk").values_list("pk", "account_id")[:limit])
    for case_id, account_id in found:
        try:
            _review_one(due, case_id, account_id)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one account is kept with it
            _failed(case_id, f"{type(error).__name__}: {error}"[:500])
    return len(found)


def _due() -> "QuerySet[Case, Case]":
    """Cases whose next check has come; and, once a way to pay is proven again, those that wait for just that."""
    when = Q(next_check_at__lte=clock.now())
    if gather.way_proven():
        when |= Q(waiting_for="no_way_proven")
    return Case.objects.filter(when, closed_at=None, parked_at=None)


def _review_one(due: "QuerySet[Case, Case]", case_id: UUID, account_id: UUID) -> None:
    """Skips an account that somebody else is working on, and a case that was reviewed meanwhile."""
    with atomic():
        if _free.first(account_id=account_id) is not None and due.filter(pk=case_id).exists():
            review_locked(accounts.lock(account_id))


@once.query
def _free(account_id: once.Open) -> "QuerySet[Account]":
    return Account.objects.select_for_update(skip_locked=True).filter(pk=account_id)


def _failed(case_id: UUID, reason: str) -> None:
    effects.log.exception("case %s could not be reviewed", case_id)
    with atomic():
        case = Case.objects.select_for_update().get(pk=case_id)
        case.tries += 1
        case.park_reason = reason
        case.parked_at = clock.now() if case.tries >= TRIES else None
        case.next_check_at = clock.now() + timedelta(seconds=30 * 2**case.tries)
        case.save(update_fields=["tries", "park_reason", "parked_at", "next_check_at"])


def unpark(case_id: UUID) -> None:
    """A person has looked: review the case again."""
    with atomic():
        Case.objects.filter(pk=case_id).update(tries=0, parked_at=None, park_reason="", next_check_at=clock.now())


def look_again(account_id: UUID) -> None:
    """Something about the account changed: its case's next check is now. In the caller's transaction."""
    Case.objects.filter(account_id=account_id, closed_at=None).update(next_check_at=clock.now())


def replay(step: CaseStep) -> bool:
    """Does deciding again on the stored facts, by the stored policy, give what was decided?"""
    if "decided" not in step.decision:
        return True  # a record of something other than a decision: a command withdrawn
    rules = policy.named(settings.DOENDA_COUNTRY, step.policy)
    again = decide(of_json(step.facts), rules, step.decided_at)
    return bool(effects.as_record(again) == step.decision)

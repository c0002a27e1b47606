"""Races planted into the real house: each is found by a scenario, and the house without them is clean."""

from collections.abc import Iterable
from uuid import UUID

import pytest
from django.db import connections, transaction

from doenda.billing import accounts
from doenda.billing.models import Account
from doenda.kernel import outbox
from doenda.kernel.models import OutboxRow
from doenda.payments import charge, inquiry, moves, outcomes
from doenda.payments.models import Attempt
from doenda.payments.providers.contract import Answer
from doenda.sim.interleaving import run
from doenda.sim.interleaving.scene import REGISTRY


def said(name: str, most: int) -> str:
    """What one scenario has to complain of, in a line; "" if nothing."""
    (ran,) = run.run([name], most, enough=1)
    return " ".join(word for failure in ran.failures for word in failure.words)


def test_an_account_that_is_not_locked(committed_db: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def unlocked(account_id: UUID) -> Account:
        account = Account.objects.get(pk=account_id)
        account.__dict__["_locked"] = True
        return account

    monkeypatch.setattr(accounts, "lock", unlocked)
    assert said("card x card, inside", 60)


def test_a_check_that_no_index_backs(committed_db: str) -> None:
    with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
        cursor.execute("DROP INDEX bill_one_attempt_in_flight")
    assert "2 attempts are paid" in said("card x card", 46)


def test_an_answer_that_is_older_than_what_we_know(committed_db: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def believes(attempt: Attempt, answer: Answer, cause: str, *, row: OutboxRow | None = None) -> None:
        with transaction.atomic():
            account = moves.lock(attempt)
            outcomes.bring(account, attempt, answer, cause, fresh=True, asked_in=attempt.state, row=row)
            if row is not None:
                outbox.finish(row)

    for room in (inquiry, charge, outcomes):
        monkeypatch.setattr(room, "apply", believes)
    assert said("deposit x question", 30)


def names(ran: Iterable[run.Ran]) -> list[str]:
    return [each.line for each in ran if each.failures]


FEW = [
    "approve x refuse",
    "biller cancels x settle",
    "card x card",
    "card x card, inside",
    "deposit x question",
    "two clerks, one shift",
    "webhook x return",
]


def test_the_house_as_it_is_holds(committed_db: str) -> None:
    assert names(run.run(FEW, most=8)) == []


def test_thirty_scenarios_and_more_and_each_says_what_it_is_about() -> None:
    assert len({name for name in run.names() if not name.endswith(", inside")}) >= 30
    assert all(played.words for played in REGISTRY.values())

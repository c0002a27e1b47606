"""Mistakes about debits: one that came back and is not undone, one that cannot be recalled any more and counts as."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from unittest import mock

from doenda.billing.models import Account
from doenda.payments import undoing
from doenda.payments.models import Attempt
from doenda.payments.providers.contract import Answer, Charge, Outcome
from doenda.payments.providers.debit.provider import Debit
from doenda.sim.planted import scenes
from doenda.sim.planted.hunting import Hunt, Planted


@contextmanager
def _return_ignored() -> Iterator[None]:
    real = undoing.undo

    def undo(account: Account, attempt: Attempt, answer: Answer, cause: str) -> None:
        if answer.outcome is not Outcome.UNDONE:
            real(account, attempt, answer, cause)

    with mock.patch.object(undoing, "undo", undo):
        yield


@contextmanager
def _recalled_too_late() -> Iterator[None]:
    real = Debit.void

    def void(self: Debit, charge: Charge) -> Answer:
        said = real(self, charge)
        return Answer(Outcome.GIVEN_BACK, "RECALLED") if said.code == "TOO_LATE" else said

    with mock.patch.object(Debit, "void", void):
        yield


BEFORE_CUT_OFF = datetime(2014, 10, 24, 6, tzinfo=UTC)
_PAYS = scenes.named("pays_otherwise", scenes.pays_all("sandbox"))
_HOUR = "to_the_next_hour_of_debits"

PLANTED = (
    Planted(
        "returned debit kept",
        "a debit that the payer's bank takes back days later stays paid",
        _return_ignored,
        Hunt(
            ("debit",), ("mandate_given", "debit_chosen", _HOUR, _HOUR, "debit_returned", _HOUR), begins=BEFORE_CUT_OFF
        ),
        frozenset({"I3"}),
    ),
    Planted(
        "recalled too late",
        "a debit whose file is built counts as recalled",
        _recalled_too_late,
        Hunt(
            ("debit", "sandbox"),
            ("mandate_given", "debit_chosen", _HOUR, "pays_otherwise", "worker_outbox"),
            begins=BEFORE_CUT_OFF,
            extra=(_PAYS,),
        ),
        frozenset({"I3"}),
    ),
)

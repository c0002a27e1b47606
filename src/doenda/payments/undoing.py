"""A paid attempt that comes undone: a deposit that the bank took back, a debit returned days later, a reversal.

The bill is owed again, the customer is told, and nobody is punished for it: collections counts no day from the payment
until some days after the news (pending.undone).
"""

from doenda.billing import post
from doenda.billing.models import Account
from doenda.kernel import clock, facts
from doenda.notices import send
from doenda.payments import refunds
from doenda.payments.listening import next_look
from doenda.payments.models import Attempt
from doenda.payments.moves import close_waiting, move
from doenda.payments.owned import to_a_person
from doenda.payments.providers.contract import Answer, Outcome
from doenda.payments.states import State


def undo(account: Account, attempt: Attempt, answer: Answer, cause: str) -> None:
    """The provider says something other than "paid" of a paid attempt. Needs the account's lock."""
    if answer.outcome is Outcome.NEEDS_DEPOSIT:
        _taken_back(account, attempt, State.NEEDS_DEPOSIT, cause)
    elif answer.outcome is Outcome.UNDONE:
        _taken_back(account, attempt, State.UNDONE, cause)
    elif answer.outcome is Outcome.GIVEN_BACK:
        _given_back(account, attempt, attempt.taken)


def compare(account: Account, attempt: Attempt, answer: Answer) -> None:
    """It is paid here and there: has as much gone back there as we gave back?"""
    if answer.given_back:
        _given_back(account, attempt, answer.given_back)


def _given_back(account: Account, attempt: Attempt, amount: int) -> None:
    ours = refunds.given(attempt)
    if amount <= ours:
        return
    if amount == attempt.taken and not ours:
        refunds.reverse(account, attempt, ("given_back", attempt.fact_id), "given back at the provider")
    else:
        to_a_person(attempt, f"GIVEN_BACK {amount}, by us {ours}")


def _taken_back(account: Account, attempt: Attempt, target: State, cause: str) -> None:
    now = clock.now()
    post.undo_payment("payment", attempt.fact_id, ("undone", attempt.fact_id), at=now)
    refunds.forget(attempt)
    waits = target is State.NEEDS_DEPOSIT
    until = max(attempt.expires_at or now, now) if waits else attempt.expires_at
    told = {"attempt": str(attempt.id), "amount": attempt.taken, "currency": attempt.currency, "method": attempt.method}
    move(
        attempt,
        target,
        cause,
        taken=0,
        given_back=0,
        undone_at=now,
        ask_at=next_look(attempt, until) if waits else None,
        expires_at=until,
    )
    if waits and not any(part.bill.remaining for part in attempt.bills.select_related("bill")):
        close_waiting(Attempt.objects.filter(pk=attempt.pk), "nothing is due")  # its bill was cancelled meanwhile
        attempt.refresh_from_db()
    if not attempt.synthetic:
        bill_id = attempt.bills.order_by("pk").values_list("bill_id", flat=True).first()
        send("payment_undone", account.id, bill_id=bill_id, params=dict(told), key=f"undone-{attempt.fact_id}")
    facts.record("payments.undone", account.id, told | {"way": attempt.way})

"""What waits for a person at the counters, for the desk."""

from collections.abc import Iterable
from datetime import timedelta

from doenda.payments import desk, policy
from doenda.payments.counter import payouts
from doenda.payments.counter.models import Shift


@desk.lists("payouts")
def _payouts() -> Iterable[desk.Item]:
    """Refunds that lie ready at the stores until somebody collects them."""
    for each in payouts.waiting():
        deadline = each.created_at + timedelta(days=policy.now().refund_days)
        account = each.attempt.account
        words = f"waits at a store: {each.reason}"
        yield desk.Item(
            each.pk,
            "payout",
            each.created_at,
            deadline,
            words,
            account.number,
            each.amount,
            account.currency,
            "counter",
        )


@desk.lists("drawers")
def _drawers() -> Iterable[desk.Item]:
    """Counted drawers that differ by more than one clerk may close alone."""
    for each in Shift.objects.filter(closed_at=None, needs_two=True).select_related("store"):
        assert each.counted_at is not None
        words = f"{each.store.code} till {each.till}, {each.clerk}: differs by {each.difference}"
        deadline = each.counted_at + timedelta(days=1)
        yield desk.Item(each.pk, "shift", each.counted_at, deadline, words, amount=each.difference or 0)

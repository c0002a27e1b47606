"""Deposits that wait for a person, for the desk."""

from collections.abc import Iterable

from doenda.kernel import clock
from doenda.payments import desk
from doenda.payments.deposits.models import DepositLine


@desk.lists("deposits")
def _parked() -> Iterable[desk.Item]:
    """Money that arrived and is nobody's yet."""
    for line in DepositLine.objects.filter(state=DepositLine.State.PARKED):
        words = f"deposit {line.bank} {line.ident}: {line.reason}"
        deadline = line.due_at or clock.now()
        yield desk.Item(line.pk, "deposit", line.created_at, deadline, words, "", line.amount, line.currency)

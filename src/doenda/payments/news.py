"""News that payments listens to: debits to tell customers of, and bills that were paid without an attempt of ours."""

from uuid import UUID

from doenda.billing import accounts
from doenda.kernel import facts
from doenda.kernel.facts import Fact
from doenda.notices import send
from doenda.payments.models import Attempt
from doenda.payments.moves import close_waiting
from doenda.payments.states import WAITING


@facts.subscribes("payments.debit_due", name="payments.tell_debit_due")
def debit_due(fact: Fact) -> None:
    """A debit is to come on `day`: who knows of it can see to the account, or pay another way."""
    _tell(fact, "debit_due", ("amount", "currency", "day"))


@facts.subscribes("payments.debit_failed", name="payments.tell_debit_failed")
def debit_failed(fact: Fact) -> None:
    """A debit did not go through; `next` is the day of the next try, if there is one."""
    _tell(fact, "debit_failed", ("amount", "currency", "next"))


def _tell(fact: Fact, kind: str, names: tuple[str, ...]) -> None:
    if fact.account_id is not None:
        params = {name: fact.data[name] for name in names if fact.data.get(name)}
        send(kind, fact.account_id, params=params, key=f"{kind}-{fact.data['attempt']}")


def _of_others(fact: Fact) -> bool:
    """An attempt of ours has closed the others itself."""
    return bool(fact.data["fact"][0] != "payment")


@facts.subscribes("billing.payment_posted", name="payments.paid_elsewhere", where=_of_others)
def paid_elsewhere(fact: Fact) -> None:
    """Money that others took for us, or credit: what was begun for the settled bills is closed."""
    _close(fact, fact.data["settled_bill_ids"])


@facts.subscribes("billing.bill_settled", name="payments.settled_otherwise")
def settled_otherwise(fact: Fact) -> None:
    """A bill that credit, a credit note or its cancellation closed."""
    _close(fact, fact.data["bill_ids"])


def _close(fact: Fact, bill_ids: list[str]) -> None:
    if fact.account_id is None or not bill_ids:
        return
    accounts.lock(fact.account_id)
    bills = [UUID(bill_id) for bill_id in bill_ids]
    mine = Attempt.objects.filter(account_id=fact.account_id, state__in=WAITING, bills__bill_id__in=bills)
    if found := list(mine.values_list("pk", flat=True)):
        close_waiting(Attempt.objects.filter(pk__in=found), "paid in another way")

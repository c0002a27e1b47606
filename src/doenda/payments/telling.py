"""What customers are told about debits, from the facts that the debit room records."""

from doenda.kernel import facts
from doenda.kernel.facts import Fact
from doenda.notices import send


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

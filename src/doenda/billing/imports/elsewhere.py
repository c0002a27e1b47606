"""Payments taken elsewhere: at a bank, by another system. Posted once each, whichever file tells of them first."""

from datetime import datetime
from uuid import UUID

from doenda.billing import post
from doenda.billing.books import ELSEWHERE
from doenda.billing.models import Account, Bill, ExternalFact, Posting
from doenda.kernel.ids import inside

FACT_KIND = "payment:elsewhere"
ID_LENGTH = 60


def known(payment_id: str, bill: str = "") -> bool:
    """Whether this payment is in the ledger: told before, or one of ours that comes back to us under our own id."""
    names = [payment_id, f"{payment_id}/{bill}"]
    if ExternalFact.objects.filter(kind=FACT_KIND, external_id__in=names).exists():
        return True
    if Posting.objects.filter(fact_id=payment_id, fact_kind__startswith="payment").exists():
        return True
    posting = _as_id(payment_id)
    return posting is not None and Posting.objects.filter(pk=posting).exists()


def _as_id(text: str) -> UUID | None:
    try:
        return inside(text)
    except ValueError:
        return None


def take_in(account: Account, payment_id: str, amount: int, at: datetime, *, bill: Bill | None, part: bool) -> bool:
    """Post one, in minor units. `part`: the id may come again for other bills. False if it was known."""
    name = "" if bill is None else bill.number
    if known(payment_id, name):
        return False
    fact_id = f"{payment_id}/{name}" if part else payment_id
    if bill is None:
        post.deposit(account, amount, provider=ELSEWHERE, fact_kind=FACT_KIND, fact_id=fact_id, at=at)
    else:
        post.payment(account, [(bill.pk, amount)], provider=ELSEWHERE, fact_kind=FACT_KIND, fact_id=fact_id, at=at)
    return True

"""Was every payment that the client counted really made: written, posted once, balanced, and followed through?"""

from collections.abc import Sequence
from uuid import UUID

from django.db.models import F

from doenda.app.benches.pay_rows import Return
from doenda.app.result import Result
from doenda.assurance.models import Evidence
from doenda.billing import books
from doenda.billing.models import Bill, Posting
from doenda.dunning.models import Case
from doenda.journeys.models import Session
from doenda.kernel.ids import outside
from doenda.kernel.models import OutboxRow
from doenda.notices.models import Notice
from doenda.payments.models import Attempt, AttemptMove
from doenda.payments.states import State

_OF_THE_WALK = frozenset({"charges sent", "visits at their receipt"})


def check(result: Result, returns: Sequence[Return], answered: int, *, walked: bool = True) -> None:
    """Note as failures whatever is not as it must be after `answered` of these customers were told "paid".

    `walked`: they came by the page, and not by a bare outcome.
    """
    wanted = [each.attempt_id for each in returns]
    paid = list(Attempt.objects.filter(pk__in=wanted, state=State.PAID).values_list("pk", flat=True))
    result.expect(len(paid) == answered, f"{answered} payments were counted, {len(paid)} attempts are paid")
    bills = [each.bill_id for each in returns if each.attempt_id in set(paid)]
    for what, found in _traces(paid, bills).items():
        counts = walked or what not in _OF_THE_WALK
        result.expect(not counts or found == len(paid), f"{len(paid)} payments left {found} {what}")
    trial = books.trial()
    result.expect(trial.ok, f"the books do not balance: {trial}")


def _traces(paid: list[UUID], bills: list[UUID]) -> dict[str, int]:
    """What one payment leaves behind, one of each."""
    texts, orders = [str(each) for each in paid], [outside(each) for each in paid]
    accounts = Bill.objects.filter(pk__in=bills).values("account_id")
    postings = Posting.objects.filter(bill_id__in=bills, fact_kind="payment")
    return {
        "postings": postings.count(),
        "facts posted": postings.values("fact_id").distinct().count(),
        "settled bills": Bill.objects.filter(pk__in=bills, state="settled", paid=F("amount")).count(),
        "moves to paid": AttemptMove.objects.filter(attempt_id__in=paid, target=State.PAID).count(),
        "closed cases": Case.objects.filter(account__in=accounts, closed_at__isnull=False).count(),
        "proofs": Evidence.objects.filter(source_kind="attempt", source_id__in=texts, outcome="worked").count(),
        "receipts": Notice.objects.filter(kind="receipt", params__attempt__in=texts).count(),
        "charges sent": OutboxRow.objects.filter(kind="charge", key__in=orders, done_at__isnull=False).count(),
        "visits at their receipt": Session.objects.filter(bill_id__in=bills, step="paid").count(),
    }

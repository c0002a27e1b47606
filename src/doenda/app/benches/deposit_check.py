"""Did every line of the statement come home: posted once, its bill settled, what was too much set down as credit?"""

from django.db.models import F, Sum

from doenda.app.benches.deposit_rows import BANK, EXCESS, Payers
from doenda.app.result import Result
from doenda.assurance.models import Evidence
from doenda.billing import books
from doenda.billing.models import Account, Bill, ExternalFact, Posting
from doenda.kernel.models import FactRow, OutboxRow
from doenda.notices.models import Notice
from doenda.payments.deposits.models import DepositLine
from doenda.payments.models import Attempt, AttemptMove, RefundCase
from doenda.payments.states import State


def check(result: Result, payers: Payers) -> None:
    """Note as failures whatever is not as it must be, from the rows alone."""
    for what, (wanted, found) in _traces(payers).items():
        result.expect(found == wanted, f"{wanted} {what} should be there, {found} are ({payers.tag})")
    trial = books.trial()
    result.expect(trial.ok, f"the books do not balance: {trial}")


def _traces(payers: Payers) -> dict[str, tuple[int, int]]:
    """What should be there, and what is."""
    accounts = Account.objects.filter(number__startswith=payers.accounts).values("pk")
    mine = {"account_id__in": accounts}
    lines = DepositLine.objects.filter(bank=BANK, ident__startswith=payers.refs)
    paid = Attempt.objects.filter(**mine, state=State.PAID)
    postings = Posting.objects.filter(**mine, fact_kind="payment")
    facts = ExternalFact.objects.filter(**mine, kind="payment", external_id__startswith=f"deposit:{BANK}-{payers.refs}")
    to_bills = postings.filter(bill__isnull=False)
    cases = RefundCase.objects.filter(**mine, amount=EXCESS)
    credit = postings.filter(bill=None).aggregate(sum=Sum("amount"))["sum"] or 0
    every, over = payers.count, payers.overpaid
    return {
        "lines": (every, lines.count()),
        "lines posted": (every, lines.filter(state="posted", attempt__isnull=False).count()),
        "attempts paid": (every, paid.count()),
        "moves to paid": (every, AttemptMove.objects.filter(attempt__in=paid, target=State.PAID).count()),
        "payments in the ledger": (every, facts.count()),
        "postings to bills": (every, to_bills.count()),
        "bills that were posted to": (every, to_bills.values("bill").distinct().count()),
        "settled bills": (every, Bill.objects.filter(**mine, state="settled", paid=F("amount")).count()),
        "proofs": (every, Evidence.objects.filter(**mine, outcome="worked").count()),
        "receipts": (every, Notice.objects.filter(**mine, kind="receipt").count()),
        "texts to send": (every + over, OutboxRow.objects.filter(**mine, kind="notice").count()),
        "facts told or to tell": (every, FactRow.objects.filter(**mine, kind="billing.payment_posted").count()),
        "facts of payments": (every, FactRow.objects.filter(**mine, kind="payments.paid").count()),
        "minor units of credit": (over * EXCESS, int(credit)),
        "cases of too much": (over, cases.count()),
    }

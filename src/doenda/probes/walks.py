"""One synthetic walk: a probe account's bill is paid through a way to its last step, and the money given back.

Nothing short of a receipt is a proof. Probe money has books of its own, and its account is in no report and no case.
"""

from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.db.models import Q

from doenda.access import tokens
from doenda.assurance import evidence, standing
from doenda.billing import accounts, bills
from doenda.billing.models import Account, Bill
from doenda.channels.web import walker
from doenda.kernel import clock, outbox
from doenda.kernel.db import atomic
from doenda.kernel.ids import new_id, outside
from doenda.payments.models import Refund
from doenda.probes.models import ProbeRun

ACCOUNT = "PROBE"
AMOUNT = {"KRW": 1000}
CURRENCY = "KRW"
PATIENCE = 20.0
LONGEST_WALK = timedelta(minutes=5)


def probe_account() -> Account:
    """The synthetic customer, opened once."""
    with atomic():
        found = Account.objects.filter(number=ACCOUNT).first()
        return found or accounts.open_account(ACCOUNT, CURRENCY, probe=True)


def ways() -> list[str]:
    """The ways to walk: all of the web channel but retired ones (a withdrawn one comes back by its walks)."""
    return [slug for slug, way in standing.current("pay").items() if way.channel == "web" and way.standing != "retired"]


def walk(slug: str) -> ProbeRun:
    """Walk one way to its last step, record what it proved, and give the money back."""
    standing.settle(
        slug
    )  # a lease that has lapsed is noted before the proof that ends it: who waited for it is then told
    _, method, _ = slug.split("/")
    bill, url = _new_bill()
    lang = "ko" if bill.pk.int % 2 else "en"
    walked = walker.pay(url, method=method, lang=lang, patience=PATIENCE)
    outcome = "worked" if walked.outcome == "paid" else "failed_by_us"
    with atomic():
        run = ProbeRun.objects.create(
            way=slug,
            outcome=outcome,
            seconds=walked.seconds,
            steps=list(walked.steps),
            trouble=walked.trouble or ("" if outcome == "worked" else f"stopped at {walked.outcome}"),
        )
        evidence.record(slug, outcome, source_kind="walk", source_id=str(run.id), synthetic=True, detail=run.trouble)
    _give_back(bill)
    return run


def _new_bill() -> tuple[Bill, str]:
    account = probe_account()
    with atomic():
        account = accounts.lock(account.pk)
        bill = bills.issue(
            account,
            f"PROBE-{outside(new_id())}",
            [bills.Item("service", AMOUNT[CURRENCY])],
            due_date=clock.today(),
        )
        token = tokens.issue("bill", bill.pk, account.pk)
    return bill, f"{settings.DOENDA_BASE_URL}/p/{token}"


def _give_back(bill: Bill) -> None:
    """Send the walk's own refund now, and take the bill out of the books; what is not done here, the sweeps do."""
    refunds = Refund.objects.filter(attempt__bills__bill_id=bill.pk, done_at=None).values_list("id", flat=True)
    for refund_id in refunds:
        row = outbox.claim(Q(kind="refund", key=str(refund_id)))
        if row is not None:
            outbox.send_claimed(row)
    _close([bill])
    close_old_bills()


def close_old_bills(limit: int = 20) -> int:
    """Cancel probe bills that walks left open with nothing in flight; a young one may be walked at this moment."""
    mine = Bill.objects.filter(account=probe_account(), state="open", created_at__lt=clock.now() - LONGEST_WALK)
    return _close(mine.exclude(attempt_bills__in_flight=True).order_by("created_at")[:limit])


def _close(found: Iterable[Bill]) -> int:
    closed = 0
    for bill in found:
        with atomic():
            account = accounts.lock(bill.account_id)
            bill.refresh_from_db()
            if bill.state == "open" and not bill.attempt_bills.filter(in_flight=True).exists():
                closed += bills.cancel(account, bill, fact_id=f"probe-{bill.pk}", at=clock.now())
    return closed

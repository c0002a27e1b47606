"""The door for customers without a working link. Whoever knocks hears the same, known or not (design rule 14)."""

from datetime import datetime
from uuid import UUID

from doenda.billing.models import AccountRole, Bill
from doenda.contact import hours, tickets
from doenda.kernel import clock
from doenda.kernel.db import atomic
from doenda.notices import send


def overdue_bills_of(phone: str) -> list[Bill]:
    """Open bills, oldest first, of accounts whose holder or payer has this number (E.164)."""
    held = AccountRole.objects.filter(party__phone=phone, role__in=["holder", "payer"]).values("account_id")
    return list(Bill.objects.filter(account_id__in=held, state="open").order_by("due_date")[:5])


def send_links(*, phone: str | None, account_id: UUID | None, bill_id: UUID | None) -> None:
    """Send a new link and code to the registered number, at most once in ten minutes a bill; strangers get nothing."""
    if bill_id is not None and account_id is not None:
        bills = list(Bill.objects.filter(pk=bill_id, account_id=account_id, state="open"))
    else:
        bills = overdue_bills_of(phone) if phone else []
    slot = int(clock.now().timestamp()) // 600
    for bill in bills[:3]:
        with atomic():
            send("new_link", bill.account_id, bill_id=bill.id, params={}, key=f"new-link-{bill.id}-{slot}", urgent=True)


def callback(
    *, phone: str, wanted: str, channel: str, lang: str, account_id: UUID | None, bill_id: UUID | None
) -> datetime:
    """Open a callback and say by when; for a number that we know, the clock of its bill stands once until then."""
    by = hours.answer_by("person", clock.now())
    bills = [] if account_id is not None else overdue_bills_of(phone)
    if bills:
        account_id, bill_id = bills[0].account_id, bills[0].id
    if account_id is None and tickets.strangers_lately() >= tickets.STRANGERS_AN_HOUR:
        return by
    subject = bill_id or phone
    tickets.open_ticket(
        "person",
        key=f"callback-{subject}-{'' if account_id else clock.today()}",
        channel=channel,
        lang=lang,
        account_id=account_id,
        bill_id=bill_id,
        phone=phone,
        wanted=wanted,
    )
    return by

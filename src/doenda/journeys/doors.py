"""The door for customers without a working link. Whoever knocks hears the same, known or not (design rule 14)."""

import hashlib
from datetime import datetime, timedelta
from uuid import UUID

from doenda.access import tries
from doenda.billing import accounts
from doenda.billing.models import AccountRole, Bill
from doenda.contact import hours, tickets
from doenda.kernel import clock, outbox
from doenda.kernel.db import atomic
from doenda.kernel.models import OutboxRow
from doenda.notices import send
from doenda.notices.models import Notice

LINKS_EVERY = 600
LINKS_A_DAY = 5
"""Texts with a new link: one in so many seconds, and so many a day, for one bill, whoever asks."""
ASKS_AN_HOUR = 60
"""From one network address; many customers may share one."""


def overdue_bills_of(phone: str) -> list[Bill]:
    """Open bills, oldest first, of accounts whose holder or payer has this number (E.164)."""
    held = AccountRole.objects.filter(party__phone=phone, role__in=["holder", "payer"]).values("account_id")
    return list(Bill.objects.filter(account_id__in=held, state="open").order_by("due_date")[:5])


def send_links(*, phone: str | None, bill_id: UUID | None, visitor: str) -> None:
    """Have a new link and code sent to the registered number, at most once in ten minutes; strangers get nothing.

    Whether the number is known is looked up later, by the worker: nobody can tell it by the time that this takes.
    """
    asked: dict[str, object] = {"bill": str(bill_id)} if bill_id else {"phone": phone or ""}
    whom = hashlib.sha256(str(asked).encode()).hexdigest()[:32]
    with atomic():
        if tries.count(f"asks:{visitor}") <= ASKS_AN_HOUR:
            outbox.put("new_link", f"{whom}-{int(clock.now().timestamp()) // LINKS_EVERY}", asked)


@outbox.handles("new_link")
def _send_links(row: OutboxRow) -> outbox.Outcome:
    named, phone = row.payload.get("bill"), row.payload.get("phone")
    bills = list(Bill.objects.filter(pk=named, state="open")) if named else overdue_bills_of(phone) if phone else []
    day = clock.now() - timedelta(days=1)
    for bill in bills[:3]:
        with atomic():
            accounts.lock(bill.account_id)
            sent = Notice.objects.filter(kind="new_link", bill=bill, created_at__gt=day).count()
            if sent < LINKS_A_DAY:
                key = f"new-link-{bill.id}-{row.key.rpartition('-')[2]}"
                send("new_link", bill.account_id, bill_id=bill.id, params={}, key=key, urgent=True)
    with atomic():
        OutboxRow.objects.filter(pk=row.pk).update(payload={})  # a stranger's number is not ours to keep
    return outbox.Sent()


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

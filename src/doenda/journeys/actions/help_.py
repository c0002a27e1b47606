"""What a person will look at: a claim, a dispute, a call back, a report. Each dated, with the clock stopped."""

import contextlib

from doenda.assurance import evidence
from doenda.contact import tickets
from doenda.contact.models import Ticket
from doenda.journeys.actions.binding import Answered, Context, action
from doenda.journeys.declarations import UNTIL
from doenda.kernel import facts
from doenda.kernel.db import atomic


@action
def claim_paid(context: Context) -> Answered:
    if context.bill.remaining == 0:
        return "nothing_due", {}
    told = f"{context.data.get('when', '?')} {context.data.get('how', '?')}"
    return _ticket(context, "already_paid", f"claim-{context.bill.id}", words=told)


@action
def open_dispute(context: Context) -> Answered:
    told = f"{context.data.get('why', '')}: {context.data.get('words', '')}"
    return _ticket(context, "dispute", f"dispute-{context.bill.id}", words=told)


@action
def open_ticket(context: Context) -> Answered:
    return _ticket(context, "person", f"person-{context.bill.id}")


@action
def report_fault(context: Context) -> Answered:
    where = f"{context.session.channel} {context.data.get('way', '')}".strip()
    ticket, made = _open(context, "report", f"report-{context.bill.id}", where)
    facts_of = {
        "session": str(context.session.id),
        "way": context.data.get("way", ""),
        "channel": where,
        "device": context.session.device,
    }
    with atomic():
        _say(context)
        facts.record("journeys.report", context.account.id, facts_of)
    return ("held" if made else "held_before"), {UNTIL: ticket.answer_by.isoformat()}


def _say(context: Context) -> None:
    """What a customer says of a way is evidence of it, once a customer and day."""
    way = str(context.data.get("way", ""))
    if not way:
        return
    with contextlib.suppress(evidence.UnknownWay):
        said = context.session.channel
        who, device = context.account.id, context.session.device
        evidence.report(way, who=str(who), account_id=who, said=said, device=device)


def _ticket(context: Context, kind: str, key: str, *, words: str = "") -> Answered:
    ticket, _ = _open(context, kind, key, words)
    return "done", {UNTIL: ticket.answer_by.isoformat()}


def _open(context: Context, kind: str, key: str, words: str) -> tuple[Ticket, bool]:
    return tickets.open_ticket(
        kind,
        key=key,
        channel=context.session.channel,
        lang=context.session.lang,
        account_id=context.account.id,
        bill_id=context.bill.id,
        phone=context.data.get("phone", ""),
        wanted=context.data.get("when", ""),
        words=words,
    )

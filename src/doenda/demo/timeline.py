"""Everything that happened to one account, from the rows of all rooms, newest first. Reads only."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from uuid import UUID

from django.db.models import Q

from doenda.assurance.models import Transition
from doenda.billing.models import Account, Bill, Posting
from doenda.contact.models import Ticket
from doenda.demo.showing import BARRING, STANDING, moment, plain, won
from doenda.dunning.models import CaseStep, Hold, LineCommand, Promise
from doenda.journeys.models import Session
from doenda.kernel.ids import outside
from doenda.notices.models import Delivery, Notice
from doenda.payments.models import Attempt, AttemptMove, Doorbell, Refund

EACH, SHOWN = 40, 60
"""How many rows of a kind are read, and how many entries are shown."""


@dataclass(frozen=True, slots=True)
class Entry:
    """`room` says whose row it is, `tone` is good, warn, bad or nothing."""

    at: datetime
    room: str
    title: str
    detail: str = ""
    tone: str = ""

    @property
    def when(self) -> str:
        return moment(self.at)


def of_account(account: Account) -> list[Entry]:
    """The newest entries about the account, and changes of ways since the oldest of them."""
    pk = account.pk
    own = [_bills, _postings, _attempts, _doorbells, _notices, _case, _lines, _holds, _tickets, _visits]
    found = sorted(chain.from_iterable(source(pk) for source in own), key=lambda one: one.at, reverse=True)[:SHOWN]
    if found:
        found += _ways(found[-1].at)
        found.sort(key=lambda one: one.at, reverse=True)
    return found[:SHOWN]


def _bills(account_id: UUID) -> Iterator[Entry]:
    for bill in Bill.objects.filter(account_id=account_id).order_by("-created_at")[:EACH]:
        due = f"due {bill.due_date:%-d %b}"
        yield Entry(bill.created_at, "billing", f"bill {bill.number}: {won(bill.amount, bill.currency)}", due)


def _postings(account_id: UUID) -> Iterator[Entry]:
    rows = Posting.objects.filter(account_id=account_id).exclude(fact_kind="bill")
    for row in rows.select_related("source_book", "target_book").order_by("-created_at")[:EACH]:
        moved = f"{row.source_book.name} → {row.target_book.name}"
        title = f"posted {won(row.amount, row.currency)}"
        yield Entry(row.created_at, "ledger", title, f"{moved}, by {plain(row.fact_kind)}", "good")


_ATTEMPT_TONE = {"paid": "good", "unknown": "warn", "refused": "warn", "our_fault": "bad"}


def _attempts(account_id: UUID) -> Iterator[Entry]:
    for attempt in Attempt.objects.filter(account_id=account_id).order_by("-created_at")[:EACH]:
        title = f"attempt by {attempt.way}: {won(attempt.amount, attempt.currency)}"
        yield Entry(attempt.created_at, "payments", title, outside(attempt.pk)[-6:])
    for move in AttemptMove.objects.filter(attempt__account_id=account_id).order_by("-created_at")[:EACH]:
        title = f"attempt …{outside(move.attempt_id)[-6:]}: {plain(move.source)} → {plain(move.target)}"
        yield Entry(move.created_at, "payments", title, move.cause, _ATTEMPT_TONE.get(move.target, ""))
    for refund in Refund.objects.filter(attempt__account_id=account_id).select_related("attempt")[:EACH]:
        title = f"refund of {won(refund.amount, refund.attempt.currency)} decided"
        yield Entry(refund.created_at, "payments", title, plain(refund.reason))
        if refund.done_at:
            yield Entry(refund.done_at, "payments", "refund done", plain(refund.reason), "good")


def _doorbells(account_id: UUID) -> Iterator[Entry]:
    attempts = Attempt.objects.filter(account_id=account_id).order_by("-created_at").values_list("pk", flat=True)
    orders = [outside(pk) for pk in attempts[:EACH]]
    for bell in Doorbell.objects.filter(order_id__in=orders).order_by("-created_at")[:EACH]:
        title = "the bank rang: only a reason to ask" if bell.genuine else "a forged call was refused"
        yield Entry(bell.created_at, "payments", title, f"…{bell.order_id[-6:]}", "" if bell.genuine else "bad")


def _notices(account_id: UUID) -> Iterator[Entry]:
    for notice in Notice.objects.filter(account_id=account_id).order_by("-created_at")[:EACH]:
        yield Entry(notice.created_at, "notices", f"notice: {plain(notice.kind)}", "decided, not sent yet")
    rows = Delivery.objects.filter(notice__account_id=account_id).select_related("notice")
    for row in rows.order_by("-at")[:EACH]:
        title = f"{plain(row.notice.kind)}: {plain(row.event)}"
        named = f"named {', '.join(row.ways)}" if row.ways else ""
        tone = {"delivered": "good", "failed": "bad", "no_answer": "warn", "not_sent": "warn"}.get(row.event, "")
        yield Entry(row.at, "notices", title, row.detail or named, tone)


_STEPS = {
    "remind": "reminder decided",
    "notice": "notice of barring decided",
    "fee": "late fee decided",
    "bar": "barring decided",
    "restore": "line to be opened again",
    "stand_down": "stepped down",
    "close": "case closed",
    "withdrawn": "barring withdrawn before it left",
}
_STEP_TONE = {"bar": "bad", "close": "good", "restore": "good", "withdrawn": "good"}


def _case(account_id: UUID) -> Iterator[Entry]:
    for step in CaseStep.objects.filter(account_id=account_id).order_by("-decided_at")[:EACH]:
        said = step.decision
        dated = f"from {said['effective']}" if said.get("effective") else plain(str(said.get("why", "")))
        title = _STEPS.get(step.step, plain(step.step))
        tone = _STEP_TONE.get(step.step, "")
        yield Entry(step.decided_at, "dunning", title, f"{dated} (policy {step.policy})".strip(), tone)


def _lines(account_id: UUID) -> Iterator[Entry]:
    rows = LineCommand.objects.filter(account_id=account_id).select_related("line")
    for row in rows.order_by("-requested_at")[:EACH]:
        wanted = BARRING.get(row.wanted, row.wanted)
        number = f"…{row.line.number[-4:]}"
        yield Entry(row.requested_at, "network", f"line {number}: asked to be {wanted}", plain(row.reason))
        if row.confirmed_at:
            tone = "good" if row.wanted == "none" else "bad"
            yield Entry(row.confirmed_at, "network", f"line {number}: the network confirms {wanted}", "", tone)


def _holds(account_id: UUID) -> Iterator[Entry]:
    for hold in Hold.objects.filter(account_id=account_id).order_by("-start")[:EACH]:
        until = f"until {moment(hold.until)}" if hold.until else "until lifted"
        title, detail = f"the clock stops: {plain(hold.kind)}", f"{hold.reason}, {until}"
        yield Entry(hold.start, "dunning", title, detail, "warn")
        if hold.lifted_at:
            yield Entry(hold.lifted_at, "dunning", "the clock runs again", hold.lift_reason)
    for promise in Promise.objects.filter(account_id=account_id).order_by("-created_at")[:EACH]:
        whose = "ours to mend" if promise.whose == "ours" else "the customer's to pay"
        detail = f"{plain(promise.reason)}, until {moment(promise.until)}"
        yield Entry(promise.created_at, "dunning", f"promise, {whose}", detail)
        for ended, word, tone in (
            (promise.kept_at, "promise kept", "good"),
            (promise.broken_at, "promise not kept", "warn"),
            (promise.told_at, "the customer was told that it works again", "good"),
        ):
            if ended:
                yield Entry(ended, "dunning", word, "", tone)


def _tickets(account_id: UUID) -> Iterator[Entry]:
    for ticket in Ticket.objects.filter(account_id=account_id).order_by("-queued_at")[:EACH]:
        detail = ticket.words or f"answer promised by {moment(ticket.answer_by)}"
        yield Entry(ticket.queued_at, "contact", f"ticket: {plain(ticket.kind)}", detail)
        if ticket.answered_at:
            yield Entry(ticket.answered_at, "contact", "ticket answered", ticket.answer, "good")


def _visits(account_id: UUID) -> Iterator[Entry]:
    for visit in Session.objects.filter(account_id=account_id).order_by("-created_at")[:EACH]:
        title = f"a visit began: {visit.journey}, {visit.channel}"
        yield Entry(visit.created_at, "journeys", title, f"stands at {visit.step}")


def _ways(since: datetime) -> list[Entry]:
    rows = Transition.objects.filter(Q(at__gte=since)).order_by("-at")[:EACH]
    return [
        Entry(
            row.at,
            "assurance",
            f"{row.way_id}: {STANDING[row.was][1]} → {STANDING[row.now][1]}",
            row.cause,
            STANDING[row.now][2] if STANDING[row.now][2] != "soft" else "",
        )
        for row in rows
    ]

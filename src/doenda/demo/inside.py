"""What stands where, now: an account's money, case, lines and attempts, the house's ways and outbox. Reads only."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db.models import Q

from doenda.assurance import guidance, standing
from doenda.billing import books, owed
from doenda.billing.models import Account, AccountRole, Bill, Line, Party
from doenda.contact.models import Ticket
from doenda.demo import showing, world
from doenda.demo.showing import won
from doenda.dunning import explain
from doenda.dunning.cases import policy_now
from doenda.dunning.models import Case, DueReminder, Hold, LineCommand, Promise
from doenda.kernel import clock, texts
from doenda.kernel.ids import outside
from doenda.kernel.models import OutboxRow
from doenda.notices.models import Notice
from doenda.payments.models import Attempt

ROWS, WHY = 8, 6
_SOON = timedelta(seconds=45)
"""What comes within this needs no jump."""


@dataclass(frozen=True, slots=True)
class Who:
    """The customer in view. `phones` are E.164."""

    account: Account
    name: str
    language: str
    phones: tuple[str, ...]

    @property
    def numbers(self) -> list[str]:
        return [national(phone) for phone in self.phones]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a small table: its cells, and a tone."""

    cells: tuple[str, ...]
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    title: str
    head: tuple[str, ...]
    rows: tuple[Row, ...]
    empty: str = ""


@dataclass(frozen=True, slots=True)
class CaseView:
    """The customer's case in words: its place, what was decided and why (the newest last), what stops its clock."""

    stage: str
    why: list[str]
    stops: list[str]


def national(e164: str) -> str:
    """ "010-0000-1234"."""
    if not e164.startswith("+8210") or len(e164) != 13:
        return e164
    return f"0{e164[3:5]}-{e164[5:9]}-{e164[9:]}"


def who(account: Account) -> Who:
    """The account's holder, and the phones of its holder, payer and users."""
    roles = list(AccountRole.objects.filter(account=account).select_related("party").order_by("created_at", "pk"))
    first: dict[str, Party] = {}
    for role in roles:
        first.setdefault(role.role, role.party)
    named = [first[role] for role in ("holder", "payer", "user") if role in first]
    phones = tuple(dict.fromkeys(party.phone for party in named if party.phone))
    return Who(account, named[0].name if named else account.number, named[0].language if named else "ko", phones)


def case(account: Account) -> CaseView:
    """Why the case stands where it stands, in dunning's own sentences."""
    row = Case.objects.filter(account=account, closed_at=None).first()
    stops = _stops(account.pk, clock.now())
    if row is None:
        late = bool(owed.overdue(account.pk, clock.today()))
        return CaseView("overdue, a case is about to open" if late else "no case", _why(account), stops)
    stage = f"{showing.STAGE.get(row.stage, row.stage)} since {row.stage_since:%-d %b}"
    why = [f"Parked for a person: {row.park_reason}"] if row.parked_at else _why(account)
    return CaseView(stage, why, stops)


def _why(account: Account) -> list[str]:
    """Dunning's sentences; a text that is missing must not take the page away."""
    try:
        return explain.why(account.pk, "en")[-WHY:]
    except (texts.TextMissing, texts.TextBroken) as missing:
        return [f"(no words: {missing})"]


def _stops(account_id: UUID, now: datetime) -> list[str]:
    placed = Hold.objects.filter(account_id=account_id, lifted_at=None, start__lte=now)
    running = placed.filter(Q(until=None) | Q(until__gt=now))
    return [
        f"{showing.plain(hold.kind)}, {f'until {showing.moment(hold.until)}' if hold.until else 'until lifted'}"
        for hold in running.order_by("start")[:ROWS]
    ]


def bills(account: Account) -> Table:
    """The account's bills and the balances of its books."""
    today = clock.today()
    rows = [_bill_row(bill, today) for bill in Bill.objects.filter(account=account).order_by("-due_date")[:ROWS]]
    return Table("Bills", ("bill", "due", "amount", "late fee", "open"), tuple(rows))


def _bill_row(bill: Bill, today: date) -> Row:
    late = bill.state == "open" and bill.due_date < today
    open_now = won(bill.remaining, bill.currency) if bill.state == "open" else bill.state
    fee = won(bill.late_fee, bill.currency) if bill.late_fee else "-"
    due = f"{bill.due_date:%-d %b}" + (f", {(today - bill.due_date).days} d late" if late else "")
    tone = "warn" if late else "good" if bill.state == "settled" else ""
    return Row((bill.number, due, won(bill.amount, bill.currency), fee, open_now), tone)


def ledger(account: Account) -> Table:
    """What the account's postings add up to, book by book: the sum is nothing."""
    found = books.balances(account.pk)
    rows = [Row((one.name, won(one.amount, one.currency))) for one in found]
    rows.append(Row(("sum", won(sum(one.amount for one in found), account.currency))))
    return Table("Ledger of this account", ("book", "balance"), tuple(rows))


def lines(account: Account) -> Table:
    """Each line as we know it, as we want it, and as the network really treats it."""
    found = list(Line.objects.filter(account=account).order_by("number")[:ROWS])
    truth = world.barrings([line.pk for line in found])
    live = LineCommand.objects.filter(account=account, state__in=("due", "sent"))
    wanted = {command.line_id: f"{showing.BARRING[command.wanted]} ({command.state})" for command in live}
    rows = []
    for line in found:
        real = truth[line.pk]
        shown = "not reachable" if real is None else showing.BARRING.get(real, real)
        tone = "warn" if real is not None and real != line.barring else "bad" if line.barring != "none" else ""
        ours = showing.BARRING[line.barring]
        rows.append(Row((national(line.number), ours, wanted.get(line.pk, "-"), shown), tone))
    return Table("Lines", ("number", "we know", "asked for", "really"), tuple(rows))


def attempts(account: Account) -> Table:
    """Tries to pay, beside what the bank's own books hold for each."""
    found = list(Attempt.objects.filter(account=account).order_by("-created_at")[:ROWS])
    truth = world.taken([outside(one.pk) for one in found])
    rows = []
    for one in found:
        taken = None if truth is None else truth[outside(one.pk)]
        settled = one.amount if one.state == "paid" else 0
        tone = "" if taken is None or taken == settled else "warn"
        said = "not reachable" if taken is None else won(taken, one.currency)
        cells = (f"…{outside(one.pk)[-6:]}", one.way, won(one.amount, one.currency), showing.plain(one.state), said)
        rows.append(Row(cells, tone or ("good" if one.state == "paid" else "")))
    return Table(
        "Attempts", ("order", "way", "amount", "we say", "the bank took"), tuple(rows), "nobody has tried to pay"
    )


def tickets(account: Account) -> Table:
    rows = [
        Row((showing.plain(one.kind), one.words or "-", _answer(one)))
        for one in Ticket.objects.filter(account=account).order_by("-queued_at")[:ROWS]
    ]
    return Table("Tickets", ("kind", "words", "answer"), tuple(rows), "nobody waits for a person")


def _answer(ticket: Ticket) -> str:
    return "answered" if ticket.answered_at else f"by {showing.moment(ticket.answer_by)}"


def ways() -> Table:
    """The operators' view of every way: its standing is evidence, not an offer."""
    now, rows = clock.now(), []
    for one in standing.current().values():
        shape, word, tone = showing.STANDING[one.standing]
        points = f"{one.points:.1f}" if one.points else "0"
        cells = (one.slug, f"{shape} {word}", showing.ago(one.last_proof_at, now), points)
        rows.append(Row(cells, tone))
    return Table("Ways", ("way", "standing", "last proof", "points"), tuple(rows), "no way is known yet")


def named(lang: str) -> str:
    """What guidance lets a panel name right now, in the customer's language; "" when nothing may be named."""
    return guidance.names(guidance.snapshot().named("panel"), lang)


def outbox() -> Table:
    """Effects on their way out: empty when the house is quiet."""
    now, rows = clock.now(), []
    for row in OutboxRow.objects.filter(done_at=None).order_by("due_at")[:ROWS]:
        state = "parked" if row.parked_at else f"try {row.tries}" if row.tries else "waiting"
        cells = (row.kind, state, showing.ago(row.due_at, now), row.reason[:60] or "-")
        rows.append(Row(cells, "bad" if row.parked_at else "warn" if row.reason else ""))
    more = OutboxRow.objects.filter(done_at=None).count()
    return Table(
        f"Outbox ({more})", ("effect", "state", "due", "why it waits"), tuple(rows), "empty: everything has left"
    )


def next_step(account: Account) -> tuple[datetime, str] | None:
    """When something happens to this customer next if nobody does anything, and what; None: nothing is ahead."""
    later = [found for found in _ahead(account) if found[0] > clock.now() + _SOON]
    return min(later, key=lambda found: found[0]) if later else None


def _ahead(account: Account) -> Iterator[tuple[datetime, str]]:
    rules = policy_now()
    for case_row in Case.objects.filter(account=account, closed_at=None, parked_at=None):
        yield case_row.next_check_at, "the case is looked at"
    for bill in Bill.objects.filter(account=account, state="open", due_date__gte=clock.today()):
        if not DueReminder.objects.filter(bill=bill).exists():
            yield clock.at(bill.due_date - timedelta(rules.remind_before_days), rules.opens), "a reminder before due"
        yield clock.at(bill.due_date + timedelta(1), rules.opens), "a bill falls overdue"
    held = Notice.objects.filter(account=account, state__in=("due", "held")).values_list("pk", flat=True)
    for waiting in OutboxRow.objects.filter(account_id=account.pk, done_at=None, key__in=[str(pk) for pk in held]):
        yield waiting.due_at, "a notice may leave"
    for promise in Promise.objects.filter(account=account, kept_at=None, broken_at=None):
        yield promise.until, "a promise ends"
    for attempt in Attempt.objects.filter(account=account, state__in=("created", "needs_redirect")):
        if attempt.expires_at:
            yield attempt.expires_at, "an attempt expires"

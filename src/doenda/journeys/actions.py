"""The real actions behind `Do` steps, and what `Wait` steps wait for: each binds a declaration to the rooms below.

An action runs outside any transaction, commits its own work, and may be run again after a crash: everything it writes
is keyed by the session and its step. It answers with an outcome that `declarations.ACTIONS` lists for it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.conf import settings

from doenda.assurance import guidance, standing
from doenda.assurance.rule import Name
from doenda.billing.models import Account, Bill
from doenda.contact import tickets
from doenda.contact.models import Ticket
from doenda.dunning import promises
from doenda.journeys import doors
from doenda.journeys.declarations import ACTIONS, UNTIL
from doenda.journeys.models import Session
from doenda.kernel import clock, facts
from doenda.kernel.db import atomic
from doenda.payments import attempts, charge
from doenda.payments.models import Attempt
from doenda.payments.states import State as Paying

OURS_TO_MEND = timedelta(days=3)
"""How far a date moves when we cannot take money: renewed for as long as it lasts."""
UNKNOWN_KNOWN_BY = timedelta(hours=26)
"""An unknown outcome has a person as its owner after a day; two hours later the customer has an answer."""

type Answered = tuple[str, Mapping[str, str]]


@dataclass(frozen=True)
class Context:
    """What an action may know: the session, its data, its address (for a return link), and who is visiting."""

    session: Session
    data: Mapping[str, str]
    address: str
    visitor: str = ""

    @property
    def account(self) -> Account:
        assert self.session.account is not None
        return self.session.account

    @property
    def bill(self) -> Bill:
        assert self.session.bill_id is not None
        return Bill.objects.get(pk=self.session.bill_id)

    @property
    def key(self) -> str:
        """The same for each run of the same step of the same session."""
        return f"{self.session.id}-{self.session.version}"


_actions: dict[str, Callable[[Context], Answered]] = {}


def _action(run: Callable[[Context], Answered]) -> Callable[[Context], Answered]:
    _actions[run.__name__] = run
    return run


def run(name: str, context: Context) -> Answered:
    outcome, values = _actions[name](context)
    if outcome not in ACTIONS[name].outcomes:
        raise AssertionError(f"{name} answered {outcome!r}, which it does not declare")
    if lacking := ACTIONS[name].effect(outcome).gives - values.keys():
        raise AssertionError(f"{name} answered {outcome!r} without {', '.join(sorted(lacking))}")
    return outcome, values


def listed(among: str, session: Session) -> tuple[guidance.OfferedWay, ...]:
    """What a `Choose` step chooses from: the ways that this customer may be shown here and now."""
    assert among == "ways_to_pay"
    assert session.account is not None
    if session.account.probe:  # the prober walks what nobody may be told: that is how a way comes back
        return tuple(
            guidance.OfferedWay(way.slug, way.method, way.channel, False, way.provider)
            for way in standing.current("pay").values()
            if way.channel == session.channel and way.standing != Name.RETIRED
        )
    offered = guidance.offer("pay", session.account.id, "page", lang=session.lang, subject_id=session.id)
    return tuple(way for way in offered.ways if way.channel == session.channel)


def happened(on: str, session: Session, data: Mapping[str, str]) -> Answered | None:
    """What a `Wait` step waits for, if it has happened. Reads only."""
    if "attempt" not in data:
        return None
    seen = attempts.look(UUID(data["attempt"]))
    if on == "customer_returns":
        return ("expired", {}) if seen.outcome in {"expired", "paid", "refused", "our_fault"} else None
    match seen.outcome:
        case "paid":
            return "paid", _receipt(seen.attempt_id)
        case "refused" | "our_fault" | "expired":
            return "refused", {"refusal": _refusal(seen)}
        case "person_owns":
            return None  # the page goes on saying so; `enough` makes it a dated promise
    return None


def that_paid(bill_id: UUID) -> Attempt | None:
    """The attempt that paid the bill last, on whichever channel."""
    return Attempt.objects.filter(bills__bill_id=bill_id, state=Paying.PAID).order_by("-settled_at").first()


def _refusal(seen: attempts.Result) -> str:
    if seen.outcome != "refused" or seen.reason == "RETURN_MISMATCH" or seen.attempt_id is None:
        return "other"
    method = Attempt.objects.values_list("method", flat=True).get(pk=seen.attempt_id)
    return {"card": "card", "transfer": "account"}.get(method, "other")


def _receipt(attempt_id: UUID | None) -> dict[str, str]:
    return {"attempt": str(attempt_id)} if attempt_id else {}


def _promise_key(context: Context, reason: str) -> str:
    """One promise a day for a bill and a reason, whoever asks how often."""
    return f"{context.bill.id}-{reason}-{clock.today()}"


def _promised(context: Context, reason: str, until: datetime) -> Answered:
    """The clock of this account stands until `until`, because of us; the same step gives the same promise."""
    with atomic():
        made = promises.make(
            context.account.id,
            [context.bill.id],
            whose="ours",
            until=until,
            reason=reason,
            key=_promise_key(context, reason),
        )
    return "done", {UNTIL: max(made.until, until).isoformat()}


def _ours(context: Context, reason: str) -> Answered:
    return _promised(context, reason, clock.day_start(clock.today() + OURS_TO_MEND + timedelta(days=1)))


# --- money


@_action
def close_attempt(context: Context) -> Answered:
    cleared = attempts.clear(context.account.id, [context.bill.id], context.session.id)
    if cleared.outcome == "paid" and cleared.attempt_id is None:
        return _paid_before(context)
    return cleared.outcome, _receipt(cleared.attempt_id)


def _paid_before(context: Context) -> Answered:
    """Nothing is owed: the receipt is that of whatever paid last, on whichever channel, if it was an attempt."""
    last = that_paid(context.bill.id)
    return "paid", {"attempt": str(last.id) if last else "", "receipt": "nothing_due"}


@_action
def start_attempt(context: Context) -> Answered:
    channel, method, provider = context.data["way"].split("/")
    amount = int(context.data.get("amount") or context.bill.remaining)
    seen = attempts.start(
        context.account.id,
        [(context.bill.id, amount)],
        channel=channel,
        method=method,
        provider=provider,
        return_url=f"{settings.DOENDA_BASE_URL}/s/{context.address}/return",
        lang=context.session.lang,
        session_id=context.session.id,
        name=f"{settings.DOENDA_CARRIER[context.session.lang]} {context.bill.number}",
    )
    return _said(seen, {"person_owns": "unknown", "expired": "certain_failure"})


@_action
def confirm_attempt(context: Context) -> Answered:
    seen = charge.confirm(
        UUID(context.data["attempt"]),
        order_id=context.data.get("order_id", ""),
        ref=context.data.get("ref", ""),
        amount=context.data.get("paid_amount", ""),
        account_id=context.session.account_id,
    )
    if seen.outcome in {"nothing_due", "expired"} and not context.bill.remaining:
        return _paid_before(context)
    return _said(seen, {"person_owns": "unknown", "redirect": "expired"})


def _said(seen: attempts.Result, meant: Mapping[str, str]) -> Answered:
    outcome = meant.get(seen.outcome, str(seen.outcome))
    values = _receipt(seen.attempt_id)
    if outcome == "refused":
        values["refusal"] = _refusal(seen)
    return outcome, values


@_action
def watch_attempt(context: Context) -> Answered:
    seen = attempts.look(UUID(context.data["attempt"]))
    if seen.outcome == "paid":
        return "paid", {}
    if seen.outcome in {"refused", "our_fault", "expired"}:
        return "refused", {"refusal": _refusal(seen)}
    attempt = Attempt.objects.get(pk=UUID(context.data["attempt"]))
    return _promised(context, "unknown", max(clock.now(), attempt.created_at) + UNKNOWN_KNOWN_BY)


# --- our own database only: always possible


@_action
def make_promise(context: Context) -> Answered:
    if context.bill.remaining == 0:
        return "nothing_due", {}
    day = date.fromisoformat(context.data["date"])
    with atomic():
        made = promises.by_customer(context.account.id, [context.bill.id], day=day, key=f"promise-{context.key}")
    if made is None:
        return "not_allowed", {}
    return "done", {UNTIL: made.until.isoformat()}


@_action
def stop_clock(context: Context) -> Answered:
    """Stops the clock until we have mended it. Only where nothing at all may be offered is it a case of no way: that
    one opens a barred line meanwhile, and nobody gets it by merely saying that something does not work. Where only the
    customer's word speaks for a fault, the policy says how often it counts; then a person looks at it."""
    if not context.bill.remaining:
        return _none()
    nothing_open = not any(way.channel == context.session.channel for way in guidance.read().named("page"))
    if nothing_open:
        return _ours(context, "no_way")
    if promises.fault_is_known(context.account.id):
        return _ours(context, "fault")
    if promises.word_is_spent(context.account.id, context.bill.id, but=_promise_key(context, "said")):
        return "person", {}
    return _ours(context, "said")


def _none() -> Answered:
    return "nothing_due", {}


@_action
def stop_clock_for_fault(context: Context) -> Answered:
    return _ours(context, "fault")


@_action
def claim_paid(context: Context) -> Answered:
    if context.bill.remaining == 0:
        return "nothing_due", {}
    told = f"{context.data.get('when', '?')} {context.data.get('how', '?')}"
    return _ticket(context, "already_paid", f"claim-{context.bill.id}", words=told)


@_action
def open_dispute(context: Context) -> Answered:
    told = f"{context.data.get('why', '')}: {context.data.get('words', '')}"
    return _ticket(context, "dispute", f"dispute-{context.bill.id}", words=told)


@_action
def open_ticket(context: Context) -> Answered:
    return _ticket(context, "person", f"person-{context.bill.id}")


@_action
def report_fault(context: Context) -> Answered:
    where = f"{context.session.channel} {context.data.get('way', '')}".strip()
    ticket, made = _open(context, "report", f"report-{context.bill.id}", where)
    facts_of = {"session": str(context.session.id), "way": context.data.get("way", ""), "channel": where}
    with atomic():
        facts.record("journeys.report", context.account.id, facts_of)
    return ("held" if made else "held_before"), {UNTIL: ticket.answer_by.isoformat()}


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


# --- the door for those without a link


@_action
def send_link(context: Context) -> Answered:
    phone = context.data.get("phone")
    doors.send_links(phone=phone, bill_id=context.session.bill_id, visitor=context.visitor)
    return "done", {}


@_action
def report_entry(context: Context) -> Answered:
    with atomic():
        facts.record("journeys.report", None, {"session": str(context.session.id), "channel": context.session.channel})
    return "done", {}


@_action
def open_callback(context: Context) -> Answered:
    by = doors.callback(
        phone=context.data["phone"],
        wanted=context.data.get("when", ""),
        channel=context.session.channel,
        lang=context.session.lang,
        account_id=context.session.account_id,
        bill_id=context.session.bill_id,
    )
    return "done", {UNTIL: by.isoformat()}

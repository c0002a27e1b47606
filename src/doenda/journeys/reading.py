"""Reading one answer: which outcome of the step it is, and what it leaves in the session's data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from doenda.access import codes
from doenda.billing.models import Bill
from doenda.journeys import actions, fields
from doenda.journeys.actions.receipts import TRIED, tried
from doenda.journeys.catalog import JOURNEYS
from doenda.journeys.engine import NotAnOutcome
from doenda.journeys.models import Session
from doenda.journeys.steps import SECRET, Ask, Choose, Step, Wait
from doenda.kernel import clock

PROVIDER_WORDS = {"order_id": 64, "ref": 200, "paid_amount": 20, "token": 500}
"""What a customer brings back from a provider's page, unsigned: compared with the attempt before it counts.

Each with the most characters that are taken of it."""


AFTER_CLOSING = timedelta(days=30)
"""A link and a code open a bill until this long after it is closed, to show its receipt (design rule 11)."""
TYPED = "typed_"
"""Before a field's name: what was typed into a form that could not be read, so that nobody has to type it again."""


@dataclass(frozen=True)
class Read:
    outcome: str
    values: Mapping[str, str] = field(default_factory=dict)
    opens: tuple[UUID, UUID] | None = None
    """The account and the bill that a code has opened."""
    handed_over: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What goes to the next action and is kept nowhere."""


def read_answer(session: Session, step: Step, outcome: str, values: Mapping[str, str], visitor: str) -> Read:
    """Raises NotAnOutcome for an outcome that no button, key or word of this step gives."""
    if isinstance(step, Ask) and outcome == "given":
        return _given(session, step, values, visitor)
    if isinstance(step, Choose) and outcome == "chosen":
        offered = {way.slug for way in actions.listed(step.among, session)}
        way = values.get("way", "")
        return Read("chosen", {"way": way}) if way in offered else Read("gone")
    if isinstance(step, Wait) and outcome in step.presses:
        return Read(outcome, _brought_back(session, values))
    if outcome in step.buttons:
        return Read(outcome, _cleared(step) if isinstance(step, Ask) else {})
    raise NotAnOutcome(JOURNEYS[session.journey], step, outcome)


def _brought_back(session: Session, values: Mapping[str, str]) -> dict[str, str]:
    found = {name: values[name][:most] for name, most in PROVIDER_WORDS.items() if name in values}
    if values.get("failed") and (way := session.data.get("way")):
        found[TRIED] = ",".join(tried(session.data, way))  # the page of that provider said no: another comes first now
    return found


def _given(session: Session, step: Ask, values: Mapping[str, str], visitor: str) -> Read:
    bill = session.bill
    try:
        read = fields.read(
            step,
            values,
            currency=bill.currency if bill else "KRW",
            most=bill.remaining if bill else None,
        )
    except fields.Invalid as wrong:
        return Read("invalid", {"wrong": str(wrong)} | _typed(step, values))
    if step.handed_over:
        return Read("given", _cleared(step), handed_over=read)
    read |= _cleared(step)
    if "known" not in step.reads:
        return Read("given", read)
    found = codes.find(read["phone"], read.pop("code"), visitor)
    if isinstance(found, codes.Throttled):
        return Read("locked", read)
    if found is None or not still_shown(found.subject_id):
        return Read("unknown", read | _typed(step, values))
    return Read("known", read, opens=(found.account_id, found.subject_id))


def still_shown(bill_id: UUID) -> bool:
    """Is the bill open, or closed so lately that its receipt is still shown?"""
    closed = Bill.objects.filter(pk=bill_id).values_list("closed_at", flat=True)
    return any(at is None or at > clock.now() - AFTER_CLOSING for at in closed)


def _typed(step: Ask, values: Mapping[str, str]) -> dict[str, str]:
    """A code or an account's number is a secret, and is never kept."""
    return {TYPED + field.name: values.get(field.name, "")[:200] for field in step.fields if field.kind not in SECRET}


def _cleared(step: Ask) -> dict[str, str]:
    return {"wrong": "", **{TYPED + field.name: "" for field in step.fields}}

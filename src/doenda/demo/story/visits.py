"""One visit of one customer: what a person of this nature does at each step, until the journey ends."""

from dataclasses import dataclass, field

from doenda.channels.web.walker import Lost
from doenda.demo.story.bodies import Body
from doenda.demo.story.population import Customer
from doenda.demo.story.scenario import Scenario
from doenda.journeys.engine import NotAnOutcome
from doenda.kernel import net

MOST = 40
WEB = frozenset({"card", "transfer"})
"""All that somebody takes who takes nothing else."""


@dataclass
class Visit:
    """`ended`: a word of `book.Book.tried`; `number`: to pay into, with its method; `faults`: tries that failed."""

    ended: str = "failed"
    named: set[str] = field(default_factory=set)
    method: str = ""
    number: str = ""
    faults: int = 0
    wants: str = "pay"
    reported: bool = False
    steps: list[str] = field(default_factory=list)
    called_back: bool = False
    """Asked for a call."""
    lost: bool = False
    """Stood on a page that leads nowhere: named or not, nothing was left to press."""


def visit(customer: Customer, body: Body, scenario: Scenario, *, phones: bool) -> Visit:
    """Walk on until the journey ends, or the customer goes away. `phones`: wants to speak to a person first."""
    seen = Visit(wants="person" if phones else "pay")
    try:
        _walk(customer, body, scenario, seen)
    except (Lost, NotAnOutcome, net.NoAnswer, net.NotSent):
        seen.lost, seen.ended = True, "failed"
    return seen


def _walk(customer: Customer, body: Body, scenario: Scenario, seen: Visit) -> None:
    avoided: set[str] = set()
    for _ in range(MOST):
        step = body.step
        seen.steps.append(step)
        match step:
            case "person":
                seen.called_back = True
                body.press("given", {"phone": customer.phone, "when": "soonest"})
            case "method":
                _choose(customer, body, seen, avoided)
            case "away":
                if not _on_the_banks_page(customer, body, scenario, seen, avoided):
                    return
            case "faulted" | "refused":
                seen.faults += step == "faulted"
                avoided.add(seen.method)
                body.press("pay" if step == "faulted" else "other")
            case "reported" if seen.wants != "does_not_work":
                body.press("pay")
            case "account":
                seen.number = body.number()
                body.press("enough")
            case "paid" | "promised":
                seen.ended = "number" if seen.number and step == "promised" else step
                return
            case _:
                body.press(seen.wants if step == "bill" else "enough")


def _on_the_banks_page(customer: Customer, body: Body, scenario: Scenario, seen: Visit, avoided: set[str]) -> bool:
    """Pay there, unless the page stops in this browser; then go back, or away for today (False)."""
    if not (customer.other_browser and seen.method in scenario.only_in_one_browser):
        body.approve()
        return True
    seen.faults += 1
    avoided.add(seen.method)
    if customer.goes_back:
        body.back()
        seen.reported = seen.reported or customer.reports
        body.press("does_not_work" if customer.reports else "other")
    return customer.goes_back


def _choose(customer: Customer, body: Body, seen: Visit, avoided: set[str]) -> None:
    """The method that this customer likes best among those not tried yet; with none left, back for help."""
    offered = {slug.split("/")[1]: slug for slug in body.ways()}
    seen.named |= offered.keys()
    left = [method for method in customer.prefers if method in offered and method not in avoided]
    if not customer.takes_another:
        left = [method for method in left if method in WEB]
    if not left:
        seen.wants = "does_not_work"
        body.press("back")
        return
    seen.method = left[0]
    body.press("chosen", {"way": offered[left[0]]})

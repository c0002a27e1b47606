"""The real actions, with what they need really up and really down, held against what the checker believes of them."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from tests.channels.many_ways import ManyWays, many_ways
from tests.worlds import World, overdue_bill

from doenda.assurance import by_hand, standing
from doenda.billing.models import Bill
from doenda.dunning import outlook
from doenda.journeys import actions, sessions
from doenda.journeys.declarations import ACTIONS, Payment
from doenda.journeys.models import Session
from doenda.journeys.sessions import Visit
from doenda.kernel import clock
from doenda.payments.models import Attempt

WAY = "web/card/sandbox"
DATA = {
    "way": WAY,
    "date": "2014-10-30",
    "phone": "+821000001234",
    "when": "soonest",
    "how": "card",
    "why": "other",
    "words": "no",
}
DEPENDENCIES = {
    "deposit": "pool",
    "debit": "house",
    "card": "bank",
    "inquiry": "bank",
    "redirect_page": "bank",
    "message_gateway": "handset",
    "switch": "switch",
}


WAITS = {"attempt_settled", "customer_returns", "script_returns", "deposit_arrives"}
OWN_ACT = {"look_account", "promise_account", "watch_debit"}
"""Actions about an attempt that waits for the payer's own act, or for the bank's."""
SIGNED = {"bank": "088", "number": "110123456789", "holder": "김민수", "birth": "800101", "agreed": "debit-1"}


@pytest.fixture
def made(db: None, noon: clock.Frozen) -> Iterator[ManyWays]:
    with many_ways() as there:
        yield there


def visit_of(bill: Bill | None, journey: str = "pay") -> Visit:
    account_id, bill_id = (bill.account_id, bill.id) if bill else (None, None)
    return sessions.open_session(journey, channel="web", lang="ko", account_id=account_id, bill_id=bill_id)


def run(name: str, visit: Visit, **data: str) -> tuple[str, dict[str, str]]:
    session = Session.objects.get(pk=visit.session.pk)
    typed = SIGNED if name == "sign_mandate" else {}
    outcome, values = actions.run(name, actions.Context(session, DATA | data, visit.address, "1.2.3.4", typed))
    return outcome, dict(values)


def started(visit: Visit, made: World, *, approved: bool = True) -> dict[str, str]:
    """An attempt at the provider's page, and the words with which the customer comes back."""
    outcome, values = run("start_attempt", visit)
    assert outcome == "redirect"
    attempt = Attempt.objects.get(pk=values["attempt"])
    if approved:
        from peers.http import Request

        form = b"decision=approve"
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        said = made.bank.handle(Request("POST", f"/pay/{attempt.provider_ref}", kind, form))
        assert said.status == 303
    from doenda.kernel.ids import outside

    return {
        "attempt": values["attempt"],
        "order_id": outside(attempt.id),
        "ref": str(attempt.provider_ref),
        "paid_amount": str(attempt.amount),
    }


def pay_elsewhere(bill: Bill, made: World) -> None:
    visit = visit_of(bill)
    assert run("confirm_attempt", visit, **started(visit, made))[0] == "paid"


def leave_unknown(bill: Bill, made: World) -> dict[str, str]:
    visit = visit_of(bill)
    words = started(visit, made)
    made.fault("card", "timeout_before")
    assert run("confirm_attempt", visit, **words)[0] == "unknown"
    made.heal()
    return words


def in_payment(payment: Payment, bill: Bill, made: World) -> dict[str, str]:
    """Bring the bill's money to that state; what a session then knows of it."""
    match payment:
        case "unknown":
            return leave_unknown(bill, made)
        case "paid":
            pay_elsewhere(bill, made)
            bill.refresh_from_db()
            return {"attempt": str(Attempt.objects.get(state="paid").id)}
    return {}


MAKES_NO_SENSE = {("attempt_settled", "none"), ("customer_returns", "unknown"), ("customer_returns", "paid")}
PAYMENTS: tuple[Payment, ...] = ("none", "unknown", "paid")


@pytest.mark.parametrize("down", ["", "bank", "bank handset switch"])
@pytest.mark.parametrize("payment", PAYMENTS)
@pytest.mark.parametrize("name", [name for name in ACTIONS if name not in WAITS | OWN_ACT])
def test_an_action_answers_only_what_it_declares(made: World, name: str, payment: Payment, down: str) -> None:
    bill = overdue_bill()
    at_the_door = name in {"send_link", "report_entry", "open_callback"}
    visit = visit_of(None, "enter") if at_the_door else visit_of(bill)
    words = started(visit, made) if name == "confirm_attempt" else {}
    known = in_payment(payment, bill, made)
    if name == "watch_attempt" and payment == "none":
        made.fault("card", "refuse")
        known = started(visit, made)
        assert run("confirm_attempt", visit, **known)[0] == "refused"
        made.heal()
    made.down.update(down.split())
    failed = [dependency for dependency, peer in DEPENDENCIES.items() if peer in down]
    outcome, values = run(name, visit, **(known | words))
    action = ACTIONS[name]
    assert outcome in action.possible(payment, failed, "card"), (name, payment, down, outcome)
    effect = action.effect(outcome)
    assert effect.gives <= values.keys()
    if effect.stops_clock and name != "open_callback" and payment != "paid":
        assert outlook.of(bill.account_id).held
    if effect.payment is not None:
        assert money_of(bill) in effect.payment, (name, outcome, money_of(bill))
    if outcome not in action.charges and name != "confirm_attempt":
        assert made.books()["net"] == (52300 if payment == "paid" else 0)


def money_of(bill: Bill) -> Payment:
    bill.refresh_from_db()
    if Attempt.objects.filter(account=bill.account_id, in_flight=True).exists():
        return "unknown"
    return "none" if bill.remaining else "paid"


FAULTS: dict[str, Callable[[World], None]] = {
    "dead": lambda made: made.fault("*", "dead"),
    "silent before": lambda made: made.fault("*", "timeout_before", on=["create", "confirm"]),
    "silent after": lambda made: made.fault("*", "timeout_after", on=["create", "confirm"]),
    "error before": lambda made: made.fault("*", "error_before", on=["create", "confirm"]),
    "error after": lambda made: made.fault("*", "error_after", on=["create", "confirm"]),
    "slow": lambda made: made.fault("*", "slow", seconds=20, on=["create", "confirm"]),
    "refuse": lambda made: made.fault("*", "refuse", on=["confirm"]),
    "last step down": lambda made: made.fault("*", "last_step_down", on=["confirm"]),
    "inquiry down": lambda made: made.fault("*", "inquiry_down"),
    "not reachable": lambda made: made.down.add("bank"),
}
HARMLESS = {"refuse", "inquiry down"}
"""Faults with which a charge can still be had an answer to."""


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", ["start_attempt", "confirm_attempt", "close_attempt"])
def test_a_charge_under_each_fault_of_the_bank(made: World, name: str, fault: str) -> None:
    bill = overdue_bill()
    visit = visit_of(bill)
    payment: Payment = "none"
    words: dict[str, str] = {}
    if name == "confirm_attempt":
        words = started(visit, made)
    elif name == "close_attempt":
        words, payment = leave_unknown(bill, made), "unknown"
    FAULTS[fault](made)
    outcome, values = run(name, visit, **words)
    action = ACTIONS[name]
    broken = fault not in HARMLESS or (name, fault) == ("close_attempt", "inquiry down")
    broken = broken and (name, fault) != ("start_attempt", "last step down")
    allowed = action.possible(payment, ["card", "inquiry"] if broken else [], "card")
    if name == "close_attempt" and fault not in {"dead", "inquiry down", "not reachable"}:
        allowed = action.possible(payment)
    assert outcome in allowed, (name, fault, outcome)
    assert action.effect(outcome).gives <= values.keys()
    effect = action.effect(outcome)
    if effect.payment is not None:
        assert money_of(bill) in effect.payment
    if outcome in {"our_fault", "certain_failure", "refused", "free"}:
        assert made.books()["net"] == 0, "a page will say that no money was taken"


@pytest.mark.parametrize("down", [False, True])
@pytest.mark.parametrize("payment", PAYMENTS)
def test_what_asking_waits_for(made: World, payment: Payment, down: bool, noon: clock.Frozen) -> None:
    bill = overdue_bill()
    if payment == "none":
        made.fault("card", "refuse")
        visit = visit_of(bill)
        known = started(visit, made)
        run("confirm_attempt", visit, **known)
    else:
        known = in_payment(payment, bill, made)
    if down:
        made.down.add("bank")
    happened = actions.happened("attempt_settled", visit_of(bill).session, known)
    if happened is not None:
        failed = ["inquiry"] if down else []
        assert happened[0] in ACTIONS["attempt_settled"].possible(payment, failed)
    assert (happened is None) == (payment == "unknown")


def test_coming_back_is_over_when_the_page_is(made: World, noon: clock.Frozen) -> None:
    bill = overdue_bill()
    visit = visit_of(bill)
    known = started(visit, made)
    assert actions.happened("customer_returns", visit.session, known) is None
    noon.advance(timedelta(minutes=31))
    assert actions.happened("customer_returns", visit.session, known) == ("expired", {})


def test_paid_by_somebody_else_in_the_last_moment_is_paid_and_not_expired(made: World) -> None:
    bill = overdue_bill()
    visit = visit_of(bill)
    words = started(visit, made)
    pay_elsewhere(bill, made)
    outcome, values = run("confirm_attempt", visit, **words)
    assert outcome == "paid"
    assert values["attempt"] == str(Attempt.objects.get(state="paid").id)
    assert made.books()["net"] == 52300


def test_saying_that_it_does_not_work_opens_no_barred_line(made: World) -> None:
    bill = overdue_bill()
    run("stop_clock", visit_of(bill))
    assert outlook.of(bill.account_id).held_for == "our_fault"
    for slug in (slug for slug in standing.current("pay") if slug.startswith("web/")):
        by_hand.withdraw(slug, who="kim", reason="down")
    run("stop_clock", visit_of(overdue_bill(number="B-2", phone="+821000005678")))
    assert outlook.of(Bill.objects.get(number="B-2").account_id).held_for == "no_way"


def test_every_declared_action_is_bound_and_no_other() -> None:
    assert actions.bound() == set(ACTIONS) - WAITS


# --- an account, a slip, a debit


METHODS = {"deposit": "deposit", "store": "counter", "debit": "debit"}


def begun(visit: Visit, method: str) -> dict[str, str]:
    """What a session knows after an attempt that waits was begun."""
    if method == "debit":
        run("sign_mandate", visit)
    outcome, values = run("start_attempt", visit, way=f"web/{method}/{METHODS[method]}")
    assert outcome == ("instructed" if method == "debit" else "deposit")
    return values


@pytest.mark.parametrize("down", ["", "pool", "house", "pool house bank"])
@pytest.mark.parametrize("payment", PAYMENTS)
@pytest.mark.parametrize("method", METHODS)
def test_each_way_begins_as_it_is_declared(made: ManyWays, method: str, payment: Payment, down: str) -> None:
    bill = overdue_bill()
    visit = visit_of(bill)
    in_payment(payment, bill, made)
    made.down.update(down.split())
    failed = [dependency for dependency, peer in DEPENDENCIES.items() if peer in down.split()]
    action = ACTIONS["start_attempt"]
    for signed in (False, True):
        if signed:
            run("sign_mandate", visit)
        outcome, values = run("start_attempt", visit, way=f"web/{method}/{METHODS[method]}")
        assert outcome in action.possible(payment, failed, method), (method, payment, down, outcome)
        effect = action.effect(outcome)
        assert effect.gives <= values.keys()
        if effect.payment is not None:
            assert money_of(bill) in effect.payment


@pytest.mark.parametrize("down", ["", "pool", "pool bank house"])
@pytest.mark.parametrize("payment", PAYMENTS)
@pytest.mark.parametrize(
    ("name", "method"),
    [
        ("watch_debit", "debit"),
        *((name, method) for name in ("look_account", "promise_account") for method in ("deposit", "store")),
    ],
)
def test_what_waits_answers_only_what_it_declares(
    made: ManyWays, name: str, method: str, payment: Payment, down: str
) -> None:
    bill = overdue_bill()
    visit = visit_of(bill)
    known = begun(visit, method)
    in_payment(payment, bill, made)
    made.down.update(down.split())
    failed = ["inquiry"] if "pool" in down else []
    outcome, values = run(name, visit, **known)
    action = ACTIONS[name]
    assert outcome in action.possible(payment, failed), (name, method, payment, down, outcome)
    effect = action.effect(outcome)
    assert effect.gives <= values.keys()
    if effect.payment is not None:
        assert money_of(bill) in effect.payment
    if effect.stops_clock:
        assert outlook.of(bill.account_id).held


@pytest.mark.parametrize("name", ["look_account", "promise_account", "deposit_arrives"])
@pytest.mark.parametrize("what", ["arrived", "over", "promised too often"])
def test_an_account_that_was_paid_or_is_over_is_told_so(
    made: ManyWays, noon: clock.Frozen, name: str, what: str
) -> None:
    bill = overdue_bill()
    visit = visit_of(bill)
    known = begun(visit, "deposit")
    attempt = Attempt.objects.get(pk=known["attempt"])
    if what == "arrived":
        made.pay_in(attempt.details["pay_into"]["number"], attempt.amount)
        run("look_account", visit, **known)
    elif what == "over":
        assert attempt.expires_at is not None
        noon.set(attempt.expires_at + timedelta(minutes=1))
    else:
        for day in ("2014-10-30", "2014-10-31"):
            assert run("make_promise", visit_of(bill), date=day)[0] == "done"
    session = visit_of(bill).session
    if name == "deposit_arrives":
        happened = actions.happened(name, session, known)
        outcome = happened[0] if happened else "waits"
    else:
        outcome = run(name, visit, **known)[0]
    expected = {"arrived": {"paid"}, "over": {"gone", "expired"}}.get(what, {"waits", "not_allowed"})
    assert outcome in expected, (name, what, outcome)


@pytest.mark.parametrize("payment", PAYMENTS)
def test_nobody_stays_on_a_page_that_shows_where_to_pay_into(made: ManyWays, payment: Payment) -> None:
    bill = overdue_bill()
    known = begun(visit_of(bill), "deposit")
    in_payment(payment, bill, made)
    happened = actions.happened("deposit_arrives", visit_of(bill).session, known)
    if happened is None:
        assert payment == "none"
        return
    outcome, values = happened
    assert outcome == {"unknown": "moving", "paid": "paid"}[payment]
    assert ACTIONS["deposit_arrives"].effect(outcome).gives <= values.keys()
    assert values["attempt"] != known["attempt"]


def test_a_debit_that_the_bank_refused_meanwhile_is_not_promised(made: ManyWays) -> None:
    bill = overdue_bill()
    visit = visit_of(bill)
    known = begun(visit, "debit")
    from doenda.payments import outcomes
    from doenda.payments.providers.contract import Answer, Outcome

    outcomes.apply(Attempt.objects.get(pk=known["attempt"]), Answer(Outcome.REFUSED, "NO_FUNDS"), "test")
    outcome, values = run("watch_debit", visit, **known)
    assert (outcome, values["refusal"]) == ("refused", "account")
    leave_unknown(bill, made)
    assert run("watch_debit", visit, **known)[0] == "unknown", "no page says that nothing was taken"


def test_a_debit_is_asked_for_once_a_bill(made: ManyWays) -> None:
    bill = overdue_bill()
    first = begun(visit_of(bill), "debit")
    outcome, values = run("start_attempt", visit_of(bill), way="web/debit/debit")
    assert (outcome, values["attempt"]) == ("instructed", first["attempt"])
    assert Attempt.objects.count() == 1

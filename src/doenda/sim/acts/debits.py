"""Debits by file: mandates given and cancelled, cut-offs, clearing, results late or wrong, returns days later."""

from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

from doenda.kernel import clock
from doenda.payments.debit import mandates, policy
from doenda.payments.debit.models import DebitItem
from doenda.payments.debit.rules import window
from doenda.sim import work
from doenda.sim.acts import Hindered, act
from doenda.sim.acts.customers import begin, some_customer

if TYPE_CHECKING:
    from doenda.sim.line import Peer
    from doenda.sim.world import Customer, World

RICH, POOR = 10_000_000, 10
SWEEPS = ("debits to instruct", "debit files", "outbox", "debit answers", "debits home")
WRONG = ("duplicate_file", "missing_record", "unknown_record", "unlisted_code", "no_answers", "refuse_file")


def house(world: "World") -> "Peer":
    """The clearing house. Raises Hindered where this world has none."""
    if "debit" not in world.drivers:
        raise Hindered("there is no clearing house here")
    return world.peer("debit")


@act(2, "debit")
def mandate_given(world: "World") -> None:
    """A customer lets us debit an account with enough on it, or with too little."""
    peer, customer = house(world), some_customer(world)
    if customer.mandate_id is not None:
        raise Hindered("there is a mandate already")
    balance = world.chance.choice((RICH, RICH, RICH, POOR, 60_000))
    customer.bank_account = f"110{world.seed % 100_000:05}{world.customers.index(customer):02}{world.depth:02}"
    account = {"bank": "088", "number": customer.bank_account, "balance": balance}
    peer.control("POST", "accounts", {"accounts": [account]})
    give(customer)
    world.say(f"{customer.label} let us debit an account with {balance:,} won on it")


def give(customer: "Customer") -> None:
    proof = sha256(b"the signed form").hexdigest()
    consent = mandates.Consent("signature", "debit-ko-1", clock.now(), "simulated", proof)
    source = mandates.Source("bank", "cms", customer.bank_account, customer.name, "088", "800101")
    made = mandates.request(customer.account_id, source, consent)
    customer.mandate_id = mandates.activate(made.pk).pk
    customer.secrets = (*customer.secrets, customer.bank_account)


@act(0.3, "debit")
def mandate_cancelled(world: "World") -> None:
    """A customer takes the mandate back."""
    house(world)
    holders = [each for each in world.customers if each.mandate_id is not None]
    if not holders:
        raise Hindered("nobody has given a mandate")
    customer = world.chance.choice(holders)
    assert customer.mandate_id is not None
    mandates.cancel(customer.mandate_id, "the customer said so")
    customer.mandate_id = None
    world.say(f"{customer.label} cancelled the mandate")


@act(1.5, "debit")
def debit_chosen(world: "World") -> None:
    """A customer with a mandate has a bill debited."""
    house(world)
    if not any(each.mandate_id is not None for each in world.customers):
        mandate_given(world)
    holders = [each for each in world.customers if each.mandate_id is not None]
    begin(world, world.chance.choice(holders), "debit", "debit")


@act(2, "debit")
def to_the_next_hour_of_debits(world: "World") -> None:
    """Time goes on to the next cut-off, or to the hour at which results are due; the worker works."""
    house(world)
    item = DebitItem.objects.filter(state__in=["waiting", "filed"]).order_by("day", "pk").first()
    if item is None:
        terms = policy.in_force("KRW", clock.today())
        day = window(terms, clock.now()) or terms.open_day(clock.now())
        _to(world, max(clock.now(), terms.instruct_from(day)) + timedelta(minutes=1))
    else:
        terms = policy.of_scheme(item.scheme, item.day)
        cut_off, results = terms.cut_off_at(item.day), terms.results_due(item.day)
        _to(world, (cut_off if item.state == "waiting" else results) + timedelta(minutes=5))
    for name in SWEEPS:
        work.sweep(world, name)


def _to(world: "World", instant: datetime) -> None:
    if instant > clock.now():
        world.now.set(instant)
    world.say(f"time: it is {clock.local(clock.now()):%a %Y-%m-%d %H:%M}, an hour of debits")


@act(0.6, "debit")
def results_wrong(world: "World") -> None:
    """The clearing house makes mistakes in what it gives out, gives nothing out for a while, or takes no file."""
    peer = house(world)
    name = world.chance.choice(WRONG)
    said = {"fault": name} | ({} if name == "no_answers" else {"remaining": 1})
    peer.control("PUT", "faults", {"*": said})
    world.faults[name] += 1
    world.say(f"the clearing house will err: {name}")


@act(1.5, "debit")
def debit_returned(world: "World") -> None:
    """Days later a payer's bank takes a debit back."""
    peer = house(world)
    if not _debited(peer):
        debit_chosen(world)
        to_the_next_hour_of_debits(world)
        to_the_next_hour_of_debits(world)
    paid = _debited(peer)
    if not paid:
        raise Hindered("nothing was debited")
    file, serial = world.chance.choice(paid)
    world.now.advance(timedelta(days=world.chance.choice((0, 1, 3))))
    returned = {"file": file, "serial": serial}
    try:
        peer.control("POST", "returns", {"day": f"{clock.today():%Y-%m-%d}", "returns": [returned]})
    except RuntimeError as no:
        raise Hindered("it was returned before") from no
    world.faults["debit returned"] += 1
    world.say(f"a payer's bank took record {serial} of {file} back")


def _debited(peer: "Peer") -> list[tuple[str, int]]:
    """What was debited and is still here, by file and serial."""
    taken = peer.control("GET", "books")["taken"]
    return [(file, int(serial)) for file, records in sorted(taken.items()) for serial in records if records[serial]]

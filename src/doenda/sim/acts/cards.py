"""Kept cards: a customer lets us charge a card, and it is charged when a bill is due, or at once."""

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from doenda.billing.models import Bill
from doenda.kernel import clock
from doenda.payments import providers
from doenda.payments.debit import billing, mandates
from doenda.sim.acts import Hindered, act
from doenda.sim.acts.customers import some_customer, won

if TYPE_CHECKING:
    from doenda.sim.world import World


@act(0.6, "toss")
def card_kept(world: "World") -> None:
    """A customer lets us keep a card."""
    customer = some_customer(world)
    if customer.mandate_id is not None or customer.probe:
        raise Hindered("there is a mandate already, or nobody to give one")
    toss: Any = providers.get("toss")
    kept = toss.issue_key(f"auth-{world.seed}-{customer.label}", f"customer-{customer.label}-{world.seed}")
    if not kept.mandate:
        raise Hindered("the card was not taken")
    proof = sha256(b"the ticked box").hexdigest()
    consent = mandates.Consent("signature", "card-ko-1", clock.now(), "simulated", proof)
    source = mandates.Source("card", "toss", kept.mandate, customer.name, shown=kept.shown)
    customer.mandate_id = mandates.activate(mandates.request(customer.account_id, source, consent).pk).pk
    customer.secrets = (*customer.secrets, kept.mandate)
    world.say(f"{customer.label} let us keep a card")


@act(0.8, "toss")
def card_charged(world: "World") -> None:
    """A bill is paid by the kept card, here and now."""
    customer = some_customer(world)
    bill = Bill.objects.get(pk=world.chance.choice(customer.bill_ids))
    if customer.mandate_id is None or bill.remaining <= 0:
        raise Hindered("there is no card, or nothing to pay")
    seen = billing.charge_card(customer.account_id, [(bill.pk, bill.remaining)], channel="web")
    world.say(f"the kept card of {customer.label} was charged with {won(bill.remaining)}: {seen.outcome}")

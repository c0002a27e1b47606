"""Kept cards: a billing key and the customer key that it belongs to, kept as one text in a mandate."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from doenda.payments.providers.contract import Answer, Charge, Outcome
from doenda.payments.providers.toss import reading
from doenda.payments.providers.toss.codes import CODES
from doenda.payments.providers.toss.wire import Wire, readable

BETWEEN = "|"  # stands in neither of the two
LONGEST = 200


@dataclass(frozen=True, slots=True, repr=False)
class Kept:
    """A card that was kept. `mandate`: what `Charge.mandate` must bring to charge it: a secret. `shown`: the last two
    digits that Toss lets be seen."""

    outcome: Outcome
    code: str = ""
    mandate: str = ""
    shown: str = ""


def issue(wire: Wire, auth_key: str, customer_key: str) -> Kept:
    """Turn what a customer brought back from authenticating a card into a key. PAID stands for "kept"."""
    body = {"authKey": auth_key, "customerKey": customer_key}
    said = wire.call("POST", "/v1/billing/authorizations/issue", body, key=f"card-{auth_key}"[:300])
    if said.code:
        return Kept(said.outcome(CODES, certain=True), said.code)
    try:
        key, card = str(said.document["billingKey"]), said.document.get("card") or {}
        kept = f"{key}{BETWEEN}{customer_key}"
        if str(said.document["customerKey"]) != customer_key or not key or len(kept) > LONGEST:
            return Kept(Outcome.OUR_FAULT, "NOT_THIS_CUSTOMER")
        digits = "".join(one for one in str(card.get("number") or "") if one.isdigit())
        return Kept(Outcome.PAID, "KEPT", kept, digits[-2:])
    except (KeyError, TypeError, AttributeError):
        return Kept(Outcome.UNKNOWN, "NOT_READABLE")


def delete(wire: Wire, mandate: str) -> Answer:
    """Have the key forgotten. GIVEN_BACK when it is gone, also if it was gone before."""
    key = mandate.partition(BETWEEN)[0]
    said = wire.call("DELETE", f"/v1/billing/{quote(key, safe='')}")
    if not said.code or said.code in ("INVALID_BILL_KEY_REQUEST", "NOT_FOUND_BILLING_KEY"):
        return Answer(Outcome.GIVEN_BACK, said.code or "REMOVED")
    return Answer(said.outcome(CODES, certain=True), said.code)


def charge(wire: Wire, asked: Charge, name: str, *, first_try: bool, timeout: float) -> Answer:
    """Charge a kept card, keyed by the order id. Without a key nothing is asked: nobody agreed to it any more."""
    key, _, customer = asked.mandate.partition(BETWEEN)
    if not key or not customer:
        return Answer(Outcome.REFUSED, "NO_BILLING_KEY")
    body: dict[str, Any] = {
        "customerKey": customer,
        "amount": asked.amount,
        "orderId": asked.order_id,
        "orderName": name,
    }
    path = f"/v1/billing/{quote(key, safe='')}"
    said = wire.call("POST", path, body, key=f"billing-{asked.order_id}", timeout=timeout)
    if said.code:
        return Answer(said.outcome(CODES, certain=first_try), readable(said.code, "NO"))
    return reading.payment(said.document)

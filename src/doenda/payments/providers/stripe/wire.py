"""Stripe over HTTP: forms out, JSON in, and what a reply means. Nothing here raises for what a network can do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from doenda.kernel import net
from doenda.payments.providers.contract import Answer, Outcome
from doenda.payments.providers.stripe.codes import CODES, SCALE, STATUSES

DEP = "stripe"
VERSION = "2024-11-20.acacia"
"""The API version that is asked for, so that Stripe's answers keep the form that is read here."""

type Form = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Said:
    """A reply: its document if it was a good one, else `no`, the answer that the failure amounts to."""

    document: Mapping[str, Any]
    no: Answer | None = None


@dataclass(frozen=True, slots=True)
class Wire:
    """Where Stripe is, and as whom we come. `account` and `live` are what its objects must belong to."""

    url: str
    key: str
    account: str
    live: bool

    def call(
        self, method: str, path: str, form: Form = (), *, key: str = "", certain: bool = False, timeout: float = 6.0
    ) -> Said:
        """One call. `certain`: no earlier one of the same may have arrived, so an unreached Stripe took nothing."""
        headers = {"Authorization": f"Bearer {self.key}", "Stripe-Version": VERSION}
        headers |= {"Idempotency-Key": key} if key else {}
        address, content = self.url + path, urlencode(form)
        if method == "GET":
            address, content = (f"{address}?{content}" if content else address), ""
        else:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            reply = net.call(DEP, method, address, content=content.encode(), headers=headers, timeout=timeout)
        except net.NotSent:
            return Said({}, Answer(Outcome.OUR_FAULT if certain else Outcome.UNKNOWN, "NOT_REACHED"))
        except net.NoAnswer:
            return Said({}, Answer(Outcome.UNKNOWN, "NO_ANSWER"))
        return self._said(reply)

    def _said(self, reply: net.Reply) -> Said:
        try:
            document = reply.json()
            if reply.status == 200 and isinstance(document["object"], str):
                return Said(document)
            error = document["error"]
            code = _code(error.get("decline_code") or error.get("code") or f"HTTP_{reply.status}")
            no = Answer(CODES.get(code, Outcome.UNKNOWN), code)
            if code == "payment_intent_unexpected_state":  # it comes with the PaymentIntent as it now is
                no = replace(self.intent(error.get("payment_intent")), code=code)
            return Said({}, no)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            code = f"HTTP_{reply.status}"
            return Said({}, Answer(CODES.get(code, Outcome.UNKNOWN), code))

    def intent(self, said: Any) -> Answer:
        """A PaymentIntent in our words; UNKNOWN if it is not one.

        The order id and the merchant are our own words in its metadata: whoever reads an object with our key knows the
        account, and `livemode` that it is not a rehearsal's; another installation on the account writes another name.
        """
        try:
            if said["object"] != "payment_intent":
                return Answer(Outcome.UNKNOWN, "NOT_AN_INTENT")
            status, currency = _code(said["status"]), str(said["currency"]).upper()
            outcome = STATUSES.get(status, Outcome.UNKNOWN)
            charge = said.get("latest_charge")
            charge = charge if isinstance(charge, Mapping) else {}
            amount = _first_int(said.get("amount_received") if outcome is Outcome.PAID else None, said["amount"])
            back = min(_first_int(charge.get("amount_refunded"), 0) or 0, amount or 0)
            if outcome is Outcome.GIVEN_BACK and charge.get("captured") is True and charge.get("paid") is True:
                outcome, status = Outcome.PAID, "captured"  # money counts for more than the word of a status
            if outcome is Outcome.PAID and back and back == amount:
                outcome, status = Outcome.GIVEN_BACK, "refunded"
            metadata = said.get("metadata") or {}
            return Answer(
                outcome=outcome,
                code="DISPUTED" if charge.get("disputed") is True else _error_of(said) or status,
                ref=_code(said["id"]),
                order_id=str(metadata.get("order_id") or "")[:64],
                amount=ours(amount, currency),
                currency=currency,
                merchant=self.merchant(said),
                given_back=ours(back, currency) or 0,
            )
        except (KeyError, TypeError, AttributeError, ValueError):
            return Answer(Outcome.UNKNOWN, "NOT_READABLE")

    def merchant(self, said: Mapping[str, Any]) -> str:
        """Whose object it is: the account's name that we wrote into it; "" for a rehearsal's, or somebody else's."""
        metadata = said.get("metadata") or {}
        return str(metadata.get("merchant") or "")[:64] if said.get("livemode") is self.live else ""


def theirs(amount: int, currency: str) -> str:
    """Our minor units as Stripe counts them: the same, but for a few currencies."""
    return str(amount * SCALE.get(currency, 1))


def ours(amount: int | None, currency: str) -> int | None:
    """Stripe's units as minor units; None for what is no whole number of them."""
    scale = SCALE.get(currency, 1)
    return None if amount is None or amount % scale else amount // scale


def _first_int(*found: Any) -> int | None:
    """The first whole number: 52300.9 is not 52300, nor is true 1."""
    return next((one for one in found if type(one) is int), None)


def _error_of(said: Mapping[str, Any]) -> str:
    error = said.get("last_payment_error") or {}
    found = error.get("decline_code") or error.get("code")
    return _code(found) if found else ""


def _code(said: object) -> str:
    """A code as our rows can keep it, whatever was sent."""
    return str(said).encode("ascii", "replace").decode().replace("\0", "?")[:60]

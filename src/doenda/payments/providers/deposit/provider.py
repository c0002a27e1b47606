"""Deposits into leased account numbers, as a provider: nothing here posts; what arrived is asked of the bank."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

from doenda.kernel.db import durable
from doenda.kernel.ids import inside, outside
from doenda.payments.deposits import leasing, storing
from doenda.payments.deposits.models import DepositLease, DepositLine
from doenda.payments.models import Attempt
from doenda.payments.providers.contract import (
    Answer,
    BackTo,
    Charge,
    Feed,
    FeedLine,
    Moves,
    Outcome,
    PayInto,
    Provider,
    Ring,
)
from doenda.payments.providers.deposit import codes
from doenda.payments.providers.deposit.client import MERCHANT, PAGE, Client, Said

TOLERANCE = timedelta(minutes=5)


class Deposit(Provider):
    """A number of the pool is the attempt's until it is closed; deposits of any amount are booked as what they are.

    The bank sends a deposit back to its sender by itself, but for cash paid in over a counter: that it refuses.
    """

    name = "deposit"
    merchant = MERCHANT
    methods: ClassVar = {"deposit": Moves.AT_DEPOSIT}
    singly: ClassVar[bool] = True
    returns_amount = False
    exact = False
    nudges = "deposits"
    heard = 204

    def __init__(self, config: Mapping[str, Any]) -> None:
        keys = config["keys"]
        self.bank = Client(config["url"], keys[0])
        self._secrets: list[str] = list(config["webhook_secrets"])

    def start(self, charge: Charge) -> Answer:
        """Lease a number (durable first), then open it at the bank; the same order again is the same number."""
        lease = leasing.take(inside(charge.order_id), bank=charge.bank, until=charge.until)
        if lease is None and leasing.had_enough(Attempt.objects.get(pk=inside(charge.order_id))):
            return Answer(Outcome.REFUSED, "NUMBERS_USED_UP")
        if lease is None:
            return Answer(Outcome.OUR_FAULT, "NO_NUMBER")
        said = self.open(lease)
        if said.code:
            durable(lambda: leasing.give_up(lease.id))
            return Answer(codes.outcome("open", said.code), said.code)
        number = lease.number
        into = PayInto(number.bank, number.number, number.holder, lease.until)
        return Answer(Outcome.NEEDS_DEPOSIT, "OPEN", f"lease-{lease.order_id}", order_id=charge.order_id, pay_into=into)

    def inquire(self, charge: Charge) -> Answer:
        """What became of the attempt: of the line that paid it, else of what has arrived at its number."""
        line = _line(charge.ref)
        if line is not None:
            return self._of_line(line, charge.order_id)
        lease = _lease(charge.order_id)
        if lease is None:
            return Answer(Outcome.EXPIRED, "NO_NUMBER")
        page = self.bank.movements(0, number=lease.number.number)
        if page.code:
            return Answer(codes.outcome("look", page.code), page.code)
        durable(lambda: storing.store(page.movements, "list"))
        return self._arrived(lease, charge.order_id) or Answer(Outcome.PENDING, "NOTHING_ARRIVED")

    def void(self, charge: Charge) -> Answer:
        """Close the number. What has arrived before that is the payer's all the same, and says PAID."""
        lease = _lease(charge.order_id)
        if lease is None:
            return Answer(Outcome.GIVEN_BACK, "NO_NUMBER")
        said = self.close(lease)
        if (outcome := _closed(said)) is not Outcome.GIVEN_BACK:
            return Answer(outcome, said.code)
        return self._arrived(lease, charge.order_id) or Answer(Outcome.GIVEN_BACK, said.code or "CLOSED")

    def refund(self, charge: Charge, *, amount: int, key: str, reason: str, back_to: BackTo | None = None) -> Answer:
        line = _line(charge.ref)
        if line is None:
            return Answer(Outcome.UNKNOWN, "NO_LINE")
        to = None if back_to is None else {"bank": back_to.bank, "number": back_to.number, "holder": back_to.holder}
        said = self.bank.give_back(line.ident, amount, key, reason[:200] or "refund", to)
        outcome = codes.outcome("return", said.code) if said.code else Outcome.GIVEN_BACK
        return Answer(outcome, said.code or "RETURNED", line.ref, order_id=charge.order_id)

    def ring(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Ring:
        """It only says that something has moved at a number, so it names no order: the bank's list is asked."""
        said = {name.lower(): value for name, value in headers.items()}
        transmission, stamp = said.get("deposit-transmission-id", "")[:80], said.get("deposit-timestamp", "")[:20]
        try:
            json.loads(body)
            fresh = abs(now.timestamp() - int(stamp)) <= TOLERANCE.total_seconds()
        except (ValueError, RecursionError):
            return Ring(transmission, "", genuine=False)
        signed = f"{transmission}.{stamp}.".encode() + body
        given = said.get("deposit-signature", "")[:1000].encode().split(b" ")
        right = [b"v1," + base64.b64encode(hmac.digest(s.encode(), signed, hashlib.sha256)) for s in self._secrets]
        genuine = any(hmac.compare_digest(one, each) for one in given for each in right)
        return Ring(transmission, "", genuine=genuine and fresh and bool(transmission))

    def transactions(self, since: datetime, until: datetime, cursor: str = "") -> Feed:
        """The bank's list from a place before which nothing of the period can stand; the cursor is a place in it."""
        page = self.bank.movements(int(cursor) if cursor else storing.settled_before(since))
        if page.code:
            return Feed((), cursor, page.code)
        within = [each for each in page.movements if since <= each.at < until]
        known = DepositLine.objects.filter(ident__in=[each.of or each.ident for each in within])
        ours = {line.ref: line.attempt_id for line in known}
        lines = []
        for each in within:
            ref, kind = f"{each.bank}-{each.of or each.ident}", "given_back" if each.of else "paid"
            attempt_id = ours.get(ref)
            order_id = outside(attempt_id) if attempt_id else ""
            lines.append(FeedLine(each.ident, order_id, ref, kind, each.amount, each.currency, each.at, MERCHANT))
        more = str(page.last) if len(page.movements) == PAGE else ""
        return Feed(lines, more)

    def open(self, lease: DepositLease) -> Said:
        """Open a lease's number at the bank, and note that it is confirmed."""
        said = self.bank.open(lease.number.number, lease.order_id, lease.until)
        if not said.code:
            durable(lambda: leasing.opened(lease.id))
        return said

    def close(self, lease: DepositLease) -> Said:
        """Close it, and begin its rest once the bank has said so."""
        durable(lambda: leasing.give_up(lease.id))
        said = self.bank.close(lease.number.number, lease.order_id)
        if _closed(said) is Outcome.GIVEN_BACK:
            durable(lambda: leasing.ended(lease.id))
        return said

    def _of_line(self, line: DepositLine, order_id: str) -> Answer:
        said = self.bank.deposit(line.ident)
        if said.code:
            return Answer(codes.outcome("look", said.code), said.code)
        status, back = said.document.get("status"), said.document.get("returned_amount")
        return Answer(
            codes.STATUSES.get(str(status), Outcome.UNKNOWN),
            str(status)[:60],
            line.ref,
            order_id=order_id,
            amount=line.amount,
            currency=line.currency,
            merchant=MERCHANT,
            given_back=back if type(back) is int and status == "BOOKED" else 0,
        )

    def _arrived(self, lease: DepositLease, order_id: str) -> Answer | None:
        line = storing.first_arrival(lease)
        return None if line is None else paid_by(line, order_id)


def paid_by(line: DepositLine, order_id: str) -> Answer:
    """The answer that a stored line is, to the attempt it belongs to."""
    return Answer(
        Outcome.PAID,
        "DEPOSIT",
        line.ref,
        order_id=order_id,
        amount=line.amount,
        currency=line.currency,
        merchant=MERCHANT,
        at=line.at,
    )


def _closed(said: Said) -> Outcome:
    return codes.outcome("close", said.code) if said.code else Outcome.GIVEN_BACK


def _lease(order_id: str) -> DepositLease | None:
    return DepositLease.objects.select_related("number", "attempt").filter(attempt_id=inside(order_id)).first()


def _line(ref: str) -> DepositLine | None:
    bank, _, ident = ref.partition("-")
    return DepositLine.objects.filter(bank=bank, ident=ident).first()

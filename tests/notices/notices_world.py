"""A customer with an overdue bill, and a handset network that remembers what it got."""

import json
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db import transaction

from doenda.billing import accounts
from doenda.billing.models import Account, Bill, BillItem, Party
from doenda.kernel import net
from doenda.notices import send
from doenda.notices.models import Notice


@dataclass
class HandsetNetwork:
    """The other side: idempotent by id. `fault`: None, down, timeout_after, timeout_before, error, reject, silent."""

    fault: str | None = None
    got: dict[str, dict[str, Any]] = field(default_factory=dict)
    state: dict[str, str] = field(default_factory=dict)
    posts: int = 0

    def __call__(self, request: net.Request) -> net.Reply:
        if self.fault == "down":
            raise net.NotSent("connection refused")
        ident = request.url.rsplit("/", 1)[1]
        if request.method == "GET":
            if ident not in self.got:
                return net.Reply(404, {}, b'{"code":"unknown"}')
            return self._json(200, {"id": ident, "state": self.state[ident], "error": None})
        self.posts += 1
        if self.fault == "timeout_before":
            raise net.NoAnswer("cut")
        if self.fault == "error":
            return net.Reply(503, {}, b"<html>busy</html>")
        if self.fault == "reject":
            return net.Reply(400, {}, b'{"code":"INVALID"}')
        body = json.loads(request.content)
        if self.got.setdefault(body["id"], body) != body:
            return net.Reply(409, {}, b'{"code":"DUPLICATED_ID"}')
        self.state.setdefault(body["id"], "accepted" if self.fault == "silent" else "delivered")
        if self.fault == "timeout_after":
            raise net.NoAnswer("no answer in time")
        return self._json(202, {"id": body["id"], "state": "accepted"})

    @staticmethod
    def _json(status: int, body: dict[str, Any]) -> net.Reply:
        return net.Reply(status, {}, json.dumps(body).encode())

    @property
    def texts(self) -> list[str]:
        return [one["text"] for one in self.got.values()]


@dataclass
class Customer:
    account: Account
    bill: Bill
    party: Party

    def told(self, kind: str, key: str = "", **params: Any) -> Notice:
        """Send a notice about the bill, in a transaction of its own."""
        more = {name: params.pop(name) for name in ("urgent", "due_at", "bill_id") if name in params}
        more.setdefault("bill_id", self.bill.pk)
        with transaction.atomic():
            return send(kind, self.account.pk, params=params, key=key or kind, **more)


def new_bill(account: Account, number: str, amount: int = 52_300, due: date = date(2014, 10, 20)) -> Bill:
    with transaction.atomic():
        bill = Bill.objects.create(
            account=account,
            number=number,
            period_start=date(2014, 9, 1),
            period_end=date(2014, 9, 30),
            bill_date=date(2014, 10, 5),
            due_date=due,
            currency="KRW",
            amount=amount,
        )
        BillItem.objects.create(bill=bill, item_class="service", amount=amount)
    return bill


def new_customer(number: str = "A-1", lang: str = "ko", phone: str = "+821012345678") -> Customer:
    with transaction.atomic():
        party = Party.objects.create(name="김하늘", phone=phone, language=lang)
        account = accounts.open_account(number, "KRW", holder=party, lines=[phone] if phone else [])
    return Customer(account, new_bill(account, f"B-{number}"), party)

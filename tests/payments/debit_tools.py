"""What the tests of debits share: a clearing house over the net seam, customers with mandates, the days of a cycle."""

import base64
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from tests.worlds import World, overdue_bill

from doenda.billing import accounts, bills
from doenda.billing.models import Bill
from doenda.kernel import clock, net
from doenda.kernel.db import atomic
from doenda.kernel.ids import outside
from doenda.payments import attempts, providers
from doenda.payments.debit import answers, files, home, instruct, mandates
from doenda.payments.debit.mandates import Consent, Source
from doenda.payments.debit.models import DebitFile, DebitItem, Mandate
from doenda.payments.models import Attempt
from peers.clearing import Clearing

URL = "http://clearing.test"
KEYS = [base64.urlsafe_b64encode(bytes([each]) * 32).decode() for each in (7, 8)]
CONFIG = {
    "url": URL,
    "key": "clearing-key",
    "proofs": ["clearing-proof"],
    "institution": "9912345678",
    "branch": "0040000",
    "deposit": "1234567890",
    "sepa": {
        "name": "Doenda",
        "IBAN": "DE89370400440532013000",
        "BIC": "COBADEFFXXX",
        "creditor_id": "DE98ZZZ09999999999",
    },
}
PROOF = hashlib.sha256(b"the signed form").hexdigest()
CONSENT = Consent("signature", "debit-ko-1", clock.at(date(2014, 9, 1), 10), "visit-1", PROOF)
TUESDAY = date(2014, 10, 28)
"""The first debit day of bills that fell due on or before it, seen from Monday 27 October."""


class DebitWorld(World):
    """The small world, with a clearing house in it."""

    def __init__(self) -> None:
        super().__init__()
        self.house = Clearing(clock=lambda: clock.now().timestamp())

    def transport(self, request: net.Request) -> net.Reply:
        address = urlsplit(request.url)
        if f"{address.scheme}://{address.netloc}" != URL:
            return super().transport(request)
        self.calls.append(request)
        if "clearing" in self.down:
            raise net.NotSent("clearing is down")
        return self._ask(self.house, request)

    def _ask(self, peer: Any, request: net.Request) -> net.Reply:
        from peers.http import NoAnswer, Request

        path = request.url.removeprefix(URL)
        try:
            said = peer.handle(Request(request.method, path, dict(request.headers), request.content))
        except NoAnswer as silence:
            raise net.NoAnswer(str(silence)) from silence
        if said.delay_seconds > request.timeout:
            raise net.NoAnswer("too slow")
        return net.Reply(said.status, {k.lower(): v for k, v in said.headers.items()}, said.body)

    def fault_house(self, **board: Any) -> None:
        faults = [{"fault": name} | (more or {}) for name, more in board.items()]
        self.control(self.house, "PUT", "faults", {"*": faults} if faults else {})

    def money(self, number: str, balance: int, **more: Any) -> None:
        self.control(self.house, "POST", "accounts", {"accounts": [account(number, balance, **more)]})

    def clear(self) -> list[str]:
        cleared: list[str] = self.control(self.house, "POST", "clear", {"day": "9999-12-31"})["cleared"]
        return cleared


def account(number: str, balance: int, *, bank: str = "088", **more: Any) -> dict[str, Any]:
    return {"bank": bank, "number": number, "balance": balance, **more}


@contextmanager
def debit_world(django_settings: Any) -> Iterator[DebitWorld]:
    django_settings.DOENDA_PROVIDERS = {**settings.DOENDA_PROVIDERS, "debit": CONFIG}
    django_settings.DOENDA_SEALING_KEYS = KEYS
    providers.get.cache_clear()
    made = DebitWorld()
    with net.using(made.transport):
        yield made
    providers.get.cache_clear()


def number_of(index: int) -> str:
    return f"110{index:09d}"


def customer(index: int = 1, amount: int = 52300, *, days: int = 5, balance: int | None = None) -> Bill:
    """A bill that was due `days` ago, of an account with an active mandate for bank account `number_of(index)`."""
    bill = overdue_bill(amount, number=f"B-{index}", phone=f"+8210{index:08d}", days=days)
    mandate(bill.account_id, index)
    return bill


def mandate(account_id: UUID, index: int = 1, **more: str) -> Mandate:
    source = {"kind": "bank", "scheme": "cms", "number": number_of(index), "holder": "김민수", "bank": "088"}
    asked = mandates.request(account_id, Source(**(source | {"check": "800101"} | more)), CONSENT)
    return mandates.activate(asked.pk)


def more_bill(bill: Bill, number: str, amount: int) -> Bill:
    with atomic():
        items = [bills.Item("service", amount)]
        return bills.issue(accounts.lock(bill.account_id), number, items, due_date=bill.due_date)


def by_hand(bill: Bill, amount: int | None = None) -> attempts.Result:
    """The customer chooses the debit on a page."""
    wanted = [(bill.pk, bill.remaining if amount is None else amount)]
    return attempts.start(
        bill.account_id, wanted, channel="web", method="debit", provider="debit", return_url="", lang="ko"
    )


def to_cut_off(noon: clock.Frozen, day: date = TUESDAY) -> DebitFile:
    """To the day's window: instruct; to its cut-off: build the file, bring it to the house."""
    noon.set(clock.at(day - timedelta(days=1), 12))
    instruct.sweep(100)
    noon.set(clock.at(day - timedelta(days=1), 16, 31))
    files.sweep(100)
    send()
    return DebitFile.objects.get(day=day, scheme="cms")


def send() -> None:
    from doenda.kernel import outbox

    outbox.sweep(100)


def results(world: DebitWorld, noon: clock.Frozen, day: date = TUESDAY) -> None:
    """The house clears; we fetch its answers."""
    world.clear()
    noon.set(clock.at(day + timedelta(days=1), 3, 5))
    answers.poll(100)
    home.bring(100)


def attempt_of(bill: Bill) -> Attempt:
    return Attempt.objects.filter(bills__bill=bill).latest("created_at")


def item_of(bill: Bill) -> DebitItem:
    return DebitItem.objects.filter(attempt=attempt_of(bill), kind="debit").get()


def order_of(bill: Bill) -> str:
    return outside(attempt_of(bill).pk)

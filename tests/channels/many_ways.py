"""The small world with every way to pay in it: a pool of account numbers, a clearing house, PortOne, a store's till."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.test import override_settings
from tests.worlds import World

from doenda.assurance.ways import ensure_ways
from doenda.billing.models import Bill
from doenda.kernel import clock, net, outbox
from doenda.payments import providers
from doenda.payments.counter import shifts, till
from doenda.payments.counter.till import Pressed
from doenda.payments.debit import answers, files, home
from doenda.payments.deposits import tending
from peers.clearing import Clearing
from peers.deposits import Deposits
from peers.http import NoAnswer, Request
from peers.portone import PortOne

POOL, CLEARING, PORTONE = "http://pool.test", "http://clearing.test", "http://portone.test"
ENTRIES: dict[str, dict[str, Any]] = {
    "counter": {"merchant": "counter"},
    "deposit": {"url": POOL, "keys": ["deposit-key"], "webhook_secrets": ["deposit-webhook-secret"]},
    "debit": {
        "url": CLEARING,
        "key": "clearing-key",
        "proofs": ["clearing-proof"],
        "institution": "9912345678",
        "branch": "0040000",
        "deposit": "1234567890",
    },
    "portone": {
        "url": PORTONE,
        "secrets": ["portone-secret"],
        "webhook_secrets": ["whsec_cG9ydG9uZS13ZWJob29rLXNlY3JldA=="],
        "store": "store-doenda",
        "channel_keys": {method: f"channel-key-{method}" for method in ("card", "transfer", "deposit")},
        "sdk": f"{PORTONE}/v2/browser-sdk.js",
    },
}
SEALING = [base64.urlsafe_b64encode(bytes([7]) * 32).decode()]
ALL = ("sandbox", "counter", "deposit", "debit")
KIM, BOSS = "clerk:kim", "operator:park"


class ManyWays(World):
    """`pool` keeps account numbers, `house` clears debits, `portone` has its own page; each can be down by its name."""

    def __init__(self) -> None:
        super().__init__()

        def now() -> float:
            return clock.now().timestamp()

        self.pool, self.house = Deposits(clock=now), Clearing(clock=now)
        self.portone = PortOne(clock=now, base_url=PORTONE)
        self.more = {POOL: ("pool", self.pool), CLEARING: ("house", self.house), PORTONE: ("portone", self.portone)}

    def transport(self, request: net.Request) -> net.Reply:
        address = urlsplit(request.url)
        name, peer = self.more.get(f"{address.scheme}://{address.netloc}", ("", None))
        if peer is None:
            return super().transport(request)
        self.calls.append(request)
        if name in self.down:
            raise net.NotSent(f"{name} is down")
        path = address.path + (f"?{address.query}" if address.query else "")
        try:
            said = peer.handle(Request(request.method, path, dict(request.headers), request.content))
        except NoAnswer as silence:
            raise net.NoAnswer(str(silence)) from silence
        if said.delay_seconds > request.timeout:
            raise net.NoAnswer("too slow")
        return net.Reply(said.status, {k.lower(): v for k, v in said.headers.items()}, said.body)

    def pay_in(self, number: str, amount: int) -> None:
        """Somebody at a bank sends money to an account number."""
        self.control(self.pool, "POST", "deposits", {"number": number, "amount": amount, "remitter": "김민수"})

    def clerk(self, number: str, amount: int) -> None:
        """A clerk takes cash for the slip that a customer shows."""
        shown = till.take_slip(number, by=KIM)
        assert (shown.outcome, shown.amount) == ("open", amount), shown
        store = shifts.open_store("S1", "강남점", by=BOSS)
        shift = shifts.open_shift(store.pk, number[-3:], clerk=KIM, float_amount=100_000)
        pressed = Pressed(shift.pk, KIM, f"press-{number}", "cash", amount, amount)
        taken = till.take(pressed, slip=number)
        assert taken.outcome == "taken", taken

    def has_money(self, number: str, balance: int, bank: str = "088") -> None:
        self.control(
            self.house, "POST", "accounts", {"accounts": [{"bank": bank, "number": number, "balance": balance}]}
        )

    def a_banking_day_later(self, noon: clock.Frozen, debit_day: Any) -> None:
        """The file goes out, the house clears it, its results come home."""
        noon.set(clock.at(debit_day - timedelta(days=1), 16, 31))
        files.sweep(100)
        outbox.sweep(100)
        self.control(self.house, "POST", "clear", {"day": "9999-12-31"})
        noon.set(clock.at(debit_day + timedelta(days=1), 3, 5))
        answers.poll(100)
        home.bring(100)


@contextmanager
def offering(*names: str) -> Iterator[None]:
    """Settings under which customers are told of these providers; the ways follow."""
    entries = {**settings.DOENDA_PROVIDERS, **ENTRIES}
    with override_settings(DOENDA_PROVIDERS=entries, DOENDA_OFFERED=list(names or ALL), DOENDA_SEALING_KEYS=SEALING):
        providers.get.cache_clear()
        ensure_ways()
        yield
    providers.get.cache_clear()


@contextmanager
def many_ways(*names: str) -> Iterator[ManyWays]:
    with offering(*names):
        made = ManyWays()
        with net.using(made.transport):
            tending.refill(100)
            yield made


def paid(bill: Bill) -> bool:
    bill.refresh_from_db()
    return bill.state == "settled"

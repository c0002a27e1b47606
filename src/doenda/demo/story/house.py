"""The house in which the days are played: the real code on a clone of its own, its peers as classes, one clock.

As in the simulator everything stands in one process on one connection, and nothing moves but by us: the sweeps run when
the clock has been moved. Webhooks are not carried: what they would tell is read from the banks' lists by the sweeps.

Proofs are kept fresh honestly and cheaply. In production the prober walks every way every 30 s. Here nothing happens
between two hours, so the walks in between are left out: at each hour, before anything else, each way that can be walked
and is not withdrawn is walked for real, on the pages, to its last step. It has lapsed until then and is unproven, which
is the cautious side. A withdrawn way whose world has not changed since its last walk would fail again, and stays
withdrawn unwalked. When the world changes, walks follow each other in the prober's own 30 s until the ways stand still.
"""

import base64
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.test import Client, override_settings

from doenda.access import tokens
from doenda.assurance import standing, ways
from doenda.assurance.rule import Name
from doenda.billing.imports import run as imports
from doenda.billing.models import Bill, Line
from doenda.demo.story import population
from doenda.demo.story.population import Customer
from doenda.kernel import clock, ids, net, randomness, sweeps
from doenda.kernel.db import atomic
from doenda.kernel.ids import new_id, outside
from doenda.payments.counter import shifts, till
from doenda.payments.deposits import arrivals, tending  # noqa: F401 - their sweeps register themselves
from doenda.probes import walks
from doenda.sim import drivers, ground
from doenda.sim import line as lines
from doenda.sim.line import Peer
from doenda.sim.places import Hall

SEALING = (base64.urlsafe_b64encode(b"the story of fourteen days".ljust(32, b".")).decode(),)
PROVIDERS = ("sandbox", "deposit", "counter")
BANK = "088"
CLERK, OPERATOR = "clerk:kim", "operator:park"
BETWEEN_WALKS = timedelta(seconds=30)
MOST_WALKS = 20
NEWS = ("standing", "incidents", "facts", "deposits", "inquiries", "deposit numbers", "late answers")
COLLECTIONS = ("promises", "cases", "due_soon", "facts")
SENDING = ("outbox", "receipts", "facts")
MOMENT = timedelta(seconds=1)


class Refused(RuntimeError):
    """The import did not take our own file."""


class House:
    """Made by `house`. `bills`: by the customer's number, account and bill."""

    def __init__(self, now: clock.Frozen) -> None:
        self.now = now
        self.hall = Hall(f"{ground.BASE_URL}/webhooks")
        self.web = Client(raise_request_exception=True, SERVER_NAME="127.0.0.1")
        self.peers: dict[str, Peer] = {}
        self.bills: dict[int, tuple[UUID, UUID]] = {}
        self.shift_id: UUID | None = None
        self.settled: set[str] = set()
        """Withdrawn ways that were walked since the world changed last."""

    def open(self) -> dict[str, dict[str, Any]]:
        """Start the peers; the entries of DOENDA_PROVIDERS."""
        made = {name: drivers.of(name)(self.hall, lines.Line()) for name in PROVIDERS}
        for peer in (
            *(driver.peer for driver in made.values()),
            self.hall.peer("switch", "peers.switch.truth.Switch"),
            self.hall.peer("handset", "peers.handset.truth.Handset"),
        ):
            self.peers[peer.url] = peer
        return {name: driver.config() for name, driver in made.items()}

    def __call__(self, request: net.Request) -> net.Reply:
        """The transport of the net seam: to a peer, or to our own pages."""
        parts = urlsplit(request.url)
        base = f"{parts.scheme}://{parts.netloc}"
        if base == ground.BASE_URL:
            return self._page(request, f"{parts.path}?{parts.query}" if parts.query else parts.path)
        if base not in self.peers:
            raise net.NotSent(f"nobody is at {parts.netloc}")
        return self.peers[base].ask(request)

    def _page(self, request: net.Request, path: str) -> net.Reply:
        sent = {name: value for name, value in request.headers.items() if name.lower() != "content-type"}
        kind = request.headers.get("Content-Type", "application/octet-stream")
        said: Any = self.web.generic(request.method, path, request.content, content_type=kind, headers=sent)
        return net.Reply(said.status_code, {name.lower(): value for name, value in said.headers.items()}, said.content)

    def furnish(self, customers: Sequence[Customer]) -> None:
        """Import the carrier's bills, open a store, have the bank give its numbers."""
        ways.ensure_ways()
        with tempfile.TemporaryDirectory(prefix="doenda-story-") as folder:
            file = Path(folder) / "bills.csv"
            file.write_text(population.bills_csv(customers), encoding="utf-8")
            imported = imports.import_file(file, kind="bills", name="the story's bills")
        if not imported.ok:
            raise Refused("; ".join(str(each) for each in imported.report.problems[:5]))
        found = dict(Bill.objects.values_list("account__number", "pk"))
        accounts = dict(Bill.objects.values_list("account__number", "account_id"))
        self.bills = {one.number: (accounts[one.account], found[one.account]) for one in customers}
        self.peer("switch").control("POST", "services", {"ids": [outside(pk) for pk in _lines()]})
        numbers = [f"9{at:012}" for at in range(2 * len(customers) + 200)]
        self.peer("deposits").control("POST", "numbers", {"bank": BANK, "numbers": numbers})
        tending.refill(1)
        store = shifts.open_store("STORY", "시내점", by=OPERATOR)
        self.shift_id = shifts.open_shift(store.pk, "1", clerk=CLERK, float_amount=1_000_000).pk

    def peer(self, name: str) -> Peer:
        """ "bank", "deposits", "switch" or "handset"."""
        return self.peers[f"http://{name}.inside"]

    def breaks(self, methods: Sequence[str]) -> None:
        """From now on the last step of these methods fails at the bank: "a service fault", and nothing is taken."""
        self.peer("bank").control("PUT", "faults", {method: {"fault": "last_step_down"} for method in sorted(methods)})
        self.settled.clear()

    def deposit(self, number: str, amount: int, remitter: str) -> None:
        self.peer("deposits").control("POST", "deposits", {"number": number, "amount": amount, "remitter": remitter})

    def take_slip(self, number: str, amount: int) -> str:
        """A customer shows a slip at the store and pays in cash; what the till says."""
        return till.take(self._pressed(amount), slip=number).outcome

    def take_cash(self, account_id: UUID, bill_id: UUID, amount: int) -> str:
        return till.take(self._pressed(amount), account_id=account_id, bills=[(bill_id, amount)]).outcome

    def _pressed(self, amount: int) -> till.Pressed:
        assert self.shift_id is not None
        return till.Pressed(self.shift_id, CLERK, outside(new_id()), "cash", amount, tendered=amount)

    def link(self, number: int) -> str:
        """The address of the customer's bill."""
        account_id, bill_id = self.bills[number]
        with atomic():
            return f"{settings.DOENDA_BASE_URL}/p/{tokens.issue('bill', bill_id, account_id)}"

    def prove(self) -> None:
        """Walk what can be walked and has not been found failing since the world changed."""
        for slug in walks.ways():
            if slug not in self.settled:
                self._walk(slug)

    def _walk(self, slug: str) -> None:
        walks.walk(slug)
        if standing.current("pay")[slug].standing is Name.WITHDRAWN:
            self.settled.add(slug)

    def prove_until_still(self) -> None:
        """The prober's rounds after a change: until each way is proven, or withdrawn and walked."""
        for _ in range(MOST_WALKS):
            restless = [slug for slug in walks.ways() if slug not in self.settled]
            for slug in restless:
                self._walk(slug)
            standings = standing.current("pay")
            if all(standings[slug].standing in (Name.PROVEN, Name.WITHDRAWN) for slug in restless):
                return
            self.now.advance(BETWEEN_WALKS)

    def morning(self) -> None:
        """All that the worker's sweeps find to do. Collections work in the first hour of a day only: their steps leave
        in the morning anyway, and a payment closes its case by itself."""
        self._sweep(*NEWS, *COLLECTIONS, *SENDING)

    def work(self) -> None:
        """The same without collections: news of money, and what has to leave."""
        self._sweep(*NEWS, *SENDING)

    def _sweep(self, *names: str) -> None:
        for name in names:
            if name == "receipts":
                self.now.advance(MOMENT)
            sweeps.run(name, most=1_000_000)


def _lines() -> list[UUID]:
    return list(Line.objects.order_by("pk").values_list("pk", flat=True))


@contextmanager
def house(customers: Sequence[Customer], begins: datetime, seed: int | str) -> Iterator[House]:
    """A furnished house on the empty, migrated database that this process is connected to, at `begins`."""
    with ExitStack() as stack:
        now = stack.enter_context(clock.freeze(begins, deadlines=True))
        stack.enter_context(randomness.seeded(f"story {seed}"))
        ids.start_over()
        made = House(now)
        stack.enter_context(ground.standing(made.open(), sealing=SEALING))
        hand = f"{made.peer('deposits').url}/_control/deposits"
        stack.enter_context(override_settings(DOENDA_WALKED=["sandbox"], DOENDA_DEPOSIT_HAND_URL=hand))
        stack.enter_context(net.using(made))
        made.furnish(customers)
        yield made

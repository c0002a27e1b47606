"""A small world in one process: the house behind Django's client, peers as classes, joined by the net seam."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.test import Client

from doenda.access import tokens
from doenda.billing import accounts, bills
from doenda.billing.models import Account, Bill, Line, Party
from doenda.kernel import clock, net, sweeps
from doenda.kernel.db import atomic
from doenda.kernel.ids import outside
from peers.bank.truth import Bank
from peers.handset.truth import Handset
from peers.http import NoAnswer, Request
from peers.switch.truth import Switch


class World:
    """`bank`, `switch` and `handset` keep their own truth; `web` is the house as a browser sees it."""

    def __init__(self) -> None:
        def now() -> float:
            return clock.now().timestamp()

        self.bank = Bank(clock=now, base_url=settings.DOENDA_PROVIDERS["sandbox"]["url"])
        self.switch = Switch(clock=now)
        self.handset = Handset(clock=now, delay=0.0)
        self.web = Client(raise_request_exception=False)
        self.down: set[str] = set()
        self.calls: list[net.Request] = []

    def transport(self, request: net.Request) -> net.Reply:
        self.calls.append(request)
        address = urlsplit(request.url)
        base = f"{address.scheme}://{address.netloc}"
        path = address.path + (f"?{address.query}" if address.query else "")
        if base == settings.DOENDA_BASE_URL:
            return self._house(request, path)
        peers: dict[str, tuple[str, Any]] = {
            settings.DOENDA_PROVIDERS["sandbox"]["url"]: ("bank", self.bank),
            settings.DOENDA_SWITCH_URL: ("switch", self.switch),
            settings.DOENDA_HANDSET_URL: ("handset", self.handset),
        }
        name, peer = peers[base]
        if name in self.down:
            raise net.NotSent(f"{name} is down")
        try:
            said = peer.handle(Request(request.method, path, dict(request.headers), request.content))
        except NoAnswer as silence:
            raise net.NoAnswer(str(silence)) from silence
        if said.delay_seconds > request.timeout:
            raise net.NoAnswer("too slow")
        return net.Reply(said.status, {k.lower(): v for k, v in said.headers.items()}, said.body)

    def _house(self, request: net.Request, path: str) -> net.Reply:
        headers: Any = {name: value for name, value in request.headers.items() if name.lower() != "content-type"}
        kind = request.headers.get("Content-Type", "application/octet-stream")
        said = self.web.generic(request.method, path, request.content, content_type=kind, headers=headers)
        return net.Reply(said.status_code, {k.lower(): v for k, v in said.headers.items()}, said.content)

    def fault(self, method: str, fault: str, **more: Any) -> None:
        self.control(self.bank, "PUT", "faults", {method: {"fault": fault, **more}})

    def heal(self) -> None:
        self.control(self.bank, "PUT", "faults", {})

    def books(self) -> dict[str, Any]:
        found: dict[str, Any] = self.control(self.bank, "GET", "books")
        return found

    def control(self, peer: Any, method: str, path: str, body: object = None) -> Any:
        content = b"" if body is None else json.dumps(body).encode()
        said = peer.handle(Request(method, f"/_control/{path}", {}, content))
        assert said.status < 300, said.body
        return said.json() if said.body else None

    def rings(self) -> int:
        """Bring the bank's webhooks to the house, as they stand now. Returns how many."""
        rung = 0
        for delivery in self.bank.tick():
            request = net.Request("web", "POST", delivery.url, dict(delivery.headers), delivery.body)
            said = self._house(request, urlsplit(delivery.url).path)
            self.bank.sent(delivery, said.status)
            rung += 1
        return rung


@contextmanager
def world() -> Iterator[World]:
    made = World()
    with net.using(made.transport):
        yield made


def overdue_bill(
    amount: int = 52300, *, phone: str = "+821000001234", name: str = "김민수", days: int = 5, number: str = "B-1"
) -> Bill:
    """An open bill whose due date was `days` ago, of an account with one line and a holder."""
    with atomic():
        party = Party.objects.create(name=name, phone=phone, language="ko")
        account = accounts.open_account(f"A-{number}", "KRW", holder=party, lines=[phone])
        account = accounts.lock(account.pk)
        due = clock.today() - timedelta(days=days)
        first = date(due.year, due.month, 1)
        return bills.issue(
            account,
            number,
            [bills.Item("service", amount)],
            due_date=due,
            bill_date=first,
            period=((first - timedelta(days=1)).replace(day=1), first - timedelta(days=1)),
        )


def link(bill: Bill) -> str:
    with atomic():
        return f"{settings.DOENDA_BASE_URL}/p/{tokens.issue('bill', bill.pk, bill.account_id)}"


def register(made: World, account: Account) -> None:
    """Have the switch know the account's lines."""
    ids = [outside(line.pk) for line in Line.objects.filter(account=account)]
    made.control(made.switch, "POST", "services", {"ids": ids})


def settle_down() -> int:
    """Run every sweep until nothing is left to do now."""
    return sweeps.run_all()

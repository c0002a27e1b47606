"""Every way to pay at once: the house behind a real port in this process, its providers each a process of its own."""

import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application
from django.db import connections
from django.test import override_settings
from tests.channels.many_ways import BOSS as PARK
from tests.channels.many_ways import ENTRIES, SEALING

from doenda.app.stage import database
from doenda.assurance import hours
from doenda.assurance.ways import ensure_ways
from doenda.billing import books
from doenda.kernel import clock, net
from doenda.payments import providers
from doenda.payments.counter import shifts, till
from doenda.payments.counter.till import Pressed
from doenda.payments.deposits import tending

PEERS = {"bank": "sandbox", "deposits": "deposit", "clearing": "debit", "portone": "portone", "toss": "toss"}
CARD_3DS = "4000002500003155"
STRIPE_KEY = "sk_test_doenda"


@dataclass
class House:
    """`base` is its address; `at` that of each provider's process.

    `own` is a thread whose database connections lead to this house: those that playwright's loop keeps may be left over
    from another one.
    """

    base: str
    at: dict[str, str]
    own: ThreadPoolExecutor

    def here[R](self, act: Callable[[], R]) -> R:
        return self.own.submit(act).result()

    def pay_in(self, number: str, amount: int) -> None:
        """Somebody at a bank sends money to an account number."""
        asked = {"number": number, "amount": amount, "remitter": "김민수"}
        said = net.call("bank", "POST", f"{self.at['deposit']}/_control/deposits", json=asked)
        assert said.status == 200, said.body

    def clerk(self, number: str, amount: int) -> None:
        """A clerk takes cash for the slip that a customer shows."""
        self.here(lambda: self._take(number, amount))

    def _take(self, number: str, amount: int) -> None:
        store, clerk = shifts.open_store("S1", "강남점", by=PARK), f"clerk:{number}"
        shift = shifts.open_shift(store.pk, number[-4:], clerk=clerk, float_amount=100_000)
        taken = till.take(Pressed(shift.pk, clerk, f"press-{number}", "cash", amount, amount), slip=number)
        assert taken.outcome == "taken", taken


class _Quiet(WSGIRequestHandler):
    def log_message(self, *args: Any) -> None:
        """Says nothing: addresses are keys."""


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@contextmanager
def _peer(name: str, folder: Path) -> Iterator[str]:
    """One provider's process; where it listens."""
    argv = [sys.executable, "-m", f"peers.{name}", "--port", "0", "--journal", str(folder / f"{name}.jsonl")]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield "http://" + process.stdout.readline().split()[1]
        finally:
            process.terminate()


@contextmanager
def _stripe(folder: Path) -> Iterator[dict[str, Any]]:
    """localstripe, which nobody here wrote, and the settings with which it stands in for Stripe."""
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    argv = [sys.executable, "-m", "localstripe", "--port", str(port), "--from-scratch"]
    said = (folder / "localstripe.log").open("w")
    with said, subprocess.Popen(argv, stdout=said, stderr=said, cwd=folder) as process:
        try:
            yield {
                "url": url,
                "key": STRIPE_KEY,
                "publishable_key": "pk_test_doenda",
                "account": "acct_doenda",
                "webhook_secrets": ["whsec_doenda"],
                "script_url": f"{url}/js.stripe.com/v3/",
                "plain": True,
                "payment_method": _card(url),
            }
        finally:
            process.terminate()


def _card(url: str) -> str:
    """The one card with which every charge is made there: its bank asks the payer, who completes it."""
    form = f"type=card&card[number]={CARD_3DS}&card[exp_month]=12&card[exp_year]=2030&card[cvc]=123"
    headers = {"Authorization": f"Bearer {STRIPE_KEY}", "Content-Type": "application/x-www-form-urlencoded"}
    for _ in range(150):
        try:
            reply = net.call("stripe", "POST", f"{url}/v1/payment_methods", content=form.encode(), headers=headers)
            return str(reply.json()["id"])
        except (net.NotSent, net.NoAnswer):
            clock.sleep(0.1)
    raise RuntimeError("localstripe did not come up")


@contextmanager
def _served() -> Iterator[str]:
    server = ThreadedWSGIServer(("127.0.0.1", 0), _Quiet)
    server.set_app(get_wsgi_application())
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def _elsewhere() -> Iterator[None]:
    """The connections as they were, afterwards: another house may be standing."""
    before = {alias: dict(connections[alias].settings_dict) for alias in connections}
    books.forget()
    try:
        yield
    finally:
        books.forget()
        for alias, kept in before.items():
            connections[alias].close()
            connections[alias].settings_dict.update(kept)


@contextmanager
def ways_house(folder: Path) -> Iterator[House]:
    with ExitStack() as stack:
        stack.enter_context(_elsewhere())
        stack.enter_context(database(fast=True))
        own = stack.enter_context(ThreadPoolExecutor(1))
        at = {PEERS[name]: stack.enter_context(_peer(name, folder)) for name in PEERS}
        base = stack.enter_context(_served())
        entries = entries_of(at) | {"stripe": stack.enter_context(_stripe(folder))}
        stack.enter_context(
            override_settings(
                DOENDA_PROVIDERS=entries,
                DOENDA_OFFERED=list(entries),
                DOENDA_SEALING_KEYS=SEALING,
                DOENDA_BASE_URL=base,
                DOENDA_CALENDARS=str(never_closed(folder)),
            )
        )
        stack.callback(providers.get.cache_clear)
        providers.get.cache_clear()
        ensure_ways()
        tending.refill(100)
        yield House(base, at, own)
        own.submit(connections.close_all).result()


def never_closed(folder: Path) -> Path:
    """Calendars with which no bank and no store is ever closed: these pages are walked at any hour of the night."""
    written = folder / "calendars.toml"
    written.write_text("".join(f"[calendars.{name}]\n" for name in hours.calendars()))
    return written


def entries_of(at: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Each provider's settings, with the address of its process."""
    from django.conf import settings

    found = {**settings.DOENDA_PROVIDERS, **ENTRIES}
    found["toss"] = {"keys": ["test_sk_doenda"], "client_key": "", "merchant": "doenda"}
    for name, url in at.items():
        found[name] = found[name] | {"url": url}
    found["portone"]["sdk"] = f"{at['portone']}/v2/browser-sdk.js"
    return found

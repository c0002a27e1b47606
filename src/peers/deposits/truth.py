"""The deposit bank: its API, its control door, its night, and the faults that strike it."""

import hashlib
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, ClassVar

from peers.deposits import acts, webhooks
from peers.deposits.control import control
from peers.deposits.state import CURRENCY, Answer, Entry, Merchant, Number, State
from peers.faults import AFTER, BEFORE, EVERYONE, Faults
from peers.http import NoAnswer, Refused, Request, Response, answer
from peers.journal import Journal
from peers.truth import Clock, Hook, Truth, iso

LOST = "FAILED_INTERNAL_SYSTEM_PROCESSING"
FAULTS = (*BEFORE, *AFTER, *webhooks.FAULTS, "dead", "inquiry_down", "hidden")
KST = timezone(timedelta(hours=9))


def _live(name: str, usual: str) -> tuple[str, ...]:
    return tuple(each.strip() for each in (os.environ.get(name) or usual).split(",") if each.strip())


class Deposits(Truth):
    """The bank of the carrier's account numbers. Money in minor units.

    `journal` is a path (or an open Journal) that survives; `clock` gives seconds since 1970; `ids` the varying part of
    webhook ids. `handle` answers; `due`, `tick` and `sent` drive its webhooks. Raises JournalDamaged.
    """

    kinds: ClassVar[tuple[type, ...]] = (Number, Entry, Answer, Merchant)

    def __init__(
        self,
        journal: Journal | os.PathLike[str] | None = None,
        *,
        clock: Clock | None = None,
        ids: Callable[[], str] | None = None,
        base_url: str = "http://127.0.0.1",
    ) -> None:
        keys = _live("DEPOSIT_BANK_KEY", "deposit-key")
        signing = _live("DEPOSIT_WEBHOOK_SECRET", "deposit-webhook-secret")
        self.state = State(Merchant(keys, signing, os.environ.get("DEPOSIT_WEBHOOK_URL", "")))
        self.faults = Faults(FAULTS, (EVERYONE,), usually=("open",))
        self.new_id = ids or (lambda: secrets.token_hex(12))
        super().__init__(Journal.at(journal), clock, base_url)

    def _apply(self, change: object) -> None:
        self.state.apply(change)
        if isinstance(change, Entry) and change.hidden_until is not None:
            self.plan(change.hidden_until, str(change.n))

    def _sign(self, hook: Hook, now: float) -> Mapping[str, str]:
        return webhooks.headers(hook, now)

    def _ring(self, key: str, now: float) -> None:
        entry = self.state.entries[int(key) - 1]
        if entry.hidden_until is not None and entry.hidden_until <= now:
            self.commit(replace(entry, hidden_until=None))

    def reports(self, entry: object) -> list[Hook]:
        """The webhooks that follow from a movement."""
        assert isinstance(entry, Entry)
        return webhooks.reports(
            entry,
            self.state.merchant,
            self.faults,
            self.now(),
            number=self.next_hook,
            ident=lambda: f"dep_{self.new_id()}",
        )

    def receive(self, asked: dict[str, Any]) -> Entry:
        """Somebody's deposit; with the fault `hidden` it is booked, and listed only later. Raises Refused."""
        entry, _ = acts.deposit(self, asked)
        hidden = self.faults.fires(("hidden",))
        if hidden:
            entry = replace(entry, hidden_until=self.now() + hidden.hold())
        self.commit(entry, *self.reports(entry))
        return entry

    def closed_until(self) -> float | None:
        """When the bank opens again, if it is its night."""
        if not self.state.merchant.closed:
            return None
        begin, end = (
            timedelta(hours=int(one[:2]), minutes=int(one[3:])) for one in self.state.merchant.closed.split("-")
        )
        local = datetime.fromtimestamp(self.now(), UTC).astimezone(KST)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        for day in (midnight - timedelta(days=1), midnight):
            until = day + end + (timedelta(days=1) if end <= begin else timedelta())
            if day + begin <= local < until:
                return until.timestamp()
        return None

    def _answer(self, request: Request) -> Response:
        words = request.route.strip("/").split("/")
        if words[0] == "_control":
            return control(self, request, words[1:])
        if self.faults.fires(("dead",)):
            raise NoAnswer
        self._known(request)
        until = self.closed_until()
        if until is not None:
            return answer(503, {"code": "CLOSED", "message": "the bank is closed", "until": iso(until)})
        if request.method in ("GET", "HEAD"):
            return self.struck("look", lambda _: self._look(request, words), lost=LOST, unsaid=LOST)
        on, act = self._act(request, words)
        return self.struck(on, lambda _: self._once(request, act), lost=LOST, unsaid=LOST)

    def _known(self, request: Request) -> None:
        kind, _, key = request.header("authorization").partition(" ")
        live = [secrets.compare_digest(one.encode(), key.strip().encode()) for one in self.state.merchant.keys]
        if kind.lower() != "bearer" or not any(live):
            raise Refused(401, "UNAUTHORIZED_KEY", "Authorization: Bearer and a live key")

    def _look(self, request: Request, words: list[str]) -> Response:
        if self.faults.fires(("inquiry_down",)):
            raise Refused(503, "SERVICE_FAULT", "inquiries are down")
        after, limit = request.number("after", 0, most=10**15), request.number("limit", 100, most=10_000)
        now = self.now()
        match words:
            case ["v1", "numbers"]:
                pool = list(self.state.numbers.values())[after : after + limit]
                return answer(200, {"numbers": [one.public(now) for one in pool]})
            case ["v1", "numbers", number]:
                return answer(200, self._number(number).public(now))
            case ["v1", "deposits"]:
                return answer(200, {"merchant": "doenda", "entries": self._list(after, limit, request.query)})
            case ["v1", "deposits", ident]:
                entry = self.state.deposit(ident)
                if entry is None:
                    raise Refused(404, "NOT_FOUND_DEPOSIT", "no such deposit")
                return answer(200, self.state.document(entry))
            case ["v1", "balance"]:
                return answer(200, {"balance": self.state.books()["net"], "currency": CURRENCY})
        raise Refused(404, "NOT_FOUND", request.route)

    def _list(self, after: int, limit: int, query: Mapping[str, str]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for one in self.state.entries[after:]:
            if len(found) == limit:
                break
            if one.hidden_until is None and query.get("number", one.number) == one.number:
                found.append(one.public())
        return found

    def _number(self, number: str) -> Number:
        found = self.state.numbers.get(number)
        if found is None:
            raise Refused(404, "NOT_FOUND_NUMBER", "no such number", kept=False)
        return found

    def _act(self, request: Request, words: list[str]) -> tuple[str, acts.Act]:
        if request.method != "POST":
            raise Refused(404, "NOT_FOUND", request.route)
        asked = request.json()
        match words:
            case ["v1", "numbers", number, "open"]:
                return "open", lambda: acts.open_number(self, asked, self._number(number))
            case ["v1", "numbers", number, "close"]:
                return "close", lambda: acts.close_number(self, asked, self._number(number))
            case ["v1", "deposits", ident, "return"]:
                return "return", lambda: acts.give_back(self, asked, ident)
        raise Refused(404, "NOT_FOUND", request.route)

    def _once(self, request: Request, act: acts.Act) -> Response:
        """Act, or with a key seen before give the stored answer."""
        key = request.header("idempotency-key")
        if len(key) > 300:
            raise Refused(400, "INVALID_IDEMPOTENCY_KEY", "at most 300 characters")
        scope = f"{request.method} {request.route} {key}" if key else ""
        digest = hashlib.sha256(request.body).hexdigest()[:32]
        stored = self.state.answers.get(scope)
        if stored is not None:
            if stored.digest != digest:
                raise Refused(400, "INVALID_IDEMPOTENCY_KEY", "this key was used with another body")
            return answer(stored.status, stored.document)
        document, changes = act()
        hooks = [hook for change in changes if isinstance(change, Entry) for hook in self.reports(change)]
        self.commit(*changes, *hooks, *([Answer(scope, digest, 200, document)] if scope else []))
        return answer(200, document)

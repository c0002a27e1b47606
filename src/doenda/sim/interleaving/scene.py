"""The world of one run: fresh accounts and bills, fresh peers with books of their own, a clock that stands still.

A scenario is a generator: it sets the stage, yields its actors (by name), gets what became of them, and looks at the
end. Actors call the house's own doors; whatever else holds of every run is looked at by `checks`.
"""

import contextlib
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import F, Q

from doenda.billing import accounts, bills
from doenda.billing.models import Account, Bill, Party
from doenda.kernel import clock, net, outbox, sweeps
from doenda.kernel.db import atomic
from doenda.kernel.ids import new_id, outside
from doenda.kernel.models import FactRow, OutboxRow
from doenda.payments import attempts, charge, doorbells, inquiry, providers
from doenda.payments.deposits.models import DepositFeed, DepositNumber
from doenda.payments.models import Attempt
from doenda.payments.providers.contract import PayInto
from doenda.sim import drivers
from doenda.sim.driver import Begun, Driver
from doenda.sim.interleaving.engine import Act, Ended, Engine
from doenda.sim.line import Bell, Line, Peer
from doenda.sim.places import Inside, Outside

AMOUNT = 52_300
DEPOSIT_BANK = "088"
RETURN = "http://127.0.0.1:8000/s/return"
FIRST_DAY = date(2014, 10, 22)
"""A Wednesday; every run begins at its noon."""

TEXTS = ("notice",)
"""Texts to customers: they leave the house only where a scenario is about them."""

type Acts = Mapping[str, Act]
type Play = Generator[Acts, Ended]


@dataclass(frozen=True, slots=True)
class Scenario:
    """`play` is the generator; `providers` whose peers take part; `dies`: what an actor may die of by right."""

    name: str
    play: "Callable[[Scene], Play]"
    actors: int
    providers: tuple[str, ...]
    dies: tuple[type[BaseException], ...]
    inside: bool

    @property
    def words(self) -> str:
        return " ".join((self.play.__doc__ or "").split())

    @property
    def preemptions(self) -> int | None:
        """How often an actor that could go on is interrupted: at every boundary, or not so often where it is dear."""
        if self.inside:
            return 1
        return None if self.actors == 2 else 2


REGISTRY: dict[str, Scenario] = {}


def scenario(
    name: str,
    *,
    actors: int = 2,
    providers: tuple[str, ...] = ("sandbox",),
    dies: tuple[type[BaseException], ...] = (),
    inside: bool = False,
) -> "Callable[[Callable[[Scene], Play]], Callable[[Scene], Play]]":
    """Register a scenario. `inside`: it is also run with boundaries at every statement, as "NAME, inside"."""

    def register(play: "Callable[[Scene], Play]") -> "Callable[[Scene], Play]":
        if name in REGISTRY:
            raise ValueError(f"two scenarios are called {name!r}")
        REGISTRY[name] = Scenario(name, play, actors, providers, dies, inside=False)
        if inside:
            REGISTRY[f"{name}, inside"] = Scenario(f"{name}, inside", play, actors, providers, dies, inside=True)
        return play

    return register


@dataclass(frozen=True, slots=True)
class Coming:
    """An attempt whose customer has done all that its provider asked, and is on the way back with these words."""

    attempt_id: UUID
    said: Mapping[str, str]


@dataclass
class Scene:
    """What a scenario sets its stage with, and what its actors do."""

    engine: Engine
    now: clock.Frozen
    place: Outside
    line: Line
    drivers: dict[str, Driver] = field(default_factory=dict)
    switch: Peer | None = None
    account_ids: list[UUID] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    tells: bool = False
    later: set[str] = field(default_factory=lambda: {*TEXTS, "switch_check"})
    """Kinds of effects that may still wait at the end: texts that nobody is interested in, what is due days later."""

    # --- people and bills

    def account(self, *, lines: int = 0) -> Account:
        number = outside(new_id())
        with atomic():
            party = Party.objects.create(name="김표본", phone="+821000001234", language="ko")
            phones = [f"+8210{new_id().int % 10**8:08}" for _ in range(lines)]
            made = accounts.open_account(f"A-{number}", "KRW", holder=party, lines=phones)
        self.account_ids.append(made.pk)
        return made

    def bill(self, amount: int = AMOUNT, *, account: Account | None = None, due_in: int = 14) -> Bill:
        """An open bill, of a new account unless one is given."""
        account = account or self.account()
        due = clock.today() + timedelta(days=due_in)
        first = due.replace(day=1)
        before = first - timedelta(days=1)
        with atomic():
            return bills.issue(
                accounts.lock(account.pk),
                f"B-{outside(new_id())}",
                [bills.Item("service", amount)],
                due_date=due,
                bill_date=first,
                period=(before.replace(day=1), before),
            )

    # --- the customer

    def start(
        self,
        bill: Bill,
        provider: str = "sandbox",
        *,
        method: str = "",
        session: UUID | None = None,
        amount: int = 0,
        mandate_id: UUID | None = None,
    ) -> attempts.Result:
        """The customer has chosen a way."""
        driver = self.drivers[provider]
        return attempts.start(
            bill.account_id,
            [(bill.pk, amount or bill.amount)],
            channel="web",
            method=method or driver.method or driver.deposit_method,
            provider=provider,
            return_url=RETURN,
            lang="ko",
            session_id=session,
            bank=driver.bank,
            mandate_id=mandate_id,
        )

    def begin(self, bill: Bill, provider: str = "sandbox", **more: Any) -> Attempt:
        said = self.start(bill, provider, **more)
        assert said.attempt_id is not None, said
        return Attempt.objects.get(pk=said.attempt_id)

    def coming(self, bill: Bill, provider: str = "sandbox", **more: Any) -> Coming:
        """The customer has begun, and has approved at the provider."""
        attempt = self.begin(bill, provider, **more)
        return Coming(attempt.pk, self.drivers[provider].approve(self.begun(attempt)))

    def begun(self, attempt: Attempt) -> Begun:
        client: Mapping[str, str] = attempt.details.get("client") or {}
        number = (attempt.details.get("pay_into") or {}).get("number", "")
        ref, order_id = attempt.provider_ref or "", outside(attempt.pk)
        return Begun(order_id, ref, attempt.amount, attempt.redirect_url, client, RETURN, number)

    def back(self, came: Coming) -> str:
        """The customer comes back and says yes. What the page says."""
        attempt = Attempt.objects.get(pk=came.attempt_id)
        read = providers.get(attempt.provider).returned(came.said)
        if read.failed or read.cancelled:
            return "failed"
        order_id = read.order_id or outside(attempt.pk)
        said = charge.confirm(attempt.pk, order_id=order_id, ref=read.ref, amount=read.amount, token=read.token)
        return said.outcome

    def walk_on(self, attempt_id: UUID) -> str:
        """From the choice of a way on: to the provider's page, approve, come back, say yes."""
        self.engine.pause("at the provider's page")
        attempt = Attempt.objects.get(pk=attempt_id)
        if not attempt.redirect_url:
            return "nowhere to go"
        return self.back(Coming(attempt_id, self.drivers[attempt.provider].approve(self.begun(attempt))))

    def pay(self, bill: Bill, provider: str = "sandbox", **more: Any) -> Attempt:
        """The whole way at once."""
        came = self.coming(bill, provider, **more)
        said = self.back(came)
        assert said == "paid", said
        return Attempt.objects.get(pk=came.attempt_id)

    # --- the worker, the provider

    def more_numbers(self) -> None:
        """Numbers rest for weeks once they have served: the bank gives more before they run out."""
        if DepositNumber.objects.filter(free_at__lte=clock.now(), bank=DEPOSIT_BANK)[:20].count() < 20:
            numbers = [f"0887{new_id().int % 10**9:09}" for _ in range(200)]
            self.drivers["deposit"].peer.control("POST", "numbers", {"bank": DEPOSIT_BANK, "numbers": numbers})
            with atomic():
                DepositNumber.objects.bulk_create(DepositNumber(bank=DEPOSIT_BANK, number=each) for each in numbers)

    def read_on(self) -> None:
        """The bank's list goes on from run to run: what it says of earlier ones is read before this one begins."""
        sweeps.run("deposits")
        with atomic():
            DepositFeed.objects.update(checked=F("cursor"), checked_at=None)

    def deposit(self, attempt: Attempt, amount: int = AMOUNT) -> bool:
        """The payer brings money to the attempt's account number; False if the bank turns it away."""
        into = Attempt.objects.get(pk=attempt.pk).details["pay_into"]
        try:
            self.drivers[attempt.provider].deposit(PayInto(into["bank"], into["number"], into["holder"]), amount)
        except RuntimeError:
            return False
        self.engine.pause("the deposit is at the bank")
        return True

    def bells(self, attempt_id: UUID) -> list[Bell]:
        """The webhooks about an attempt that its provider has sent by now."""
        attempt = Attempt.objects.get(pk=attempt_id)
        return self.drivers[attempt.provider].bells(self.begun(attempt), seconds=0.2)

    def ring(self, provider: str, bell: Bell) -> bool:
        return doorbells.ring(provider, {name.title(): value for name, value in bell.headers.items()}, bell.body)

    def ask(self, attempt_id: UUID) -> str:
        """The worker asks about one attempt."""
        return inquiry.ask(Attempt.objects.get(pk=attempt_id)).outcome

    def send(self, kind: str, key: str = "") -> str:
        """A worker claims a row of this kind, if one is free, and sends it."""
        row = outbox.claim(Q(kind=kind, key=key) if key else Q(kind=kind))
        return "nothing" if row is None else type(outbox.send_claimed(row)).__name__

    def post(self) -> int:
        """Everything that waits is sent: what the outbox holds for the accounts of this run, or for no account."""
        sent = 0
        mine = (Q(account_id__in=self.account_ids) | Q(account_id=None)) & ~Q(kind__in=() if self.tells else TEXTS)
        while row := outbox.claim(mine):
            outbox.send_claimed(row)
            sent += 1
        return sent

    def rest(self, *names: str) -> None:
        """All is well, time goes on, the worker works: until nothing moves any more."""
        self.line.heal()
        for _ in range(8):
            self.now.advance(timedelta(seconds=61))
            for name in ("facts", *names, "inquiries"):
                sweeps.run(name)
            self.post()
            if not self.waiting():
                break

    def waiting(self) -> bool:
        """Does anything of these accounts still wait for the worker?"""
        mine = {"account_id__in": self.account_ids}
        unsent = OutboxRow.objects.filter(done_at=None, parked_at=None, **mine).exclude(kind__in=self.later)
        untold = FactRow.objects.filter(**mine).exclude(pending=[])
        return Attempt.objects.filter(in_flight=True, **mine).exists() or unsent.exists() or untold.exists()

    def pass_time(self, seconds: float) -> None:
        self.now.advance(timedelta(seconds=seconds))

    # --- the end

    def expect(self, holds: object, words: str) -> None:
        if not holds:
            self.wrong.append(words)


class _Place(Inside):
    """Peers of this run alone; but the deposit bank numbers its movements, so one database knows one such bank."""

    def peer(self, name: str, truth: str) -> Peer:
        if name != "deposits":
            return super().peer(name, truth)
        key = f"{connection.settings_dict['HOST']} {connection.settings_dict['NAME']}"
        if key not in _deposit_banks:
            _deposit_banks.clear()
            _deposit_banks[key] = super().peer(name, truth)
        return _deposit_banks[key]


_deposit_banks: dict[str, Peer] = {}


def forget() -> None:
    """The next run begins with a deposit bank that has moved nothing: its database was emptied."""
    _deposit_banks.clear()


@contextlib.contextmanager
def staged(engine: Engine, names: tuple[str, ...]) -> Iterator[Scene]:
    """A fresh world: clock, peers, the house's settings; put back afterwards."""
    before = settings.DOENDA_PROVIDERS, settings.DOENDA_SWITCH_URL
    line = Line()
    with clock.freeze(clock.at(FIRST_DAY, 12)) as now, _Place() as place, contextlib.ExitStack() as stack:
        scene = Scene(engine, now, place, line)
        scene.switch = place.peer("switch", "peers.switch.truth.Switch")
        line.connect(scene.switch)
        settings.DOENDA_SWITCH_URL = scene.switch.url
        scene.drivers = {name: drivers.of(name)(place, line) for name in names}
        settings.DOENDA_PROVIDERS = {name: driver.config() for name, driver in scene.drivers.items()}
        providers.get.cache_clear()
        stack.enter_context(net.using(engine.through(line)))
        try:
            for driver in scene.drivers.values():
                if driver.name != "counter":  # each run has tills of its own
                    driver.prepare()
                    stack.callback(driver.tidy)
            if "deposit" in names:
                scene.more_numbers()
                scene.read_on()
            yield scene
        finally:
            settings.DOENDA_PROVIDERS, settings.DOENDA_SWITCH_URL = before
            providers.get.cache_clear()

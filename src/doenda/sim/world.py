"""A world: the real house, every provider of money, the switch and the handsets, in one process and on one clock.

Here is only what there is and what happened; what is done in it are the acts, and what goes wrong `network` and
`points`.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import DatabaseError, InterfaceError, connection
from django.test import Client

from doenda.kernel import clock, net, randomness
from doenda.kernel.database import seam
from doenda.kernel.ids import outside
from doenda.kernel.randomness import Chance
from doenda.payments.models import Attempt
from doenda.payments.providers.contract import PayInto
from doenda.sim import acts, ground, invariants, spares
from doenda.sim.driver import Begun, Driver
from doenda.sim.letters import Post
from doenda.sim.line import Line, Peer
from doenda.sim.network import Network
from doenda.sim.places import Hall
from doenda.sim.points import Point, Points
from doenda.sim.schedule import Schedule

DEEPEST = 3
"""How many may act inside each other."""
TOO_LONG = frozenset({"a_week_of_collections", "a_day_of_collections", "all_sweeps", "people_catch_up"})
"""Acts that are many: they are not done in the middle of another."""
MOST_BETWEEN = 6
"""How many may act in between in one step, in all."""
RETURN = f"{ground.BASE_URL}/s/return"


@dataclass
class Customer:
    """One account's people. `secrets`: every value that is theirs alone."""

    account_id: UUID
    label: str
    name: str
    phone: str
    number: str
    bill_ids: list[UUID] = field(default_factory=list)
    bank_account: str = ""
    mandate_id: UUID | None = None
    tokens: list[str] = field(default_factory=list)
    secrets: tuple[str, ...] = ()
    probe: bool = False


@dataclass
class Press:
    """A clerk's press of "take" (or "void") that has not been answered yet: it is pressed again until it is."""

    what: str
    key: str
    amount: int
    customer: Customer | None = None
    bill_id: UUID | None = None
    slip: str = ""
    receipt_id: UUID | None = None
    shift_id: UUID | None = None


class World:
    """Made by `building.world`."""

    def __init__(self, schedule: Schedule, now: clock.Frozen, points: Points) -> None:
        self.seed, self.schedule, self.now, self.points = schedule.seed, schedule, now, points
        self.rates = schedule.rates
        self.chance: Chance = randomness.stream(f"{self.seed}:before")
        self.hall = Hall(f"{ground.BASE_URL}/webhooks")
        self.network = Network(self)
        self.drivers: dict[str, Driver] = {}
        self.post = Post(self)
        self.web = Client(raise_request_exception=False, SERVER_NAME="127.0.0.1")
        self.customers: list[Customer] = []
        self.attempts: list[UUID] = []
        self.presses: list[Press] = []
        self.shift_id: UUID | None = None
        self.shown: list[tuple[UUID | None, str]] = []
        self.sent_to_switch: list[net.Request] = []
        self.lines: list[str] = []
        self.faults: Counter[str] = Counter()
        self.hindered: Counter[str] = Counter()
        """Acts that could not be done, by their name: not worth a word in the story."""
        self.down: set[str] = set()
        self.surprises: list[str] = []
        self.handed: set[tuple[str, UUID | None]] = set()
        """What a clerk has given out of the drawer already."""
        self.depth = 0
        self.between = 0
        self.commits = 0
        """How many were tried: while this stands still, the house's rows do."""
        self.step: int | None = None
        self.switch: Peer
        self.handset: Peer

    # --- who is there

    def connect(self, name: str, peer: Peer, line: Line) -> None:
        line.connect(peer)
        self.network.connect(name, line, peer.url)

    def peer(self, name: str) -> Peer:
        """A provider's peer, "switch" or "handset"."""
        return (
            {"switch": self.switch, "handset": self.handset}[name]
            if name not in self.drivers
            else self.drivers[name].peer
        )

    def customer_of(self, account_id: UUID) -> Customer:
        return next(each for each in self.customers if each.account_id == account_id)

    def label(self, account_id: UUID) -> str:
        return self.customer_of(account_id).label

    def numbers(self) -> list[str]:
        """The account numbers that the deposit bank gave the carrier."""
        bank = self.hall.truths["deposits"]
        return sorted(bank.state.numbers)

    def note_attempts(self) -> None:
        """Know every attempt that there is, in the order in which they were begun."""
        self.attempts = list(Attempt.objects.order_by("pk").values_list("pk", flat=True))

    def begun(self, attempt: Attempt) -> Begun:
        """The attempt as its payer sees it."""
        client = attempt.details.get("client") or {}
        number = (attempt.details.get("pay_into") or {}).get("number", "")
        named = (outside(attempt.id), attempt.provider_ref or "", attempt.amount, attempt.redirect_url, client, RETURN)
        return Begun(*named, number)

    @staticmethod
    def pay_into(attempt: Attempt) -> PayInto | None:
        into = attempt.details.get("pay_into")
        return PayInto(into["bank"], into["number"], into.get("holder", "")) if into else None

    # --- what happens

    def say(self, words: str) -> None:
        """One short sentence of the story."""
        self.lines.append(f"{'  ' * self.depth}{words}")

    def met(self, fault: str, end: str) -> None:
        """The house met trouble at this end."""
        self.faults[fault] += 1
        self.say(f"({end}: {fault})")

    def dies(self, kind: Point) -> None:
        self.faults[f"death {kind}"] += 1
        self.say(f"THE PROCESS DIED {kind} (point {self.points.passed})")

    def leaves(self, end: str, request: net.Request) -> None:
        """A request is on its way to the switch or to the handsets: judged at this moment."""
        if end == "switch" and request.method == "PATCH":
            self.sent_to_switch.append(request)
        with self.looked_at():
            invariants.as_it_leaves(self, end, request)

    @contextmanager
    def looked_at(self) -> Iterator[None]:
        """While somebody looks at the world nothing happens in it."""
        asleep, self.points.asleep = self.points.asleep, True
        try:
            yield
        finally:
            self.points.asleep = asleep

    def others_act(self) -> None:
        """Somebody else may act here: another process of the house, a customer, the world."""
        if self.points.asleep or self.depth == 0 or self.depth > DEEPEST or not self.rates.between:
            return
        if self.chance.random() < self.rates.between:
            self.somebody_acts()

    def somebody_acts(self) -> None:
        """Whoever comes next by this world's weights."""
        if self.depth <= DEEPEST and self.between < MOST_BETWEEN:
            self.between += 1
            beside = {name: weight for name, weight in self.schedule.weights.items() if name not in TOO_LONG}
            if any(beside.values()):
                self.act(self.chance.choices(list(beside), list(beside.values()))[0])

    def act(self, name: str) -> None:
        """One actor does one thing; its death is its own."""
        self.depth += 1
        try:
            acts.named(name)(self)
        except seam.Crash:
            connection.close()
            ground.forget()
        except acts.Hindered:
            self.hindered[name] += 1
        except Exception as error:  # noqa: BLE001 - whatever the house raises at its own door is found out here
            if self.expects(error):
                self.say("the connection was lost; whoever did this was told so")
            else:
                self.surprised(name, error)
        finally:
            self.depth -= 1

    @staticmethod
    def expects(error: BaseException) -> bool:
        """Is it what a process is told when its connection to the database is lost?"""
        state = getattr(error.__cause__, "sqlstate", None) or ""
        return isinstance(error, DatabaseError | InterfaceError) and state.startswith("08")

    def surprised(self, where: str, error: BaseException) -> None:
        """An error that nobody there expects."""
        words = f"{where}: {type(error).__name__}: {error}"[:300]
        self.say(f"UNEXPECTED {words}")
        self.surprises.append(words)

    def watch(self, when: seam.When, wrapper: Any) -> None:
        """The commit seam."""
        if wrapper.alias != "default":
            return
        self.commits += when == "before"
        if self.depth == 0:
            return
        match when:
            case "begin":
                self.others_act()
                self._strike(Point.BEGIN, wrapper)
            case "before":
                self._strike(Point.BEFORE, wrapper)
                self._strike(Point.RESET, wrapper)
            case "after":
                self._strike(Point.AFTER, wrapper)
                self._strike(Point.LOST, wrapper)

    def _strike(self, kind: Point, wrapper: Any) -> None:
        if not self.points.strikes(kind, self.chance):
            return
        if kind in (Point.LOST, Point.RESET):
            self.faults[kind] += 1
            self.say(f"{kind.upper()} (point {self.points.passed})")
            spares.cut(wrapper)
        self.dies(kind)
        spares.die(wrapper)

    @contextmanager
    def moving(self) -> Iterator[None]:
        """The house's network and commits pass through this world."""
        with net.using(self.network), seam.watching(self.watch):
            yield

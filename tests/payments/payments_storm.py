"""A storm over the money path, after TigerBeetle's VOPR: one seed, one schedule, the same every time.

Customers, the worker's sweeps, doorbells, the biller and the clock act in a random order; while one of them waits for
the bank, others act; the bank fails in all its ways; processes die at commits. Then everything is healed and must come
to rest with every won where the bank says it is.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Sum
from tests.worlds import World, overdue_bill

from doenda.billing import accounts, bills, books, post
from doenda.billing.models import Account, Bill, Posting
from doenda.kernel import clock, net, outbox, sweeps
from doenda.kernel.database import seam
from doenda.kernel.db import atomic
from doenda.kernel.ids import new_id, outside
from doenda.kernel.models import FactRow, OutboxRow
from doenda.payments import attempts, charge, doorbells, providers
from doenda.payments.models import Attempt
from doenda.payments.states import IN_FLIGHT, State

CUT = ("timeout_before", "timeout_after", "error_before", "error_after", "slow")
OTHER = ("refuse", "last_step_down", "dead", "inquiry_down", "no_webhook", "duplicate_webhook", "late_webhook")
DEEPEST = 3
KEY = "sandbox-key"


@dataclass
class Storm:
    seed: int
    rng: random.Random
    noon: clock.Frozen
    world: World
    bills: list[UUID] = field(default_factory=list)
    begun: list[UUID] = field(default_factory=list)
    changed: set[UUID] = field(default_factory=set)
    letters: list[Any] = field(default_factory=list)
    depth: int = 0
    weights: list[float] = field(default_factory=list)
    crash_rate: float = 0.0
    between: float = 0.0
    log: list[str] = field(default_factory=list)

    # --- the world around

    def transport(self, request: net.Request) -> net.Reply:
        """The network: others may act before the request arrives, and before its answer does."""
        self.others_act()
        reply = self.world.transport(request)
        self.others_act()
        return reply

    def others_act(self) -> None:
        if self.depth < DEEPEST and self.rng.random() < self.between:
            self.act()

    def watch(self, when: str, wrapper: Any) -> None:
        if self.rng.random() < self.crash_rate:
            self.log.append(f"{'  ' * self.depth}dies {when} a commit")
            seam.die(wrapper)

    def act(self) -> None:
        """One actor does one thing; its death is its own."""
        does = self.rng.choices([each for each, _ in ACTS], self.weights)[0]
        self.log.append(f"{'  ' * self.depth}{does.__name__}")
        self.depth += 1
        try:
            does(self)
        except seam.Crash:
            connection.close()
        finally:
            self.depth -= 1

    # --- the two phases

    @property
    def rates(self) -> str:
        return f"others {self.between}, deaths {self.crash_rate}"

    def run(self, steps: int) -> None:
        self.world.bank.new_id = lambda: self.rng.randbytes(12).hex()
        self.weights = [weight * self.rng.choice([0.1, 1, 1, 4]) for _, weight in ACTS]  # each storm has its own bent
        self.between, self.crash_rate = self.rng.choice([0.0, 0.2, 0.5]), self.rng.choice([0.0, 0.02, 0.1])
        self.world.control(
            self.world.bank, "PUT", "merchant", {"webhook_url": f"{settings.DOENDA_BASE_URL}/webhooks/sandbox"}
        )
        for number in range(self.rng.randint(1, 2)):
            bill = overdue_bill(
                self.rng.choice([900, 52300]), number=f"S{self.seed}-{number}", phone=f"+8210{self.seed:05}{number:03}"
            )
            self.bills.append(bill.pk)
            if self.rng.random() < 0.2:
                with atomic():
                    Account.objects.filter(pk=bill.account_id).update(probe=True)
                    self.changed.add(bill.pk)
            elif self.rng.random() < 0.4:
                with atomic():
                    more = bills.issue(
                        accounts.lock(bill.account_id),
                        f"S{self.seed}-{number}b",
                        [bills.Item("service", 700)],
                        due_date=clock.today(),
                    )
                self.bills.append(more.pk)
        with net.using(self.transport), seam.watching(self.watch):
            for _ in range(steps):
                self.act()
                self.never()

    def heal(self) -> None:
        """Nothing fails any more, time goes on, the worker works; it must come to rest."""
        self.between = self.crash_rate = 0.0
        self.world.heal()
        self.world.down.clear()
        providers.get("sandbox")._key = KEY  # type: ignore[attr-defined]
        with net.using(self.transport):
            for _ in range(80):
                collect(self)
                while self.letters:
                    deliver(self)
                sweeps.run_all()
                self.noon.advance(timedelta(seconds=60))
                if not self.restless():
                    break
            for _ in range(3):  # what we closed at our side has ended at the bank as well
                self.noon.advance(timedelta(minutes=31))
                collect(self)
                while self.letters:
                    deliver(self)
                sweeps.run_all()
        self.never()
        self.at_rest()

    def restless(self) -> list[object]:
        return [
            *Attempt.objects.filter(pk__in=self.begun, state__in=IN_FLIGHT),
            *OutboxRow.objects.filter(done_at=None, kind__in=["charge", "refund"]),
            *FactRow.objects.exclude(pending=[]),
        ]

    # --- what must hold

    def taken(self) -> dict[str, int]:
        return {order: int(net) for order, net in self.world.books()["by_order"].items()}

    def never(self) -> None:
        """Between any two acts: what we call certain is certain."""
        taken = self.taken()
        hidden = {one.order_id for one in self.world.bank.state.payments.values() if one.hidden_until is not None}
        for attempt in Attempt.objects.filter(pk__in=self.begun):
            order = outside(attempt.pk)
            if attempt.state not in IN_FLIGHT | {State.PAID, State.REVERSED}:
                assert not taken.get(order), f"{attempt.state}, but the bank took {taken[order]}"
                assert order not in hidden, f"{attempt.state}, but the bank is still taking it"

    def at_rest(self) -> None:
        assert not self.restless()
        taken = self.taken()
        for attempt in Attempt.objects.filter(pk__in=self.begun):
            assert attempt.state in {
                State.PAID,
                State.REVERSED,
                State.REFUSED,
                State.OUR_FAULT,
                State.EXPIRED,
                State.CLOSED,
            }
            ours = attempt.taken - attempt.given_back if attempt.state == State.PAID else 0
            assert taken.get(outside(attempt.pk), 0) == ours, (attempt.state, taken.get(outside(attempt.pk)))
        net_taken = sum(taken.values())
        mine = set(Bill.objects.filter(pk__in=self.bills).values_list("account_id", flat=True))
        stands = [each for account in mine for each in books.balances(account)]
        assert sum(each.amount for each in stands if "clearing:sandbox" in each.name) == net_taken
        trial = books.trial()
        assert trial.ok, trial
        for bill in Bill.objects.filter(pk__in=set(self.bills) - self.changed):
            paid = Posting.objects.filter(bill=bill, fact_kind="payment").aggregate(sum=Sum("amount"))["sum"] or 0
            assert paid == bill.paid <= bill.amount
            assert books.credit(bill.account_id) == 0, "charged twice"


# --- the actors


def start(storm: Storm) -> None:
    bill = Bill.objects.get(pk=storm.rng.choice(storm.bills))
    wanted = [(bill.pk, storm.rng.choice([bill.amount, bill.amount, 300]))]
    if storm.rng.random() < 0.2:
        wanted = [(each.pk, each.amount) for each in Bill.objects.filter(account=bill.account_id)]
    seen = attempts.start(
        bill.account_id,
        wanted,
        channel="web",
        method=storm.rng.choice(["card", "transfer"]),
        provider="sandbox",
        return_url="http://shop/return",
        lang="ko",
        session_id=storm.rng.choice([None, UUID(int=1), UUID(int=2)]),
    )
    if seen.attempt_id is not None and seen.attempt_id not in storm.begun:
        storm.begun.append(seen.attempt_id)


def at_the_bank(storm: Storm) -> None:
    waiting = Attempt.objects.filter(pk__in=storm.begun).exclude(redirect_url="").values_list("redirect_url", flat=True)
    if waiting:
        decision = storm.rng.choice(["approve", "approve", "approve", "cancel"])
        page = urlsplit(storm.rng.choice(sorted(waiting)))
        try:
            storm.world.transport(net.Request("customer", "POST", page.geturl(), {}, f"decision={decision}".encode()))
        except (net.NotSent, net.NoAnswer):
            return


def come_back(storm: Storm) -> None:
    if not storm.begun:
        return
    attempt = Attempt.objects.get(pk=storm.rng.choice(storm.begun))
    amount = str(attempt.amount) if storm.rng.random() < 0.9 else storm.rng.choice(["1", "", "-1", "1e9"])
    ref = attempt.provider_ref or "" if storm.rng.random() < 0.95 else "pay_forged"
    charge.confirm(attempt.pk, order_id=outside(attempt.pk), ref=ref, amount=amount)


def pay(storm: Storm) -> None:
    """The usual way, without a break of its own."""
    before = len(storm.begun)
    start(storm)
    if len(storm.begun) == before:
        return
    attempt = Attempt.objects.get(pk=storm.begun[-1])
    if attempt.state == State.NEEDS_REDIRECT:
        try:
            storm.world.transport(net.Request("customer", "POST", attempt.redirect_url, {}, b"decision=approve"))
        except (net.NotSent, net.NoAnswer):
            return
        charge.confirm(
            attempt.pk, order_id=outside(attempt.pk), ref=attempt.provider_ref or "", amount=str(attempt.amount)
        )


def clear(storm: Storm) -> None:
    bill = Bill.objects.get(pk=storm.rng.choice(storm.bills))
    attempts.clear(bill.account_id, [bill.pk], storm.rng.choice([UUID(int=1), UUID(int=2)]))


def worker(storm: Storm) -> None:
    sweeps.run(storm.rng.choice(["outbox", "inquiries", "facts", "inquiries", "outbox"]))


def one_row(storm: Storm) -> None:
    """A worker that claimed a row and is stopped in between, as by a long pause of its machine."""
    row = outbox.claim()
    if row is not None:
        storm.others_act()
        outbox.send_claimed(row)


def collect(storm: Storm) -> None:
    for delivery in storm.world.bank.tick():
        storm.letters += [delivery] * storm.rng.choice([1, 1, 2])
        storm.world.bank.sent(delivery, storm.rng.choice([204, 204, 500]))


def deliver(storm: Storm) -> None:
    collect(storm)
    if storm.letters:
        letter = storm.letters.pop(storm.rng.randrange(len(storm.letters)))
        headers = {name.title(): value for name, value in letter.headers.items()}
        if storm.rng.random() < 0.2:
            headers["Sandbox-Signature"] = "v1,AAAA"
        doorbells.ring("sandbox", headers, letter.body)


def time_passes(storm: Storm) -> None:
    storm.noon.advance(timedelta(seconds=storm.rng.choice([0.5, 3, 11, 11, 21, 21, 65, 540, 650])))
    if storm.rng.random() < 0.02:
        storm.noon.advance(timedelta(hours=storm.rng.choice([1, 25])))


def trouble(storm: Storm) -> None:
    board: dict[str, list[dict[str, Any]]] = {}
    for _ in range(storm.rng.randint(0, 2)):
        on = storm.rng.choice([["confirm"], ["confirm"], ["cancel"], ["create"], ["create", "confirm", "cancel"]])
        one: dict[str, Any] = {"fault": storm.rng.choice([*CUT, *OTHER, "hidden", "forged_webhook"])}
        if one["fault"] in CUT:
            one["on"] = on
        if one["fault"] in {"hidden", "late_webhook", "slow"}:
            one["seconds"] = storm.rng.choice([4, 15, 120, 500])
        if storm.rng.random() < 0.5:
            one["remaining"] = storm.rng.randint(1, 2)
        board.setdefault(storm.rng.choice(["card", "transfer", "*"]), []).append(one)
    storm.world.control(storm.world.bank, "PUT", "faults", board)
    storm.world.down = {"bank"} if storm.rng.random() < 0.2 else set()
    provider: Any = providers.get("sandbox")
    provider._key = "a key that the bank no longer takes" if storm.rng.random() < 0.15 else KEY


def better(storm: Storm) -> None:
    storm.world.heal()
    storm.world.down.clear()
    provider: Any = providers.get("sandbox")
    provider._key = KEY


def biller(storm: Storm) -> None:
    """The bill changes while its customer pays."""
    pk = storm.rng.choice(storm.bills)
    with atomic():
        account = accounts.lock(Bill.objects.values_list("account_id", flat=True).get(pk=pk))
        storm.changed |= set(account.bills.values_list("pk", flat=True))
        bill = Bill.objects.get(pk=pk)
        match storm.rng.randrange(6):
            case 0:
                bills.cancel(account, bill, fact_id=outside(new_id()), at=clock.now())
            case 1:
                item = bills.Item("service", storm.rng.choice([0, 100, 60000]))
                if bill.state != "cancelled":
                    bills.correct(account, bill, bill.revision + 1, [item], due_date=bill.due_date)
            case 2:
                bills.credit(account, 250, fact_id=outside(new_id()), at=clock.now(), bill=bill)
            case 3:
                post.deposit(
                    account, 400, provider="elsewhere", fact_kind="deposit", fact_id=outside(new_id()), at=clock.now()
                )
            case 4:
                if bill.state == "open":
                    post.late_fee(bill, 20, outside(new_id()))
            case 5:
                post.use_credit(account)


ACTS: list[tuple[Callable[[Storm], None], float]] = [
    (start, 2),
    (at_the_bank, 3),
    (come_back, 4),
    (pay, 3),
    (clear, 2),
    (worker, 5),
    (one_row, 1),
    (deliver, 3),
    (time_passes, 4),
    (trouble, 2),
    (better, 1),
    (biller, 0.7),
]

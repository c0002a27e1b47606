"""Many "pay now" at the same moment for one bill, by every channel, while a debit of it is instructed.

Exactly one posting pays the bill, whatever came twice is the customer's credit with a case, the debit is recalled, and
every bank's own books equal the ledger to the won.
"""

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from cryptography.fernet import Fernet
from django.conf import settings
from django.db import connection
from django.db.models import Sum

from doenda.app import scenes
from doenda.app.drills import provider_books
from doenda.app.result import Result
from doenda.app.stage import Stage
from doenda.billing import books
from doenda.billing.models import Bill, Posting
from doenda.kernel import clock, net
from doenda.kernel.ids import new_id, outside
from doenda.payments import attempts, charge
from doenda.payments.counter import shifts, till
from doenda.payments.debit import mandates
from doenda.payments.deposits import tending
from doenda.payments.deposits.models import DepositLine
from doenda.payments.models import Attempt, RefundCase
from doenda.payments.states import IN_FLIGHT, State

PAYERS = 50
GIVEN_OUT = 3
"""Payers who had their account number before, and whose transfers are under way: some of it must be too much."""
QUIET_SECONDS = 120.0
PROBE_SECONDS = 5.0
"""A synthetic walk that pays between two looks is no mismatch: it is looked again."""
CLERK, BOSS = "clerk:drill", "operator:drill"


@dataclass(frozen=True)
class Scene:
    """One bill and the world around it. `bring` pays an amount into an account number (True: the transfer was under way
    before, so it arrives though the number is closed); `truth` is a bank's own books."""

    bill: Bill
    shift: UUID
    bring: Callable[[str, int, bool], bool]
    truth: Callable[[str], Mapping[str, Any]]

    @property
    def wanted(self) -> list[tuple[UUID, int]]:
        return [(self.bill.pk, self.bill.amount)]


type Actor = Callable[[Scene, str], str]
"""One payer's whole try, named by a key of its own; what the payer was told."""


def by_card(scene: Scene, key: str) -> str:
    """On the web, at the sandbox bank's page and back."""
    said = attempts.start(
        scene.bill.account_id,
        scene.wanted,
        channel="web",
        method="card",
        provider="sandbox",
        return_url="http://127.0.0.1/back",
        lang="ko",
        session_id=new_id(),
    )
    if said.outcome != "redirect" or said.attempt_id is None:
        return said.outcome
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    net.call("sandbox", "POST", said.redirect_url, content=b"decision=approve", headers=form)
    attempt = Attempt.objects.get(pk=said.attempt_id)
    order_id, ref = outside(attempt.pk), attempt.provider_ref or ""
    return charge.confirm(attempt.pk, order_id=order_id, ref=ref, amount=str(attempt.amount)).outcome


def number_for(scene: Scene) -> str:
    """An account number to pay the bill into, or what the payer is told instead."""
    said = attempts.start(
        scene.bill.account_id,
        scene.wanted,
        channel="web",
        method="deposit",
        provider="deposit",
        return_url="",
        lang="ko",
        session_id=new_id(),
    )
    if said.outcome != "deposit" or said.attempt_id is None:
        return said.outcome
    return str(Attempt.objects.get(pk=said.attempt_id).details["pay_into"]["number"])


def by_deposit(scene: Scene, key: str) -> str:
    """Into an account number that is asked for now."""
    number = number_for(scene)
    if not number.isdigit():
        return number
    return "deposited" if scene.bring(number, scene.bill.amount, False) else "number closed"


def into(number: str) -> Actor:
    """Into an account number that was given out before."""
    return lambda scene, key: "arrived" if scene.bring(number, scene.bill.amount, True) else "not taken"


def at_counter(scene: Scene, key: str) -> str:
    """In cash, at a store."""
    amount = scene.bill.amount
    pressed = till.Pressed(scene.shift, CLERK, key, "cash", amount, tendered=amount)
    return till.take(pressed, account_id=scene.bill.account_id, bills=scene.wanted).outcome


ACTORS: tuple[tuple[str, Actor], ...] = (("web", by_card), ("deposit", by_deposit), ("counter", at_counter))


def run(stage: Stage, *, payers: int = PAYERS) -> Result:
    """On a running system that has the sandbox, the deposit bank and debits; its own worker brings everything home."""
    result = Result()
    tending.refill(100)
    [bill] = scenes.import_bills(stage, 1, overdue_days=3)
    if not getattr(settings, "DOENDA_SEALING_KEYS", ()):
        settings.DOENDA_SEALING_KEYS = [Fernet.generate_key().decode()]

    def bring(number: str, amount: int, late: bool) -> bool:
        address = f"{stage.env['DOENDA_DEPOSITS_URL']}/_control/deposits"
        body = {"number": number, "amount": amount, "remitter": "김훈련", "late": late}
        return net.call("deposits", "POST", address, json=body).status == 200

    scene = Scene(bill, open_till(), bring, lambda peer: stage.control(peer, "GET", "books"))
    debit = instruct(bill)
    told = storm(scene, payers)
    scenes.wait_for(lambda: not unsettled(scene) and not mismatches(scene), QUIET_SECONDS, every=0.5)
    check(result, scene, debit, told)
    return result


def open_till() -> UUID:
    store = shifts.open_store("DRILL", "훈련점", by=BOSS)
    return shifts.open_shift(store.pk, f"{clock.now():%H%M%S}", clerk=CLERK, float_amount=0).pk


def instruct(bill: Bill) -> UUID:
    """A debit of the whole bill, instructed under a mandate made for it."""
    source = mandates.Source("bank", "cms", "110000000099", holder="김훈련", bank="088", check="800101")
    proof = mandates.Consent("signature", "debit-ko-1", clock.now() - timedelta(days=30), "drill", "0" * 64)
    mandate = mandates.activate(mandates.request(bill.account_id, source, proof).pk)
    said = attempts.start(
        bill.account_id,
        [(bill.pk, bill.amount)],
        channel="web",
        method="debit",
        provider="debit",
        return_url="",
        lang="ko",
        mandate_id=mandate.pk,
    )
    if said.outcome != "instructed" or said.attempt_id is None:
        raise RuntimeError(f"the debit was not instructed: {said}")
    return said.attempt_id


def storm(scene: Scene, payers: int) -> Counter[str]:
    """All at the same moment, each on a connection of its own. What they were told, by channel."""
    given = [("transfer", into(number_for(scene))) for _ in range(GIVEN_OUT)]
    acts = [*given, *(ACTORS[place % len(ACTORS)] for place in range(payers - GIVEN_OUT))]
    told: Counter[str] = Counter()
    ready, writing = threading.Barrier(payers), threading.Lock()

    def payer(name: str, act: Actor, key: str) -> None:
        ready.wait()
        try:
            said = act(scene, key)
        except Exception as error:  # noqa: BLE001 - what went wrong is a figure of the drill
            said = f"error {type(error).__name__}"
        finally:
            connection.close()
        with writing:
            told[f"{name}: {said}"] += 1

    threads = [
        threading.Thread(target=payer, args=(*act, f"drill-{scene.bill.pk}-{place}")) for place, act in enumerate(acts)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return told


def unsettled(scene: Scene) -> int:
    """What may still move or wait to be brought home."""
    mine = Attempt.objects.filter(account_id=scene.bill.account_id)
    lines = DepositLine.objects.filter(lease__account_id=scene.bill.account_id, state="stored").count()
    return mine.filter(state__in=[*IN_FLIGHT, State.INSTRUCTED]).count() + lines


def mismatches(scene: Scene) -> list[str]:
    """Each bank's own books against the ledger; of the debit, which is recalled, nothing may have come."""
    found = provider_books.compare(scene.truth, ("sandbox", "deposit", "counter"))
    if debited := provider_books.standing()["debit"]:
        found.append(f"{debited} was debited")
    return found if books.trial().ok else [*found, "the ledger does not balance"]


def check(result: Result, scene: Scene, debit: UUID, told: Counter[str]) -> None:
    """What must hold when everything has come to rest."""
    bill = Bill.objects.get(pk=scene.bill.pk)
    legs = list(Posting.objects.filter(bill=bill, fact_kind="payment").values_list("amount", flat=True))
    result.expect(legs == [bill.amount], f"the bill of {bill.amount} has these postings: {legs}")
    result.expect(bill.state == "settled", f"the bill is {bill.state}")
    paid = Attempt.objects.filter(account_id=bill.account_id, state=State.PAID)
    arrived = int(paid.aggregate(sum=Sum("taken"))["sum"] or 0)
    excess = arrived - bill.amount
    cases = RefundCase.objects.filter(account_id=bill.account_id)
    result.expect(excess >= (GIVEN_OUT - 1) * bill.amount, f"only {excess} came too much: the drill showed nothing")
    in_cases = int(cases.aggregate(sum=Sum("amount"))["sum"] or 0)
    given_back = int(paid.aggregate(sum=Sum("given_back"))["sum"] or 0)
    credit = books.credit(bill.account_id)
    result.expect(in_cases == excess, f"{excess} came too much, and cases say {in_cases}")
    result.expect(credit + given_back == excess, f"{excess} came too much, credit {credit}, given back {given_back}")
    state = Attempt.objects.get(pk=debit).state
    result.expect(state == State.CLOSED, f"the debit is {state}")
    result.expect(not unsettled(scene), "the system did not come to rest")
    differ = [] if scenes.wait_for(lambda: not mismatches(scene), PROBE_SECONDS) else mismatches(scene)
    result.failures += differ
    errors = sum(count for said, count in told.items() if ": error" in said)
    result.expect(not errors, f"{errors} payers met an error")
    result.notes += [f"{count} × {said}" for said, count in sorted(told.items())]
    result.figures = {
        "payers": sum(told.values()),
        "payments": paid.count(),
        "postings_of_the_bill": len(legs),
        "double_charges": max(0, len(legs) - 1),
        "excess": excess,
        "cases": cases.count(),
        "lost": 0 if arrived - given_back == bill.paid + credit else 1,
        "mismatches": len(differ),
    }

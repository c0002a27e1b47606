"""Loading the sample carrier: through the import, as a carrier would; then its lines at the demo's switch.

Interrupted or repeated, it finishes what is missing and nothing else: what was loaded stands in the import's record.
"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from django.conf import settings
from django.db import transaction

from doenda.billing.imports import run
from doenda.billing.models import Account, AccountRole, ImportFile, Line, Party
from doenda.demo import carrier
from doenda.demo.carrier import Carrier, Customer
from doenda.kernel import clock, net
from doenda.kernel.ids import outside

NAME = "sample carrier"
SWITCH_BATCH = 500
SWITCH_PATIENCE = 15.0
"""Seconds for which a switch that is still starting is asked again."""

type Say = Callable[[str], None]


class SampleRefused(RuntimeError):
    """The import did not take our own file: the message is its report."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What stands there now. `again`: bills were there before. `registered`: lines at the switch; None: no answer."""

    accounts: int
    bills: int
    payments: int
    registered: int | None
    seconds: float
    again: bool


def load(accounts: int = 1000, seed: int = 2014, on: date | None = None, *, say: Say = lambda line: None) -> Loaded:
    """Make the sample carrier, or finish one that was begun (then with that one's own numbers).

    Raises SampleRefused. Without a switch it still loads, and says so: a later call registers the lines.
    """
    begun = clock.monotonic()
    accounts, seed, on, again = _known() or (accounts, seed, on or clock.today(), False)
    made = carrier.carrier(accounts, seed, on)
    name = f"{NAME} {accounts} {seed} {on}"
    bills = _import(carrier.bills_csv(made), "bills", name)
    say(f"{accounts} accounts, {bills} bills")
    payments = _import(carrier.payments_csv(made), "payments", name)
    say(f"{payments} payments taken elsewhere")
    with transaction.atomic():
        for customer in made.customers:
            if customer.child:
                _family(customer)
    registered = _register(made)
    told = "the switch does not answer: run this again" if registered is None else f"{registered} lines at the switch"
    say(told)
    return Loaded(accounts, bills, payments, registered, clock.monotonic() - begun, again)


def bill_the_cast() -> int:
    """Import what the cast is billed for the months that have passed since the sample. Returns the new bills."""
    known = _known()
    if known is None:
        return 0
    accounts, seed, on, _ = known
    due = carrier.next_bills(carrier.carrier(accounts, seed, on), clock.today())
    if not any(customer.bills for customer in due.customers):
        return 0
    return _import(carrier.bills_csv(due), "bills", f"later bills of the {NAME}")


def _known() -> tuple[int, int, date, bool] | None:
    """The numbers of the sample that is in this database."""
    found = ImportFile.objects.filter(kind="bills", accepted=True, name__startswith=f"{NAME} ").first()
    if found is None:
        return None
    accounts, seed, on = found.name.removeprefix(f"{NAME} ").split(" ")
    return int(accounts), int(seed), date.fromisoformat(on), True


def _import(text: str, kind: str, name: str) -> int:
    """Import a file, once. Returns how many bills or payments it brought."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".csv") as file:
        file.write(text)
        file.flush()
        imported = run.import_file(Path(file.name), kind=kind, name=name)
    if not imported.ok:
        raise SampleRefused("; ".join(str(problem) for problem in imported.report.problems[:5]))
    return imported.report.counts.get(kind, 0)


def _family(customer: Customer) -> None:
    """The holder pays, and speaks, for the child who uses the last line. (Files name holders only.)"""
    account = Account.objects.get(number=customer.account)
    line = Line.objects.get(account=account, number=_e164(customer.lines[-1]))
    parent = Party.objects.get(reference=f"P-{customer.account}")
    child, _ = Party.objects.get_or_create(
        reference=f"P-{customer.account}-child", defaults={"name": customer.child, "phone": line.number}
    )
    for party, role, of in ((parent, "payer", None), (parent, "legal_rep", line), (child, "user", line)):
        AccountRole.objects.get_or_create(account=account, party=party, role=role, line=of)


def _e164(number: str) -> str:
    return "+82" + number[1:].replace("-", "")


def _register(made: Carrier) -> int | None:
    """Make the lines known to the switch. None: it did not answer in time."""
    numbers = [customer.account for customer in made.customers]
    rows = Line.objects.filter(account__number__in=numbers).order_by("pk").values_list("pk", flat=True)
    ids = [outside(line_id) for line_id in rows]
    for start in range(0, len(ids), SWITCH_BATCH):
        if not _post(ids[start : start + SWITCH_BATCH]):
            return None
    return len(ids)


def _post(ids: list[str]) -> bool:
    url, deadline = f"{settings.DOENDA_SWITCH_URL}/_control/services", clock.monotonic() + SWITCH_PATIENCE
    while True:
        try:
            if net.call("switch", "POST", url, json={"ids": ids}, timeout=5).status == 200:
                return True
        except (net.NotSent, net.NoAnswer):
            pass
        if clock.monotonic() > deadline:
            return False
        clock.sleep(0.5)

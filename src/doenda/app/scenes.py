"""What drills and walks need to be there first: an imported bill, its line at the switch, days that pass."""

import csv
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings

from doenda.access import tokens
from doenda.app.stage import Stage
from doenda.assurance import guidance
from doenda.billing.imports.run import import_file
from doenda.billing.models import Bill, Line
from doenda.kernel import clock, net, offset, sweeps, texts
from doenda.kernel.db import atomic
from doenda.kernel.ids import inside, outside
from doenda.notices.models import Notice


def link(bill: Bill) -> str:
    """The address of a bill's page, as a notice would carry it."""
    with atomic():
        return f"{settings.DOENDA_BASE_URL}/p/{tokens.issue('bill', bill.pk, bill.account_id)}"


def register_lines(stage: Stage, account_ids: list[UUID]) -> None:
    """Let the switch know these accounts' lines, as a carrier's network does."""
    lines = Line.objects.filter(account_id__in=account_ids).values_list("pk", flat=True)
    stage.control("switch", "POST", "services", {"ids": [outside(line) for line in lines]})


def walk_all(stage: Stage) -> bool:
    """Walk every way once, from a process of its own. True when all reached the last step."""
    done = subprocess.run(
        [sys.executable, "-m", "doenda.app.cli", "prober", "--once"],
        env=_environment(stage),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode == 0


def _environment(stage: Stage) -> dict[str, str]:
    return {**os.environ, **stage.env}


def pass_days(stage: Stage, days: int, *, hour: int = 10, walk: bool = True) -> None:
    """Let days pass: each morning at `hour` every way is walked anew (`walk`) and every sweep runs."""
    for _ in range(days):
        tomorrow = clock.at(clock.today() + timedelta(days=1), hour)
        offset.advance(tomorrow - clock.now())
        if walk:
            walk_all(stage)
        for _ in range(3):  # a notice is sent, then its receipt comes, then the next step may be decided
            sweeps.run_all()
            clock.sleep(0.3)


COLUMNS = [
    "account",
    "account_holder",
    "holder_kind",
    "phone",
    "language",
    "line",
    "bill",
    "bill_date",
    "due_date",
    "period_start",
    "period_end",
    "currency",
    "class",
    "amount",
]


def import_bills(stage: Stage, count: int, *, overdue_days: int, amount: int = 88_000) -> list[Bill]:
    """Import `count` bills from a CSV file, as a carrier would; each of an account and a line of its own."""
    due = clock.today() - timedelta(days=overdue_days)
    first = due.replace(day=1)
    before = (first - timedelta(days=1)).replace(day=1)
    tag = f"{clock.now():%H%M%S}"
    numbers = [f"DRILL-{tag}-{index}" for index in range(count)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bills.csv"
        with path.open("w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out)
            writer.writerow(COLUMNS)
            for index, number in enumerate(numbers):
                phone = f"+82100000{index:04d}"
                dates = (first, due, before, first - timedelta(days=1))
                who = (f"A-{number}", "김훈련", "person", phone, "ko", phone, number)
                writer.writerow([*who, *(day.isoformat() for day in dates), "KRW", "service", amount])
        done = import_file(path)
        if not done.ok:
            raise RuntimeError(f"the drill's own bills were refused: {done.file.report}")
    bills = list(Bill.objects.filter(number__in=numbers).order_by("number"))
    register_lines(stage, [bill.account_id for bill in bills])
    return bills


def barring(stage: Stage, bill: Bill) -> str:
    """What the switch says of the bill's line."""
    line = Line.objects.get(account_id=bill.account_id)
    found: str = stage.control("switch", "GET", f"service/{outside(line.pk)}")["barring"]
    return found


def until_barred(stage: Stage, bill: Bill, *, most: int = 60) -> int:
    """Let days pass until the ladder has barred the bill's line. Returns how many it took."""
    for day in range(most):
        if barring(stage, bill) != "none":
            return day
        pass_days(stage, 1)
    raise RuntimeError(f"the line was not barred after {most} days")


def wait_for(true: Callable[[], object], seconds: float, *, every: float = 0.25) -> bool:
    """Ask until it is true, for at most `seconds`."""
    deadline = clock.monotonic() + seconds
    while not true():
        if clock.monotonic() > deadline:
            return False
        clock.sleep(every)
    return True


def inbox_since(stage: Stage, since: datetime) -> list[str]:
    """The texts of notices handed to the handset network since an instant of the house's clock."""
    sent = set(Notice.objects.filter(sent_at__gt=since).values_list("pk", flat=True))
    return [one["text"] for one in stage.control("handset", "GET", "inbox") if _id(one["id"]) in sent]


def _id(text: str) -> UUID | None:
    try:
        return inside(text)
    except ValueError:
        return None


def board(stage: Stage) -> dict[str, Any]:
    """The public board, as JSON."""
    found: dict[str, Any] = net.call("web", "GET", f"{stage.base}/status.json").json()
    return found


def as_working(text: str) -> str:
    """The text without what it says does not work."""
    return re.sub(r"안내해 드린 방법\([^)]*\)|told you of \([^)]*\)", "", text)


def names_a_way(text: str) -> bool:
    """Does a text name a method of paying as one that works, in either language?"""
    text = as_working(text)
    return any(
        guidance.method_name(method, lang) in text for method in ("card", "transfer") for lang in texts.LANGUAGES
    )

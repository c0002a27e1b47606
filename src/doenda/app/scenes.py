"""What drills and walks need to be there first: an imported bill, its line at the switch, days that pass."""

import csv
import io
import subprocess
import sys
from datetime import timedelta
from uuid import UUID

from django.conf import settings

from doenda.access import tokens
from doenda.app.stage import Stage
from doenda.billing.models import Bill, Line
from doenda.kernel import clock, sweeps
from doenda.kernel.db import atomic
from doenda.kernel.ids import outside


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
    done = subprocess.run(  # noqa: S603 - our own interpreter and command
        [sys.executable, "-m", "doenda.app.cli", "prober", "--once"],
        env=_environment(stage),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode == 0


def _environment(stage: Stage) -> dict[str, str]:
    import os

    return {**os.environ, **stage.env}


def pass_days(stage: Stage, days: int, *, hour: int = 10) -> None:
    """Let days pass: each morning at `hour` every way is walked anew and every sweep runs."""
    for _ in range(days):
        tomorrow = clock.at(clock.today() + timedelta(days=1), hour)
        clock.advance(tomorrow - clock.now())
        walk_all(stage)
        sweeps.run_all()

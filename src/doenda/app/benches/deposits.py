"""`bench deposits`: deposit lines a second, matched and posted, beside a bare INSERT … SELECT of as many postings.

The lines come as a bank's statement file. It is taken in whole, then the house's own sweep brings the lines home as the
worker would: each pays its attempt and its bill, with evidence, receipt and facts. A second file holds lines that are
paid too much, which become credit and a case. The floor copies the postings just made into a plain table with the
postings' indexes, on the same server, committed the same way.
"""

import gc
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg

from doenda.app.benches import cpu, deposit_check, deposit_rows, pay_rows
from doenda.app.benches.deposit_rows import MAPPING, Payers
from doenda.app.benches.ground import Ground, ground
from doenda.app.result import Result
from doenda.assurance.ways import ensure_ways
from doenda.kernel import clock, sweeps
from doenda.kernel.ids import new_id, outside
from doenda.kernel.models import FactRow
from doenda.payments.deposits import statements

MIXED_PART, OVERPAID_PART = 10, 100
"""The second file has a tenth of the lines; of its lines one in a hundred is paid too much."""
TOLD = 500
"""Facts that the rooms above are told of, to say how fast that goes."""

type Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Taken:
    """Seconds that one file took, and the most memory meanwhile."""

    stored: float
    posted: float
    peak_mb: float

    @property
    def seconds(self) -> float:
        return self.stored + self.posted


def run(rows: int = 100_000, database: str | None = None, *, say: Say) -> Result:
    """Figures: rows_per_second, floor_rows_per_second, ratio; the same with overpaid lines among them; memory.

    With `database` (a migrated one) the rows stay there; DATABASE_OWNER_URL then names who may make the floor's table.
    """
    result = Result()
    with (
        ground(database, os.environ.get("DATABASE_OWNER_URL")) as made,
        tempfile.TemporaryDirectory(prefix="doenda-bench-") as folder,
        deposit_rows.quiet_bank(),
    ):
        for name, value in made.promises().items():
            result.expect(value == "on", f"{name} is {value}: without it a commit promises nothing")
        ensure_ways()
        pay_rows.prove_way(deposit_rows.WAY)
        tag, path = outside(new_id())[-8:], Path(folder)
        plain = _file(result, made, deposit_rows.stock(f"{tag}P", rows, 0, path), say)
        floor = _floor(made.owner, f"{tag}P", rows, result)
        told = _told()
        count = max(rows // MIXED_PART, OVERPAID_PART)
        mixed = _file(result, made, deposit_rows.stock(f"{tag}M", count, count // OVERPAID_PART, path), say)
    result.figures = {
        "rows_per_second": round(rows / plain.seconds),
        "floor_rows_per_second": round(rows / floor),
        "ratio": round(floor / plain.seconds, 4),
        "rows": rows,
        "seconds": round(plain.seconds, 2),
        "stored_seconds": round(plain.stored, 2),
        "posted_seconds": round(plain.posted, 2),
        "floor_seconds": round(floor, 3),
        "overpaid_share": round(1 / OVERPAID_PART, 4),
        "with_overpaid_rows_per_second": round(count / mixed.seconds),
        "peak_mb": round(max(plain.peak_mb, mixed.peak_mb)),
        "facts_told_per_second": round(told),
    }
    return result


def _file(result: Result, made: Ground, payers: Payers, say: Say) -> Taken:
    """Take their statement in, bring its lines home, and look whether all is there."""
    made.analyze()
    say(f"{payers.count} payers, {payers.overpaid} of them pay too much")
    taken = _take(payers)
    say(f"stored in {taken.stored:.1f} s, posted in {taken.posted:.1f} s")
    deposit_check.check(result, payers)
    return taken


def _take(payers: Payers) -> Taken:
    gc.collect()
    memory = cpu.Memory()
    begun = clock.monotonic()
    done = statements.take_in(payers.statement, MAPPING)
    stored = clock.monotonic() - begun
    if not done.ok:
        raise RuntimeError(f"the bench's own statement was refused: {[str(each) for each in done.report.problems[:5]]}")
    begun = clock.monotonic()
    sweeps.run("deposits", most=2 * payers.count)
    return Taken(stored, clock.monotonic() - begun, memory.peak_mb)


def _floor(owner: str, tag: str, rows: int, result: Result) -> float:
    """Seconds to copy the postings of these payers into a plain table with the same indexes, commit included."""
    with psycopg.connect(owner) as connection:
        connection.execute("CREATE TABLE floor_posting (LIKE billing_posting INCLUDING INDEXES)")
        connection.commit()
        begun = clock.monotonic()
        copied = connection.execute(
            "INSERT INTO floor_posting SELECT * FROM billing_posting WHERE fact_kind = 'payment' AND fact_id LIKE %s",
            [f"deposit:{deposit_rows.BANK}-{tag}-%"],
        ).rowcount
        connection.commit()
        seconds = clock.monotonic() - begun
        connection.execute("DROP TABLE floor_posting")
    result.expect(copied == rows, f"the floor copied {copied} postings of {rows}")
    return seconds


def _told() -> float:
    """Facts a second that the rooms above take in afterwards: cases close, promises are kept."""
    waiting = FactRow.objects.exclude(pending=[]).count()
    if not waiting:
        return 0.0
    begun = clock.monotonic()
    done = sweeps.run("facts", most=min(TOLD, waiting))
    return done / (clock.monotonic() - begun)

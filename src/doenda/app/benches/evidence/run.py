"""`bench evidence`: outcomes of many ways a second, judged as they come, while another process reads guidance.

Outcomes arrive in batches, as from a file or from several callers who share a commit: 5 in 100 are failures, and now
and then a way begins to fail for good. Each batch is one transaction, durable before the next. The floor inserts as
many rows of the same table, by the same batches, on the same server, and judges nothing. A watcher in the reading
process notes when a withdrawal can first be read: `decision` is the time from the commit of the row that decided it.
"""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg

from doenda.app.benches.ground import Ground, ground
from doenda.app.result import Result
from doenda.assurance import evidence
from doenda.assurance.evidence import Outcome, Tried
from doenda.assurance.models import Evidence, Way
from doenda.kernel import clock
from doenda.kernel.db import atomic
from doenda.kernel.ids import new_id, outside
from doenda.kernel.randomness import Chance, stream

BATCH = 100
FAILING_SHARE = 0.05
BREAKS_EVERY = 5
"""Batches from one way that begins to fail for good to the next."""
WANTED_ROWS, WANTED_READS, WANTED_MS = 2000, 5000, 100.0

type Say = Callable[[str], None]


@dataclass
class Sent:
    """What was written: for each way the failures' batches, each (begun, committed) by the monotonic clock."""

    rows: int = 0
    seconds: float = 0.0
    failures: dict[str, list[tuple[float, float]]] = field(default_factory=dict)


def run(seconds: float = 20.0, ways: int = 200, database: str | None = None, *, say: Say) -> Result:
    """Figures: rows_per_second, reads_per_second, decision_p99_ms, and the ratio to a bare INSERT."""
    result = Result()
    with ground(database, os.environ.get("DATABASE_OWNER_URL")) as made:
        for name, value in made.promises().items():
            result.expect(value == "on", f"{name} is {value}: without it a commit promises nothing")
        slugs = _ways(ways)
        with atomic():
            evidence.record_many([_outcome(slug, [], stream(slug)) for slug in slugs for _ in range(5)])
        _send(slugs, 2.0, stream(1), breaks=False)
        made.analyze()
        with _reader(made, seconds + 1.0, WANTED_READS) as reading:
            before = Evidence.objects.count()
            sent = _send(slugs, seconds, stream(2), breaks=True)
            stored = Evidence.objects.count() - before
            said = reading()
        say(f"{sent.rows} outcomes in {sent.seconds:.1f} s, {said['reads']} reads beside")
        floor = _floor(made.url, slugs[0], sent.rows)
    delays = _delays(sent, said["seen"])
    rate, reads = sent.rows / sent.seconds, said["reads"] / said["seconds"]
    p99 = statistics.quantiles(delays, n=100)[98] * 1000 if len(delays) > 1 else float("nan")
    result.figures = {
        "rows_per_second": round(rate),
        "floor_rows_per_second": round(sent.rows / floor),
        "ratio": round(floor / sent.seconds, 4),
        "reads_per_second": round(reads),
        "read_p99_us": round(said["read_p99_us"]),
        "decisions": len(delays),
        "decision_median_ms": round(statistics.median(delays) * 1000, 1) if delays else float("nan"),
        "decision_p99_ms": round(p99, 1),
        "ways": ways,
        "batch": BATCH,
    }
    lost = sent.rows - stored
    result.expect(lost == 0, f"{lost} outcomes of {sent.rows} are not stored")
    result.expect(bool(delays), "no way that failed for good was seen to be withdrawn")
    for reached, what in (
        (rate >= WANTED_ROWS, f"{WANTED_ROWS} outcomes/s"),
        (reads >= 0.98 * WANTED_READS, f"{WANTED_READS} reads/s"),
        (p99 < WANTED_MS, f"decisions read within {WANTED_MS:.0f} ms at the 99th percentile"),
    ):
        result.notes.append(f"goal {what}: {'reached' if reached else 'not reached'}")
    return result


def _ways(count: int) -> list[str]:
    rows = [
        Way(
            slug=f"web/m{number % 10}/p{number // 10}",
            channel="web",
            method=f"m{number % 10}",
            provider=f"p{number // 10}",
        )
        for number in range(count)
    ]
    with atomic():
        Way.objects.bulk_create(rows, ignore_conflicts=True)
    return [row.slug for row in rows]


def _send(slugs: list[str], seconds: float, chance: Chance, *, breaks: bool) -> Sent:
    sent, broken = Sent(), list[str]()
    begun = clock.monotonic()
    number = 0
    while (now := clock.monotonic()) - begun < seconds:
        number += 1
        if breaks and number % BREAKS_EVERY == 0 and len(broken) < len(slugs) // 2:
            broken.append(slugs[len(broken)])
        batch = [_outcome(chance.choice(slugs), broken, chance) for _ in range(BATCH - min(2, len(broken)))]
        batch += [_outcome(slug, broken, chance) for slug in broken[-2:]]
        with atomic():
            evidence.record_many(batch)
        committed = clock.monotonic()
        for each in batch:
            if each.outcome is not Outcome.WORKED:
                sent.failures.setdefault(each.way, []).append((now, committed))
        sent.rows += len(batch)
    sent.seconds = clock.monotonic() - begun
    return sent


def _outcome(slug: str, broken: list[str], chance: Chance) -> Tried:
    fails = slug in broken or chance.random() < FAILING_SHARE
    outcome = Outcome.FAILED_BY_PROVIDER if fails else Outcome.WORKED
    return Tried(slug, outcome, "bench", outside(new_id()), False, account_id=new_id(), at=clock.now())


@contextmanager
def _reader(made: Ground, seconds: float, rate: int) -> Iterator[Callable[[], dict[str, Any]]]:
    """The process that reads and watches; what is yielded waits for its report."""
    command = [sys.executable, "-m", "doenda.app.benches.evidence.reader", str(seconds), str(rate)]
    process = subprocess.Popen(  # noqa: S603 - our own module
        command, env=os.environ | made.env, stdout=subprocess.PIPE, text=True
    )
    try:
        if process.stdout is None or process.stdout.readline().strip() != "ready":
            raise RuntimeError("the reader did not start")
        yield lambda: json.loads(process.communicate(timeout=60 + seconds)[0])
    finally:
        process.kill()
        process.wait()


def _floor(url: str, slug: str, rows: int) -> float:
    """Seconds for bare INSERTs of as many rows into the same table, batch by batch, commits included."""
    statement = """
        INSERT INTO assurance_evidence
            (created_at, id, way_id, outcome, at, synthetic, source_kind, source_id, account_id, detail)
        SELECT now(), u.*, %s, 'worked', now(), false, 'floor', u.u::text, NULL, '' FROM unnest(%s::uuid[]) u
    """
    begun = clock.monotonic()
    with psycopg.connect(url) as connection:
        for _ in range(max(1, rows // BATCH)):
            connection.execute(statement, [slug, [new_id() for _ in range(BATCH)]])
            connection.commit()
    return clock.monotonic() - begun


def _delays(sent: Sent, seen: dict[str, float]) -> list[float]:
    """Seconds from the commit of the failure that decided to the moment in which it could be read (0: within it)."""
    found = []
    for slug, at in seen.items():
        decided = [committed for begun, committed in sent.failures.get(slug, ()) if begun <= at]
        if decided:
            found.append(max(0.0, at - decided[-1]))
    return found

"""`doenda bench import`: bills a second through the whole import, beside a bare COPY of the same rows.

The file is made from a seed: accounts with a holder, a line and a bill of one to three items. The floor is COPY of
those bills and items into plain tables with the same indexes, on the same server, committed the same way.
"""

import io
import os
import random  # noqa: TID251 - a bench's file comes from a seed of its own
import tempfile
from pathlib import Path
from typing import Any

import psycopg

from doenda.app.benches.ground import ground
from doenda.billing.imports.run import import_file
from doenda.kernel import clock

SEED = 20141023
HEADER = (
    "account,account_holder,holder_kind,phone,email,language,line,bill,revision,period_start,period_end,bill_date,"
    "due_date,currency,class,amount\n"
)
BILL_COLUMNS = (
    "id, created_at, account_id, number, revision, period_start, period_end, bill_date, due_date, currency, amount,"
    " late_fee, paid, credited, state, closed_at, probe"
)
ITEM_COLUMNS = "id, created_at, bill_id, line_id, item_class, amount"
CLASSES = ("service", "device_instalment", "small_payment", "content", "roaming", "other")


def run(rows: int = 100_000, database_url: str | None = None) -> dict[str, Any]:
    """Import `rows` bills and COPY the same. Figures: rows_per_second, floor_rows_per_second (both bills), ratio.

    `known_accounts_rows_per_second` is the next month's file, for accounts that are there already.

    Uses a throwaway server that keeps its promises at commit; or `database_url`, which must be migrated and keeps the
    bills (DATABASE_OWNER_URL then names the role that may make the floor's tables).
    """
    owner = os.environ.get("DATABASE_OWNER_URL")
    with tempfile.TemporaryDirectory(prefix="doenda-bench-") as folder, ground(database_url, owner) as made:
        return _measure(rows, Path(folder), made.owner)


def make_file(path: Path, bills: int, seed: int = SEED, prefix: str = "B") -> tuple[int, str, str]:
    """Write the CSV; the accounts are the same for every seed.

    Returns its lines and, for the floor, the bills and items as COPY text.
    """
    chance = random.Random(seed)  # noqa: S311
    made, bill_rows, item_rows = 0, io.StringIO(), io.StringIO()
    with path.open("w", encoding="utf-8") as file:
        file.write(HEADER)
        for n in range(bills):
            head = (
                f"A{n:08d},김{n % 1000:03d},person,010{n:08d},a{n}@example.com,{'ko' if n % 9 else 'en'},010{n:08d},"
                f"{prefix}{n:08d},1,2014-09-01,2014-09-30,2014-10-05,2014-10-25,KRW"
            )
            total = 0
            for item_class in chance.sample(CLASSES, chance.randint(1, 3)):
                amount = chance.randint(10, 9999) * 10
                total += amount
                made += 1
                file.write(f"{head},{item_class},{amount}\n")
                item_rows.write(f"{_id(2, made)}\t2014-10-05\t{_id(1, n)}\t\\N\t{item_class}\t{amount}\n")
            bill_rows.write(
                f"{_id(1, n)}\t2014-10-05\t{_id(3, n)}\t{prefix}{n:08d}\t1\t"
                f"2014-09-01\t2014-09-30\t2014-10-05\t2014-10-25\tKRW\t{total}\t0\t0\t0\topen\t\\N\tf\n"
            )
    return made, bill_rows.getvalue(), item_rows.getvalue()


def _id(kind: int, n: int) -> str:
    return f"0149{kind:04x}-0000-7000-8000-{n:012x}"


def _measure(rows: int, folder: Path, owner: str) -> dict[str, Any]:
    path = folder / "bills.csv"
    lines, bill_rows, item_rows = make_file(path, rows)
    floor = _floor(owner, bill_rows, item_rows)
    begun = clock.monotonic()
    done = import_file(path)
    seconds = clock.monotonic() - begun
    make_file(path, rows, SEED + 1, "C")
    begun = clock.monotonic()
    next_month = import_file(path)
    next_seconds = clock.monotonic() - begun
    figures = {
        "rows_per_second": round(rows / seconds),
        "floor_rows_per_second": round(rows / floor),
        "ratio": round(floor / seconds, 3),
        "known_accounts_rows_per_second": round(rows / next_seconds),
        "bills": rows,
        "lines": lines,
        "seconds": round(seconds, 2),
        "floor_seconds": round(floor, 2),
        "bytes": path.stat().st_size,
    }
    both = (done, next_month)
    ok = all(each.ok and not each.again and each.report.counts.get("bills") == rows for each in both)
    problems = [str(problem) for each in both for problem in each.report.problems[:5]]
    return {"ok": ok, "figures": figures, "problems": problems}


def _floor(owner: str, bill_rows: str, item_rows: str) -> float:
    """Seconds to COPY the rows into plain tables with the indexes of the real ones, commit included."""
    tables = (("bill", BILL_COLUMNS, bill_rows), ("billitem", ITEM_COLUMNS, item_rows))
    with psycopg.connect(owner) as connection:
        for name, _, _ in tables:
            connection.execute(f"CREATE TABLE floor_{name} (LIKE billing_{name} INCLUDING INDEXES)")
        connection.commit()
        begun = clock.monotonic()
        for name, columns, data in tables:
            with connection.cursor() as cursor, cursor.copy(f"COPY floor_{name} ({columns}) FROM STDIN") as stream:
                stream.write(data)
        connection.commit()
        seconds = clock.monotonic() - begun
        for name, _, _ in tables:
            connection.execute(f"DROP TABLE floor_{name}")
    return seconds

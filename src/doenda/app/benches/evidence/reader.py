"""The reading process of `bench evidence`: `SECONDS READS_A_SECOND`. Prints "ready", and at the end one JSON object."""

import json
import sys
import threading
import time

import django

from doenda.kernel import clock

LOOK_EVERY = 0.005
SLICE = 0.01


def main(seconds: float, rate: int) -> None:
    django.setup()
    from doenda.assurance import guidance

    seen: dict[str, float] = {}
    over = threading.Event()
    watcher = threading.Thread(target=_watch, args=(seen, over), daemon=True)
    guidance.snapshot().named("page")
    watcher.start()
    print("ready", flush=True)  # noqa: T201
    begun, reads, slowest = clock.monotonic(), 0, list[float]()
    while (now := clock.monotonic()) - begun < seconds:
        due = int((now - begun) * rate) - reads
        for _ in range(due):
            started = time.perf_counter()
            guidance.snapshot().named("page")
            slowest.append(time.perf_counter() - started)
        reads += max(due, 0)
        time.sleep(SLICE)
    took = clock.monotonic() - begun
    over.set()
    watcher.join(5)
    slowest.sort()
    p99 = slowest[int(len(slowest) * 0.99)] * 1e6 if slowest else 0.0
    print(json.dumps({"reads": reads, "seconds": took, "seen": seen, "read_p99_us": p99}))  # noqa: T201


def _watch(seen: dict[str, float], over: threading.Event) -> None:
    """Note when each way can first be read as withdrawn, as `guidance.offer` would read it."""
    from django.db import connection

    with connection.cursor() as cursor:
        while not over.wait(LOOK_EVERY):
            cursor.execute("SELECT slug FROM assurance_way WHERE standing = 'withdrawn'")
            now = clock.monotonic()
            for (slug,) in cursor.fetchall():
                seen.setdefault(slug, now)


if __name__ == "__main__":
    main(float(sys.argv[1]), int(sys.argv[2]))

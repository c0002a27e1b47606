"""The settlement alone, in a process of its own: `python -m doenda.app.benches.settling THREADS`, attempts by stdin.

Each attempt (its id, 26 letters, a line) stands where its charge was sent; the provider's answer "paid" is brought home
by the house's own `outcomes.apply`, one transaction each, on THREADS connections. Says the seconds that all took.
"""

import os
import sys
import threading
from collections.abc import Sequence
from queue import Empty, SimpleQueue

import django

CAUSE = "charge"


def main() -> None:
    """Get ready, say so, begin at a line of input, and print the seconds."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "doenda.app.settings")
    django.setup()
    threads = int(sys.argv[1])
    orders = sys.stdin.readline().split()
    _say("ready")
    sys.stdin.readline()
    _say(str(run(orders, threads)))


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def run(orders: Sequence[str], threads: int) -> float:
    """Settle them all. Returns seconds; raises RuntimeError if one was not settled."""
    from django.db import connection

    from doenda.kernel import clock
    from doenda.kernel.ids import inside, outside
    from doenda.payments import outcomes
    from doenda.payments.models import Attempt
    from doenda.payments.providers.contract import Answer, Outcome
    from doenda.payments.states import State

    waiting: SimpleQueue[Attempt] = SimpleQueue()
    for attempt in Attempt.objects.filter(pk__in=[inside(each) for each in orders]):
        waiting.put(attempt)
    wrong: list[str] = []

    def settle() -> None:
        try:
            while True:
                attempt = waiting.get_nowait()
                answer = Answer(
                    Outcome.PAID,
                    "DONE",
                    attempt.provider_ref or "",
                    order_id=outside(attempt.pk),
                    amount=attempt.amount,
                    currency=attempt.currency,
                    merchant="doenda",
                )
                outcomes.apply(attempt, answer, CAUSE)
                if attempt.state != State.PAID:
                    wrong.append(f"{attempt.pk} is {attempt.state}")
        except Empty:
            pass
        finally:
            connection.close()

    workers = [threading.Thread(target=settle) for _ in range(threads)]
    begun = clock.monotonic()
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    seconds = clock.monotonic() - begun
    if wrong or not waiting.empty():
        raise RuntimeError(f"not settled: {wrong[:3]}")
    return seconds


if __name__ == "__main__":
    main()

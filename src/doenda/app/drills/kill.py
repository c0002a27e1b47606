"""kill -9 of web and worker at random moments during many walks: afterwards all books agree to the won."""

import threading

from django.db import connection

from doenda.app import scenes
from doenda.app.drills import books
from doenda.app.result import Result
from doenda.app.stage import Stage
from doenda.billing.models import Bill
from doenda.channels.web import walker
from doenda.kernel import clock, randomness

CUSTOMERS = 4
QUIET_SECONDS = 90.0


def run(stage: Stage, *, walks: int = 200, barred: int = 20, seed: int = 1) -> Result:
    result = Result()
    bills = scenes.import_bills(stage, walks, overdue_days=3)
    scenes.until_barred(stage, bills[0])
    barred_now = sum(scenes.barring(stage, bill) != "none" for bill in bills[:barred])
    links = [scenes.link(bill) for bill in bills]
    over = threading.Event()
    with randomness.seeded(seed) as chance:
        plan = [(chance.choice(["web", "worker"]), chance.uniform(1.0, 6.0)) for _ in range(10_000)]
    kills: list[str] = []
    killer = threading.Thread(target=_kill, args=(stage, plan, over, kills), daemon=True)
    killer.start()
    retries = _walk_all(links)
    over.set()
    killer.join()
    quiet = scenes.wait_for(lambda: _settled(bills) and not books.compare(stage), QUIET_SECONDS, every=1.0)
    result.expect(quiet, "the system did not come to rest")
    mismatches = books.compare(stage)
    result.failures += mismatches[:20]
    doubles = books.double_charges(stage)
    result.expect(doubles == 0, f"{doubles} bills were charged twice")
    open_still = Bill.objects.filter(pk__in=[bill.pk for bill in bills], state="open").count()
    result.expect(open_still == 0, f"{open_still} bills are not paid")
    still = sum(scenes.barring(stage, bill) != "none" for bill in bills[:barred])
    result.expect(still == 0, f"{still} lines are still barred")
    result.notes.append(f"{barred_now} of the first {barred} lines were barred before")
    result.figures = {
        "walks": walks,
        "kills": len(kills),
        "kills_web": kills.count("web"),
        "kills_worker": kills.count("worker"),
        "double_charges": doubles,
        "lost": open_still,
        "mismatches": len(mismatches),
        "walks_begun_again": retries,
    }
    return result


def _kill(stage: Stage, plan: list[tuple[str, float]], over: threading.Event, kills: list[str]) -> None:
    for service, pause in plan:
        if over.wait(pause):
            return
        if stage.kill(service):
            kills.append(service)


def _walk_all(links: list[str]) -> int:
    """Customers pay their bills, a few at a time; who meets an error opens the link again. Returns the retries."""
    waiting, retries, lock = list(links), 0, threading.Lock()

    def customer() -> None:
        nonlocal retries
        while True:
            with lock:
                if not waiting:
                    connection.close()
                    return
                link = waiting.pop()
            deadline = clock.monotonic() + 120
            while clock.monotonic() < deadline:
                walked = walker.pay(link, patience=40)
                if walked.outcome == "paid":
                    break
                retries += 1
                clock.sleep(0.5)

    threads = [threading.Thread(target=customer) for _ in range(CUSTOMERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return retries


def _settled(bills: list[Bill]) -> bool:
    return not Bill.objects.filter(pk__in=[bill.pk for bill in bills], state="open").exists()

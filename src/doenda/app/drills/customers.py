"""Customers who pay while processes die under them, some two at once; who is cut off comes again.

What they saw is kept outside the system: each receipt in a file of the drill's own, each page that said too much.
"""

import json
import os
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from doenda.app.stage import Stage
from doenda.channels.web import walker
from doenda.kernel import clock, net

AT_ONCE = 6
PATIENCE = 90.0
"""Seconds in which a customer comes again and again on one day; no kill keeps the system away so long."""
NOTHING_WORKS = 4
"""So many times in a row none of the methods is offered: then the customer comes back another day."""
_SECRETIVE = ("Traceback", "psycopg", "OperationalError", "site-packages", "SELECT ")
"""What no page may show: the inside of the house."""


@dataclass(frozen=True)
class Errand:
    """A bill to be paid by one customer, or by several at once, each by a method of his own.

    By which provider the method is paid is the house's choice, as on any day.
    """

    number: str
    link: str
    methods: tuple[str, ...]


class Acknowledged:
    """Receipts that customers saw, written to a file that nothing of the system under test can touch or lose."""

    def __init__(self, path: Path) -> None:
        self.path, self._lock = path, threading.Lock()

    def note(self, number: str) -> None:
        """The bill of that number was shown as paid: durable before the customer goes on."""
        with self._lock, self.path.open("a", encoding="utf-8") as out:
            out.write(json.dumps({"bill": number}) + "\n")
            out.flush()
            os.fsync(out.fileno())

    def seen(self) -> list[str]:
        """The bill of each receipt, in the order of the showing."""
        if not self.path.exists():
            return []
        return [json.loads(line)["bill"] for line in self.path.read_text(encoding="utf-8").splitlines()]


@dataclass
class Seen:
    """What all customers together met with."""

    begun_again: int = 0
    troubles: Counter[str] = field(default_factory=Counter)
    error_pages: int = 0
    bad_pages: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def pages(self, pages: Sequence[walker.Seen], base: str) -> None:
        """A fault has a page of ours that speaks; none shows the inside of the house."""
        with self.lock:
            for page in pages:
                ours = page.url.startswith(base)
                self.error_pages += ours and page.status >= 500
                wordless = ours and page.status >= 500 and not page.step.startswith("error.")
                if wordless or any(word in page.text for word in _SECRETIVE):
                    self.bad_pages.append(f"{page.status} {page.url.removeprefix(base)[:3]}…: {page.text[:200]!r}")


class Purse:
    """Brings money to an account number once, at whichever bank it is: a dead bank's customers are given another's.

    Where the answer was cut off it looks at the bank whether the money is there, before it pays again.
    """

    def __init__(self, stage: Stage) -> None:
        self._stage, self.brought = stage, False

    def __call__(self, number: str, amount: int) -> None:
        deadline = clock.monotonic() + PATIENCE / 2
        before: dict[str, int] = {}
        while not self.brought and clock.monotonic() < deadline:
            try:
                self.brought = any(self._paid_at(bank, number, amount, before) for bank in ("deposits", "toss"))
                return
            except (net.NotSent, net.NoAnswer):
                clock.sleep(0.3)

    def _paid_at(self, bank: str, number: str, amount: int, before: dict[str, int]) -> bool:
        """True when the money is there, False when this bank takes none for that number."""
        stands = self._stands(bank, number)
        if stands > before.setdefault(bank, stands):
            return True
        field = "account_number" if bank == "toss" else "number"
        try:
            self._stage.control(bank, "POST", "deposits", {field: number, "amount": amount})
        except RuntimeError:
            return False
        return True

    def _stands(self, bank: str, number: str) -> int:
        """What ever came to that number, by the bank's own books."""
        books = self._stage.control(bank, "GET", "books")
        if bank == "deposits":
            return int(books["by_number"].get(number, 0))
        accounts = [
            one for one in books["payments"] if (one.get("virtualAccount") or {}).get("accountNumber") == number
        ]
        return sum(int(books["by_order"].get(one["orderId"], 0)) for one in accounts)


class Customer:
    """One person with one bill and one browser, who does not give up."""

    def __init__(self, stage: Stage, errand: Errand, method: str, known: Sequence[str], seen: Seen) -> None:
        self._stage, self._errand, self._seen = stage, errand, seen
        place = known.index(method)
        self._methods = [*known[place:], *known[:place]]
        self._purse = Purse(stage)

    def pay(self) -> bool:
        """Until the receipt is seen: True. A method that is not offered now is left for the next one."""
        deadline, not_offered = clock.monotonic() + PATIENCE, 0
        while clock.monotonic() < deadline and not_offered < NOTHING_WORKS * len(self._methods):
            walked = self._look() if self._purse.brought else self._walk()
            if walked.outcome == "paid":
                return True
            with self._seen.lock:
                self._seen.begun_again += 1
                self._seen.troubles[(walked.trouble or f"stood at {walked.outcome}").split(":")[0][:60]] += 1
            not_offered = not_offered + 1 if _nothing_for(walked) else 0
            if not_offered:
                self._methods.append(self._methods.pop(0))
            clock.sleep(0.5)
        return False

    def _walk(self) -> walker.Walk:
        browser = walker.Walker()
        walked = walker.pay(
            self._errand.link,
            method=self._methods[0],
            patience=40,
            customer=browser,
            hand=self._purse,
        )
        self._seen.pages(browser.pages, self._stage.base)
        return walked

    def _look(self) -> walker.Walk:
        """Whose money is at the bank already only opens the link, to see whether it has arrived."""
        browser = walker.Walker()
        try:
            step, trouble = browser.open(self._errand.link).step, ""
        except (net.NotSent, net.NoAnswer, walker.Lost) as error:
            step, trouble = "nowhere", f"{type(error).__name__}: {error}"
        self._seen.pages(browser.pages, self._stage.base)
        return walker.Walk(step.removeprefix("pay."), (step,), 0.0, "", trouble)


def _nothing_for(walked: walker.Walk) -> bool:
    """The method, or any, was not offered: the house knows that it does not work now."""
    return "is not offered" in walked.trouble or walked.outcome in {"promised", "no_way"}


def pay_all(
    stage: Stage,
    errands: Sequence[Errand],
    methods: Sequence[str],
    receipts: Acknowledged,
    seen: Seen,
    may_begin: Callable[[int], None] = lambda _: None,
) -> list[Errand]:
    """Some at a time; `may_begin(n)` returns when errand n may be begun. Each receipt seen is noted at once.

    Returns the errands that ended without a receipt.
    """
    waiting, unpaid, lock = list(enumerate(errands)), set[Errand](), threading.Lock()
    waiting.reverse()

    def one(errand: Errand, method: str) -> None:
        if Customer(stage, errand, method, methods, seen).pay():
            receipts.note(errand.number)
        else:
            with lock:
                unpaid.add(errand)

    def walks() -> None:
        while True:
            with lock:
                if not waiting:
                    return
                place, errand = waiting.pop()
            may_begin(place)
            beside = [threading.Thread(target=one, args=(errand, method)) for method in errand.methods[1:]]
            for thread in beside:
                thread.start()
            one(errand, errand.methods[0])
            for thread in beside:
                thread.join()

    threads = [threading.Thread(target=walks) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [errand for errand in errands if errand in unpaid]

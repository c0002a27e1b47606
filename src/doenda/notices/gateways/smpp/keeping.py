"""One bind a process, kept alive: bound again after a cut with growing pauses, and slowly after a refusal.

The worker's process holds it (`gateways.attend`): it sends, and delivery receipts come by the same bind. Of several
workers each has its own; receipts are rows, so it does not matter on whose they come. What is wrong is told once.
"""

import logging
import threading
from typing import Any

from django.db import connection

from doenda.kernel import clock, facts, net, randomness
from doenda.kernel.db import durable
from doenda.notices import reaching
from doenda.notices.gateways.smpp import pdus, told, tries
from doenda.notices.gateways.smpp.configured import Config, configured
from doenda.notices.gateways.smpp.link import Answer, BindRefused, Ended, Link
from doenda.notices.gateways.smpp.pace import Pace
from doenda.notices.models import Segment

log = logging.getLogger(__name__)
NAME = "smpp"
AFTER_CUT = (1.0, 60.0)
AFTER_REFUSAL = (60.0, 3600.0)
"""Seconds to the next try, first and longest: a centre locks out who knocks with a wrong password again and again."""
_HOUR = 3600.0


class Keeper:
    """`link` is the bind of this moment; `trouble` says why there is none."""

    def __init__(self, config: Config, *, after_cut: tuple[float, float] = AFTER_CUT) -> None:
        self.config, self.pace = config, Pace(config.rate)
        self.trouble, self.tries = "not bound yet", 0
        self.next_try = 0.0
        self._after_cut = after_cut
        self._link: Link | None = None
        self._bound, self._stopping = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._forgotten = clock.monotonic()
        self._told = ""

    def start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, daemon=True, name="smpp")
                self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._link is not None:
            self._link.close(politely=True)
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(5.0)

    def link(self, patience: float = 3.0) -> Link | None:
        """The bind, waiting at most so many seconds for one that is being made; None while there is none."""
        self.start()
        if self.next_try - clock.monotonic() < patience:
            self._bound.wait(patience)
        link = self._link
        return link if link is not None and link.alive else None

    def _run(self) -> None:
        pauses = _Pauses(self._after_cut)
        while not self._stopping.is_set():
            link = Link(self.config, self._deliver, self._late)
            try:
                self.tries += 1
                link.bind()
            except BindRefused as error:
                self._no_link(f"refused {error.status}", str(error))
                pause = pauses.refused()
            except (net.NotSent, Ended) as error:
                self._no_link("cut", str(error))
                pause = pauses.cut()
            except Exception:
                log.exception("the bind to the SMS centre could not be made")
                pause = pauses.cut()
            else:
                begun = clock.monotonic()
                self._up(link)
                ended = link.run()
                self._down(ended)
                if clock.monotonic() - begun > self._after_cut[1]:
                    pauses = _Pauses(self._after_cut)
                pause = pauses.cut()
            self.next_try = clock.monotonic() + pause
            self._forget()
            connection.close()
            self._stopping.wait(pause)

    def _up(self, link: Link) -> None:
        self._link, self.trouble, self.next_try = link, "", 0.0
        self._bound.set()
        log.info("bound to the SMS centre")
        self._tell("bound", "bound", "")

    def _down(self, why: str) -> None:
        self._bound.clear()
        self._link, self.trouble = None, why
        if not self._stopping.is_set():
            log.warning("the bind to the SMS centre has ended: %s", why)

    def _no_link(self, kind: str, why: str) -> None:
        self.trouble = why
        self._tell(kind, "away", why)

    def _tell(self, kind: str, state: str, why: str) -> None:
        """A fact and an operator's line when it is of another kind than before, evidence each time."""
        new, self._told = kind != self._told, kind
        if new and state == "away":
            log.error("no bind to the SMS centre: %s", why)

        def write() -> None:
            if new:
                facts.record("notices.gateway", None, {"gateway": NAME, "state": state, "reason": why[:200]})
            if state == "away":
                reaching.no_link(NAME, why)

        try:
            durable(write)
        except Exception:
            log.exception("what became of the bind could not be noted")

    def _deliver(self, delivered: pdus.Delivered) -> int:
        """Store a delivery receipt before it is acknowledged; one that cannot be stored now is sent to us again."""
        if not told.is_receipt(delivered.esm_class):
            log.warning("a text from a phone came to the sender's number of notices, and is not taken")
            return pdus.REJECTED
        config = self.config
        found = told.read(
            delivered.source,
            delivered.destination,
            delivered.text,
            delivered.tlvs,
            answer_form=config.answers,
            receipt_form=config.receipts,
        )
        if found is None:
            log.warning("a delivery receipt that names no message")
            return pdus.PERMANENT
        return 0 if self._durably(lambda: tries.store(found)) else pdus.TEMPORARY

    def _late(self, row: Segment, answer: Answer) -> None:
        self._durably(lambda: tries.answered(row, answer, self.config))

    def _durably(self, work: Any) -> bool:
        try:
            durable(work)
        except Exception:
            log.exception("what the SMS centre said could not be stored")
            connection.close()
            return False
        return True

    def _forget(self) -> None:
        if clock.monotonic() - self._forgotten > _HOUR:
            self._forgotten = clock.monotonic()
            self._durably(tries.forget)


class _Pauses:
    """Doubling, each drawn from its upper half, so that several workers do not come back at once."""

    def __init__(self, after_cut: tuple[float, float]) -> None:
        self._limits = {"cut": after_cut, "refused": AFTER_REFUSAL}
        self._next = {name: limits[0] for name, limits in self._limits.items()}

    def cut(self) -> float:
        return self._pause("cut")

    def refused(self) -> float:
        return self._pause("refused")

    def _pause(self, name: str) -> float:
        pause = self._next[name]
        self._next[name] = min(self._limits[name][1], pause * 2)
        return randomness.uniform(pause / 2, pause)


_keeper: Keeper | None = None
_lock = threading.Lock()


def keeper() -> Keeper:
    """This process's own, for the SMS centre of the settings. Raises ValueError for settings that make no sense."""
    global _keeper  # noqa: PLW0603 - one bind a process
    with _lock:
        if _keeper is None:
            _keeper = Keeper(configured())
        return _keeper


def use(made: Keeper) -> None:
    """Have this process's bind kept by `made` (tests)."""
    global _keeper  # noqa: PLW0603 - one bind a process
    with _lock:
        _keeper = made


def stop() -> None:
    """Unbind and forget it."""
    global _keeper
    with _lock:
        found, _keeper = _keeper, None
    if found is not None:
        found.stop()

"""How fast this process may send: its own rate, and slower for a while when the centre asks for it."""

import threading

from doenda.kernel import clock

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
BURST = 1.0


class Pace:
    """`rate` segments a second, after a silence a second's worth at once. Used by several threads."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self._lock = threading.Lock()
        self._next = 0.0
        self._not_before = 0.0
        self._pause = 0.0

    def held(self) -> float:
        """Seconds for which the centre has asked us to send nothing."""
        return max(0.0, self._not_before - clock.monotonic())

    def queue(self) -> float:
        """Seconds until the next segment would have its turn."""
        return max(0.0, self._next - BURST - clock.monotonic())

    def turn(self) -> float:
        """Take the next segment's turn: the seconds until then."""
        with self._lock:
            now = clock.monotonic()
            at = max(self._next, now)
            self._next = at + 1.0 / self.rate
            return max(0.0, self._next - BURST - now)

    def throttled(self) -> float:
        """The centre asked for less. Returns the seconds for which nothing leaves: doubled each time it asks again."""
        with self._lock:
            now = clock.monotonic()
            if now >= self._not_before:
                self._pause = min(LONGEST_PAUSE, max(FIRST_PAUSE, self._pause * 2))
                self._not_before = now + self._pause
            return self._not_before - now

    def taken(self) -> None:
        """It took a message: the next time it asks for less begins with a short pause."""
        with self._lock:
            if clock.monotonic() >= self._not_before:
                self._pause = 0.0

"""What others tell a caller, fed with the same line. Seconds."""

from dataclasses import dataclass


@dataclass
class Asterisk:
    """`app_queue`'s moving average of answered calls' waits: a quarter of the newest, in whole seconds.

    It announces the average and 30 s, less the time waited, as an absolute value in minutes: so past the average the
    remaining wait rises. The prediction at entry is taken without the 30 s and the minutes, which would only harm it.
    """

    holdtime: int = 0

    def answered(self, waited: float) -> None:
        self.holdtime = (3 * self.holdtime + int(waited)) // 4

    def announces(self, waited: float) -> int:
        """Minutes that a caller hears after having waited so long."""
        return int(abs(self.holdtime + 30 - int(waited))) // 60


def ql(ahead: int, agents: int, mu: float) -> float:
    """The queue's length over what the agents can do: as if nobody gave up."""
    return (ahead + 1) / (agents * mu)

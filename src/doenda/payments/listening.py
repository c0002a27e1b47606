"""When an account that waits for a deposit is asked about although nobody rang: a doorbell can be lost."""

from datetime import datetime, timedelta

from doenda.kernel import clock
from doenda.payments import providers
from doenda.payments.models import Attempt


def next_look(attempt: Attempt, until: datetime | None) -> datetime | None:
    """The next time to ask, at the latest just after `until`, when its time is over. None: this provider's list tells.

    For an attempt that waits for its deposit, or is about to.
    """
    every = providers.get(attempt.provider).listens_every
    if every is None:
        return None
    look = clock.now() + every
    return look if until is None else min(look, until + timedelta(seconds=1))

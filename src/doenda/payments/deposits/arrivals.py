"""The sweep that asks the bank what has arrived: woken by a webhook or the clock, it stores lines and brings them home.

The list is read on from where we stopped; what is younger than the bank's longest delay is read again now and then,
for the bank may list a movement later than it happened, behind our mark.
"""

import logging
from datetime import datetime

from django.conf import settings

from doenda.kernel import clock, sweeps
from doenda.kernel.db import durable
from doenda.payments import providers
from doenda.payments.deposits import policy, posting, storing
from doenda.payments.deposits.models import DepositFeed
from doenda.payments.providers.deposit.client import PAGE, Page
from doenda.payments.providers.deposit.codes import NIGHT
from doenda.payments.providers.deposit.provider import Deposit

log = logging.getLogger(__name__)
PAGES = 20
"""Pages of one look: the sweep is called again while there is more."""
SET_WISE = 5
"""Lines that are brought home together are a fifth of the work of as many single rows, or less."""


def provider() -> Deposit | None:
    """The deposit bank, if this installation has one."""
    if posting.PROVIDER not in settings.DOENDA_PROVIDERS:
        return None
    found = providers.get(posting.PROVIDER)
    assert isinstance(found, Deposit)
    return found


@sweeps.sweep("deposits", every=10)
def sweep(limit: int = 100) -> int:
    """Read the bank's list, then bring home what is stored. Returns the lines that came home."""
    bank = provider()
    if bank is not None and read_on(bank):
        read_again(bank)
    return posting.post(limit * SET_WISE)


def read_on(bank: Deposit) -> bool:
    """Store what is new since the kept place. False if the list could not be read."""
    for _ in range(PAGES):
        feed, _ = DepositFeed.objects.get_or_create(pk=1)
        page = bank.bank.movements(feed.cursor)
        if page.code:
            durable(lambda code=page.code: _trouble(code))  # type: ignore[misc]
            return False
        durable(lambda page=page: _stored(page))  # type: ignore[misc]
        if len(page.movements) < PAGE:
            break
    return True


def _stored(page: Page) -> None:
    """One page and the new place in one transaction: a crash reads the page again, and finds its lines known."""
    feed = storing.lock_feed()
    _note(storing.store(page.movements, "list"))
    feed.cursor = max(feed.cursor, page.last)
    if len(page.movements) < PAGE:
        feed.read_at = clock.now()
    feed.trouble, feed.trouble_since = "", None
    feed.save()


def _note(result: storing.Stored) -> None:
    for bank, ident in result.conflicts:
        log.error("the bank tells movement %s-%s otherwise than before; the first telling stands", bank, ident)


def _trouble(code: str) -> None:
    """The night is no trouble; anything else is, and says since when."""
    feed = storing.lock_feed()
    if code == NIGHT:
        return
    if not feed.trouble:
        log.error("the bank's list of deposits cannot be read: %s", code)
        feed.trouble_since = clock.now()
    feed.trouble = code[:80]
    feed.save()


def read_again(bank: Deposit) -> None:
    """Read again what is young enough that something may have been listed late behind our mark."""
    rules, now = policy.now(), clock.now()
    feed = DepositFeed.objects.get(pk=1)
    if feed.checked_at is not None and now - feed.checked_at < rules.reread_every:
        return
    after, settled = feed.checked, True
    while after < feed.cursor:
        page = bank.bank.movements(after)
        if page.code or not page.movements:
            return
        mark = 0
        for place, each in zip(page.places, page.movements, strict=True):
            settled = settled and now - each.at > rules.reread
            mark = place if settled else mark
        durable(lambda page=page, mark=mark: _checked(page, mark))  # type: ignore[misc]
        after = page.last
    durable(lambda: _looked(now))


def _checked(page: Page, mark: int) -> None:
    feed = storing.lock_feed()
    _note(storing.store(page.movements, "list"))
    feed.checked = max(feed.checked, mark)
    feed.save()


def _looked(now: datetime) -> None:
    feed = storing.lock_feed()
    feed.checked_at = now
    feed.save()

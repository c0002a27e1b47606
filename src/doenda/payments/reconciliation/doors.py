"""The ordinary doors by which a look at a provider's list mends what it can: questions, the files, refunds under way.

Nothing is posted here from a list. What a door brings home, it brings as always: asked of the provider, once.
"""

import logging
from collections.abc import Iterable
from uuid import UUID

from django.db.models import Q

from doenda.kernel import clock, outbox, sweeps
from doenda.kernel.db import durable
from doenda.kernel.models import OutboxRow
from doenda.payments import inquiry
from doenda.payments.models import Attempt, Refund
from doenda.payments.providers.contract import Outcome

log = logging.getLogger(__name__)
SWEEPS = {"deposit": ("deposits",), "debit": ("debit answers", "debits home")}
"""Providers whose news comes otherwise than by a question about one attempt."""


def fetch(provider: str) -> None:
    """Have what the provider brings by lists and files brought home. Opens its own transactions."""
    for name in SWEEPS.get(provider, ()):
        if name in sweeps.registered():
            try:
                sweeps.run(name)
            except Exception:
                log.exception("%s could not be fetched", name)


def ask(attempt_ids: Iterable[UUID], *, went_back: bool) -> None:
    """Ask the provider about each attempt, and bring home what it says; a question that fails is asked again later."""
    says = Outcome.GIVEN_BACK if went_back else None
    for attempt_id in attempt_ids:
        durable(lambda attempt_id=attempt_id: inquiry.ask_now(attempt_id, says=says))  # type: ignore[misc]
        try:
            inquiry.ask(Attempt.objects.get(pk=attempt_id))
        except Exception:
            log.exception("the question about attempt %s failed; it will be asked again", attempt_id)
        if went_back:
            _confirm_refunds(attempt_id)


def _confirm_refunds(attempt_id: UUID) -> None:
    """A refund that the provider's list has, and we have no answer to: send it again under its key, and hear."""
    open_now = Refund.objects.filter(attempt=attempt_id, done_at=None, failed_at=None)
    for refund in open_now.exclude(needs_two=True, approved_by=""):
        only = Q(kind="refund", key=str(refund.pk), done_at=None)
        durable(lambda only=only: OutboxRow.objects.filter(only).update(due_at=clock.now()))  # type: ignore[misc]
        if (row := outbox.claim(only)) is not None:
            outbox.send_claimed(row)

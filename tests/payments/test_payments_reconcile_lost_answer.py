"""A look at a provider's list whose commits are not acknowledged is written down once all the same."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from tests.payments.test_payments_reconcile_feeds import paid
from tests.worlds import world

from doenda.kernel import clock
from doenda.kernel.database import seam
from doenda.payments.models import ReconRun
from doenda.payments.reconciliation import feeds, settlements

type Look = Callable[[str, datetime, datetime], ReconRun]


@pytest.mark.parametrize("look", [feeds.reconcile, settlements.reconcile])
def test_a_run_whose_acknowledgement_is_lost_is_one_run(committed_db: str, noon: clock.Frozen, look: Look) -> None:
    with world() as made:
        paid(made)
        noon.advance(timedelta(days=1))
        with seam.unacknowledged():
            run = look("sandbox", clock.now() - timedelta(days=2), clock.now())
    assert list(ReconRun.objects.values_list("pk", flat=True)) == [run.pk]

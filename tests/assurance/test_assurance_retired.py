"""A way that is gone fails nobody any more."""

from pathlib import Path

import pytest

from doenda.assurance import by_hand, ways
from doenda.assurance.models import Exposure
from doenda.kernel import clock

CARD = "web/card/sandbox"


def test_an_exposure_ends_when_its_failing_way_is_no_longer_listed(
    db: None, noon: clock.Frozen, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    by_hand.withdraw(CARD, who="kim", reason="no answer")
    assert Exposure.objects.get().ended_at is None
    listed = tuple(one for one in ways.definitions() if one.slug != CARD)
    monkeypatch.setattr(ways, "definitions", lambda: listed)
    ways.ensure_ways()
    assert Exposure.objects.get().ended_at == clock.now()

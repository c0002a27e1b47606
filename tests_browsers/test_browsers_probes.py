"""Synthetic customers in a real browser: what only browsers see is found, and kept from those who hold such a one."""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from tests_browsers.conftest import missing

from doenda.app.stage import Stage
from doenda.assurance import by_hand, guidance, standing
from doenda.assurance.rule import Name
from doenda.channels.web import in_chromium, walker
from doenda.kernel.db import atomic
from doenda.probes import walks
from doenda.probes.models import Turn

CARD = "web/card/sandbox"
IN_CHROMIUM = f"{CARD}@chromium"


@pytest.fixture
def browser(settings: Any) -> Iterator[None]:
    if not any(shutil.which(name) for name in in_chromium.NAMES):
        missing("chromium")
    settings.DOENDA_BROWSERS = ["chromium"]
    yield
    by_hand.vouch(IN_CHROMIUM, who="the tests", reason="it was never broken")
    with atomic():
        Turn.objects.filter(way=IN_CHROMIUM).delete()


def test_a_walk_in_a_browser_proves_the_way_on_that_kind_of_device(house: Stage, browser: None) -> None:
    if standing.one(IN_CHROMIUM) is not None:  # customers of earlier tests, whose banks failed, were counted there
        by_hand.vouch(IN_CHROMIUM, who="kim", reason="the bank's fault is mended")
    run = walks.walk(IN_CHROMIUM)
    assert (run.outcome, run.trouble) == ("worked", ""), run.steps
    cell = standing.one(IN_CHROMIUM)
    assert cell is not None
    assert cell.standing is Name.PROVEN


def test_what_fails_in_the_browser_alone_is_kept_from_it_and_from_texts(
    house: Stage, browser: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def blank(url: str, **how: Any) -> walker.Walk:
        return in_chromium.pay(url, **how | {"method": "nothing of that name"})

    monkeypatch.setitem(walks.BROWSERS, "chromium", blank)
    for _ in range(3):  # the walk, and the two that it asks for
        assert walks.walk(IN_CHROMIUM).outcome == "failed_by_us"
    assert walks.walk(CARD).outcome == "worked", "without scripts it works"
    assert CARD not in {way.slug for way in guidance.read().named("page", device="chromium")}
    assert CARD in {way.slug for way in guidance.read().named("page", device="gecko")}
    assert CARD not in {way.slug for way in guidance.read().named("notice")}

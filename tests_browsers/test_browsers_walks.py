"""The whole walk, from the link to the receipt, in browsers with and without scripts, and in text browsers."""

from collections.abc import Callable
from typing import Any

import pytest
from tests_browsers.conftest import missing

from doenda.app.stage import Stage
from doenda.channels.web import in_chromium, in_lynx, in_w3m
from doenda.channels.web.walker import Walk

WHOLE = ("pay.bill", "pay.method", "provider", "pay.away.returned", "pay.paid")


def walked(walk: Callable[[], Walk]) -> Walk:
    try:
        return walk()
    except in_chromium.NoBrowser as error:
        missing(str(error))
        raise


@pytest.mark.parametrize("lang", ["ko", "en"])
@pytest.mark.parametrize("scripts", [False, True], ids=["no scripts", "scripts"])
@pytest.mark.parametrize("method", ["card", "transfer"])
def test_chromium_pays(house: Stage, new_bill: Callable[..., Any], lang: str, scripts: bool, method: str) -> None:
    bill, url = new_bill()
    walk = walked(lambda: in_chromium.pay(url, method=method, lang=lang, scripts=scripts))
    assert (walk.outcome, walk.steps) == ("paid", WHOLE), walk
    assert "KRW 52,300" in walk.text
    bill.refresh_from_db()
    assert bill.state == "settled"


@pytest.mark.parametrize("browser", [in_w3m, in_lynx], ids=["w3m", "lynx"])
def test_a_text_browser_pays(house: Stage, new_bill: Callable[..., Any], browser: Any) -> None:
    bill, url = new_bill()
    walk = walked(lambda: browser.pay(url))
    assert (walk.outcome, walk.steps, walk.trouble) == ("paid", WHOLE, ""), walk
    assert "KRW 52,300" in walk.text
    bill.refresh_from_db()
    assert bill.state == "settled"

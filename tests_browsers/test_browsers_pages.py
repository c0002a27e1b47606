"""Every page of the journey in a real Chromium: for the eye, the finger, the screen reader and the smallest phone."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests_browsers.conftest import missing
from tests_browsers.tours import Tour

from doenda.app.stage import Stage
from doenda.channels.web import in_chromium

EXPECTED = {
    *("enter.code", "enter.code.wrong", "enter.code.unknown", "enter.number", "enter.sent", "enter.callback"),
    *("enter.promised", "enter.help", "enter.expired", "error.gone"),
    *("pay.bill", "pay.bill.fresh", "pay.bill.held", "pay.date", "pay.date.wrong", "pay.already", "pay.dispute"),
    *("pay.person", "pay.person.wrong", "pay.reported", "pay.part", "pay.part.wrong", "pay.method", "pay.method.part"),
    *("pay.method.nothing", "pay.away.cancelled", "pay.away.returned", "pay.refused", "pay.faulted", "pay.asking"),
    *("pay.paid", "pay.paid.part", "pay.paid.settled"),
    *("pay.promised.date", "pay.promised.claim", "pay.promised.dispute", "pay.promised.ticket"),
    *("pay.promised.fault", "pay.promised.unknown", "pay.promised.no_way"),
}


@contextmanager
def opened(lang: str, *, scripts: bool = True) -> Iterator[Any]:
    """A page in a phone of 320 × 568, the smallest that people still hold."""
    try:
        from playwright.sync_api import sync_playwright

        path = in_chromium.executable()
    except (ImportError, in_chromium.NoBrowser) as error:
        missing(str(error))
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path)
        context = browser.new_context(
            locale={"ko": "ko-KR", "en": "en-US"}[lang],
            viewport={"width": 320, "height": 568},
            java_script_enabled=scripts,
            has_touch=True,
        )
        page = context.new_page()
        page.set_default_timeout(15_000)
        yield page
        browser.close()


def axe() -> str:
    import axe_playwright_python

    return (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")


SMALL = """() => [...document.querySelectorAll(
    'button, a.button, .language a, a.call, .radio, .field input, .field select, .note a')]
  .filter(each => each.offsetParent !== null)
  .map(each => [each.outerHTML.slice(0, 90), each.getBoundingClientRect()])
  .filter(([_, box]) => box.height < 44 || box.width < 44)
  .map(([html, box]) => `${Math.round(box.width)} x ${Math.round(box.height)}: ${html}`)"""
WIDTH = "() => document.documentElement.scrollWidth"
LINES = """each => {
  const range = document.createRange();
  range.selectNodeContents(each);
  return range.getClientRects().length
}"""
BIGGEST = """() => Math.max(...[...document.querySelectorAll('main *')]
  .filter(each => [...each.childNodes].some(child => child.nodeType === 3 && child.data.trim()))
  .map(each => parseFloat(getComputedStyle(each).fontSize)))"""


def problems_of(page: Any, script: str) -> list[str]:
    """What axe, a thumb and a narrow screen find wrong."""
    found = [f"{each} is too small to touch" for each in page.evaluate(SMALL)]
    if (width := page.evaluate(WIDTH)) > 320:
        found.append(f"{width} px wide")
    page.evaluate("() => { document.documentElement.style.fontSize = '200%' }")
    if (width := page.evaluate(WIDTH)) > 320:
        found.append(f"{width} px wide with large text")
    page.evaluate("() => { document.documentElement.style.fontSize = '' }")
    page.evaluate(f"() => {{ if (!window.axe) {{ {script} }} }}")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for each in page.evaluate("async () => (await axe.run()).violations"):
            where = [node["html"][:120] for node in each["nodes"]]
            found.append(f"{scheme}: {each['id']}: {each['help']}: {where}")
    page.emulate_media(color_scheme="light")
    return found


def shoot(page: Any, folder: Path, name: str) -> None:
    page.screenshot(path=folder / f"{name}.png", full_page=True)
    page.evaluate("() => { document.documentElement.style.fontSize = '200%' }")
    page.screenshot(path=folder / f"{name}.large.png", full_page=True)
    page.evaluate("() => { document.documentElement.style.fontSize = '' }")


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_every_page_can_be_seen_touched_and_heard(
    house: Stage, new_bill: Callable[..., Any], shots: Path, lang: str
) -> None:
    script, seen, problems = axe(), set(), {}
    with opened(lang) as page:
        for name in Tour(page, house, new_bill, lang).all():
            seen.add(name)
            shoot(page, shots, f"{lang}-{name}")
            if found := problems_of(page, script):
                problems[name] = found
            if page.get_attribute("html", "lang") != lang:
                problems.setdefault(name, []).append("in the other language")
    assert not problems, "\n".join(f"{name}: {each}" for name, found in problems.items() for each in found)
    assert not EXPECTED - seen, f"not seen: {sorted(EXPECTED - seen)}"


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_the_answer_is_above_the_fold_and_the_amount_is_the_largest_thing(
    house: Stage, new_bill: Callable[..., Any], lang: str
) -> None:
    with opened(lang) as page:
        tour = Tour(page, house, new_bill, lang)
        tour.bill(days=1)
        biggest = page.evaluate(BIGGEST)
        amount = page.locator(".sum").first
        assert parse(amount.evaluate("each => getComputedStyle(each).fontSize")) == biggest
        button = page.locator('button[value="pay"]').bounding_box()
        assert button["y"] + button["height"] <= 568, button
        tour.press("pay")
        assert parse(page.locator(".sum").first.evaluate("each => getComputedStyle(each).fontSize")) == page.evaluate(
            BIGGEST
        )


def parse(pixels: str) -> float:
    return float(pixels.removesuffix("px"))


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_a_number_to_call_stays_on_one_line(house: Stage, new_bill: Callable[..., Any], lang: str) -> None:
    with opened(lang) as page:
        Tour(page, house, new_bill, lang).bill()
        for width in range(260, 480, 20):
            page.set_viewport_size({"width": width, "height": 568})
            assert page.locator("a.call").last.evaluate(LINES) == 1, width

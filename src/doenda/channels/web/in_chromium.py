"""The same walk in a real Chromium, with or without scripts; it needs playwright and a Chromium of the system's."""

import shutil
from typing import Any

from doenda.channels.web.walker import MOST_PAGES, Walk
from doenda.kernel import clock

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


class NoBrowser(RuntimeError):
    """The browser, or what drives it, is not installed on this machine."""


def executable() -> str:
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        raise NoBrowser(f"none of {', '.join(NAMES)} is installed")
    return found


def pay(url: str, *, method: str = "card", lang: str = "ko", scripts: bool = False, patience: float = 60.0) -> Walk:
    """Open a link in Chromium and pay to the receipt. Raises NoBrowser."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise NoBrowser("playwright is not installed") from error
    begun = clock.monotonic()
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=executable())
        context = browser.new_context(
            java_script_enabled=scripts,
            locale={"ko": "ko-KR", "en": "en-US"}[lang],
            viewport={"width": 360, "height": 740},
        )
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.goto(url)
        steps: list[str] = []
        while clock.monotonic() - begun < patience and len(steps) < MOST_PAGES:
            steps.append(page.get_attribute("body", "data-step") or "provider")
            if not _next(page, steps[-1], method):
                break
        text = page.inner_text("body")
        browser.close()
    last = steps[-1]
    outcome = last.split(".", 1)[1] if last in {"pay.paid", "pay.promised"} else last
    return Walk(outcome, tuple(steps), clock.monotonic() - begun, text)


_PRESS = {
    "pay.bill": "pay",
    "provider": "approve",
    "pay.away.returned": "returned",
    "pay.asking": "check_again",
    "web.working": "check",
}


def _next(page: Any, step: str, method: str) -> bool:
    if step == "pay.method":
        page.check(f'input[name=way][value*="/{method}/"]')
        page.click("button[value=chosen]")
    elif step in _PRESS:
        if step in {"pay.asking", "web.working"}:
            clock.sleep(0.5)
        page.click(f'button[value="{_PRESS[step]}"]')
    else:
        return False
    return True

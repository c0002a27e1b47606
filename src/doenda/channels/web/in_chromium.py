"""The same walk in a real Chromium, with or without scripts; it needs playwright and a Chromium of the system's."""

import shutil
from dataclasses import dataclass
from typing import Any

from doenda.channels.web.walker import MOST_PAGES, SIGNS, Hand, Walk
from doenda.kernel import clock

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


class NoBrowser(RuntimeError):
    """The browser, or what drives it, is not installed on this machine."""


def executable() -> str:
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        raise NoBrowser(f"none of {', '.join(NAMES)} is installed")
    return found


def pay(
    url: str,
    *,
    method: str = "card",
    provider: str = "",
    lang: str = "ko",
    scripts: bool = False,
    patience: float = 60.0,
    width: int = 360,
    hand: Hand | None = None,
) -> Walk:
    """Open a link in Chromium and pay to the receipt (by debit: to the promise). Raises NoBrowser."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError as error:
        raise NoBrowser("playwright is not installed") from error
    begun = clock.monotonic()
    steps: list[str] = []
    text = trouble = ""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=executable())
        context = browser.new_context(
            java_script_enabled=scripts,
            locale={"ko": "ko-KR", "en": "en-US"}[lang],
            viewport={"width": width, "height": 740},
        )
        page = context.new_page()
        page.set_default_timeout(10_000)
        try:
            page.goto(url)
            walk = _InBrowser(page, method, provider, scripts, hand)
            while clock.monotonic() - begun < patience and len(steps) < MOST_PAGES:
                step = page.get_attribute("body", "data-step") or "provider"
                if step != walk.seen:
                    steps.append(step)
                if not walk.on(step):
                    break
            text = page.inner_text("body")
        except Error as error:  # the page did not do what it should: where it stood is the outcome
            trouble = str(error).splitlines()[0][:200]
        browser.close()
    last = steps[-1] if steps else "unreachable"
    outcome = last.split(".", 1)[1] if last in {"pay.paid", "pay.promised"} and not trouble else last
    return Walk(outcome, tuple(steps), clock.monotonic() - begun, text, trouble)


_PRESS = {
    "pay.bill": "pay",
    "pay.away.returned": "returned",
    "pay.asking": "check_again",
    "web.working": "check",
}
_SLOW = frozenset({"pay.asking", "web.working"})


@dataclass
class _InBrowser:
    """How to go on from each page, with a finger."""

    page: Any
    method: str
    provider: str
    scripts: bool
    hand: Hand | None
    seen: str = ""
    brought: bool = False

    def on(self, step: str) -> bool:
        """Press what comes next; False when there is nothing."""
        page, before = self.page, self.seen
        self.seen = step
        if step == "pay.method":
            page.check(f'input[name=way][value*="/{self.method}/{self.provider}"]')
            page.click("button[value=chosen]")
        elif step == "pay.script":
            self._launch()
        elif step == "provider":
            self._approve()
        elif step == "pay.mandate":
            self._sign()
        elif step == "pay.account":
            return self._bring(again=before == step)
        elif step in _PRESS:
            if step in _SLOW:
                clock.sleep(0.5)
            page.click(f'button[value="{_PRESS[step]}"]')
        else:
            return False
        return True

    def _launch(self) -> None:
        """Open the provider's window from our page; a window of the script's own is answered where it opens."""
        if not self.scripts:
            self.page.click("button[value=no_scripts]:visible")
            return
        self.page.click("#launch-go")
        away = self.page.locator(COMPLETE)
        for _ in range(100):
            clock.sleep(0.1)
            if self.page.get_attribute("body", "data-step") != "pay.script":
                return
            if away.count():
                away.first.click()
                self.page.wait_for_url("**/return**")
                return

    def _approve(self) -> None:
        self.page.click('button[value="approve"]')

    def _sign(self) -> None:
        self.page.select_option("#bank", SIGNS["bank"])
        for name in ("number", "holder", "birth"):
            self.page.fill(f"#{name}", SIGNS[name])
        self.page.check("#agreed")
        self.page.click("button[value=given]")

    def _bring(self, *, again: bool) -> bool:
        if self.hand is None:
            return False
        if self.brought:
            clock.sleep(0.5 if again else 0)
        else:
            where = self.page.locator("[data-number]").first
            self.hand(where.get_attribute("data-number"), int(where.get_attribute("data-amount")))
            self.brought = True
        self.page.click("button[value=check_again]")
        return True


COMPLETE = "text=Complete authentication"
"""The button of the window in which a card's bank asks its payer."""

"""One session on a real call and a page in a real Chromium: both move, with and without scripts, whoever dies."""

import asyncio
import os
import re
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, async_playwright, expect
from tests.worlds import link, overdue_bill
from tests_voice.conftest import Telephone
from tests_voice.test_voice_calls import LONG_ENOUGH, SURE, hears, waits_for
from tests_voice.test_voice_line import comes_to_work, nobody_left, off

from doenda.access import codes
from doenda.assurance import evidence
from doenda.billing.models import Bill
from doenda.channels.voice import phone
from doenda.channels.voice.hearing import match
from doenda.channels.voice.readings import aloud
from doenda.channels.web.in_chromium import executable
from doenda.contact.models import Ticket
from doenda.journeys.models import Invitation
from doenda.kernel.db import atomic
from doenda.kernel.ids import new_id, outside
from doenda.payments.models import Attempt

CARD = "web/card/sandbox"
WITHIN = 15_000

__all__ = ["nobody_left"]


@pytest.fixture
def card(house: Any) -> None:
    with atomic():
        evidence.record(CARD, "worked", source_kind="test", source_id=outside(new_id()), synthetic=True)


@asynccontextmanager
async def browser(*, scripts: bool = True) -> AsyncIterator[Page]:
    async with async_playwright() as driver:
        chromium = await driver.chromium.launch(executable_path=executable())
        context = await chromium.new_context(
            java_script_enabled=scripts, locale="ko-KR", viewport={"width": 360, "height": 740}
        )
        page = await context.new_page()
        page.set_default_timeout(WITHIN)
        yield page
        await chromium.close()


@dataclass(frozen=True)
class Owner:
    """A customer with an overdue bill, and a telephone of their own: nobody is texted without end."""

    bill: Bill
    number: str
    phone: str

    def code(self) -> str:
        with atomic():
            return codes.issue(self.bill.pk, self.bill.account_id, self.phone)


def owner(at: int, amount: int) -> Owner:
    phone_ = f"+8210555{at:05}"
    return Owner(overdue_bill(amount, number=f"S-{at}", phone=phone_, days=5), f"010555{at:05}", phone_)


async def text_with_a_link(telephone: Telephone, to: str) -> str:
    """The link that was texted to this number, once it has come."""

    def links() -> list[str]:
        texts = [each["text"] for each in telephone.house.control("handset", "GET", "inbox") if each["to"] == to]
        return [found for text in texts for found in re.findall(r"http\S+/v/\w+", text)]

    for _ in range(60):
        if found := await asyncio.to_thread(links):
            return found[-1]
        await asyncio.sleep(0.5)
    raise AssertionError("no text came")


async def joins(telephone: Telephone, page: Page, to: str) -> None:
    await page.goto(await text_with_a_link(telephone, to))
    assert await page.get_attribute("body", "data-step") == "web.join"
    await page.fill("#digits", await off(lambda: Invitation.objects.latest("created_at").digits))
    await page.click("button[value=join]")


async def stands(page: Page, step: str, *, scripts: bool) -> None:
    """The page comes there: by itself, or by its own button."""
    for _ in range(20):
        if await page.get_attribute("body", "data-step") == step:
            return
        if not scripts:
            await page.click("button[value=check]")
        await asyncio.sleep(0.5)
    raise AssertionError(f"{await page.get_attribute('body', 'data-step')} instead of {step}")


async def presses(line: phone.Dialog, *keys: str) -> None:
    for key in keys:
        await asyncio.sleep(LONG_ENOUGH)
        await line.press(key)


async def pays_by_card(page: Page) -> None:
    await page.check(f'input[name=way][value="{CARD}"]')
    await page.click("button[value=chosen]")
    await page.click('button[value="approve"]')
    if await page.get_attribute("body", "data-step") == "pay.away.returned":
        await page.click("button[value=returned]")


@pytest.mark.parametrize("scripts", [True, False])
def test_a_bill_chosen_by_keypad_is_paid_on_the_page_and_the_voice_says_so(
    telephone: Telephone, card: None, tmp_path: Path, scripts: bool
) -> None:
    who = owner(1 + scripts, 52_300)
    said = telephone.file(aloud("납부됐어요. 52,300원이 납부됐어요.", "ko"))
    bill, code = who.bill, who.code()

    async def calls() -> phone.Dialog:
        async with (
            phone.call("15771234", server=telephone.server, caller=who.number) as line,
            browser(scripts=scripts) as page,
        ):
            await presses(line, "3")
            await joins(telephone, page, who.phone)
            await stands(page, "enter.code", scripts=scripts)
            await asyncio.sleep(LONG_ENOUGH)
            await presses(line, "1", code, "1")  # this number, its code, pay
            await stands(page, "pay.method", scripts=scripts)
            await shot(page, f"method-{scripts:d}")
            await pays_by_card(page)
            await stands(page, "pay.paid", scripts=scripts)
            await shot(page, f"paid-{scripts:d}")
            await hears(line, said)
            return line

    line = asyncio.run(calls())
    line.record(tmp_path / "heard.wav")
    waits_for(lambda: Bill.objects.get(pk=bill.pk).state == "settled")
    assert Attempt.objects.get(account_id=bill.account_id).way == CARD
    assert match(line.heard, said)[0] > SURE, telephone.said()
    assert match(line.heard, telephone.prompt("voice-joined"))[0] > SURE


async def shot(page: Page, name: str) -> None:
    if folder := os.environ.get("DOENDA_SHOTS"):
        await page.screenshot(path=Path(folder) / f"voice-{name}.png", full_page=True)


def test_what_the_page_does_moves_the_call_and_either_may_die(telephone: Telephone, card: None) -> None:
    who = owner(3, 41_000)
    code = who.code()

    async def calls() -> phone.Dialog:
        async with phone.call("15771234", server=telephone.server, caller=who.number) as line:
            await presses(line, "3")
            async with browser() as page:
                await joins(telephone, page, who.phone)
                await stands(page, "enter.code", scripts=True)
                await page.fill("#phone", who.number)
                await page.fill("#code", code)
                await page.click("button[value=given]")
                await stands(page, "pay.bill", scripts=True)
                address = page.url
            process = telephone.serving.pop()  # the browser is gone; now we die, too
            process.send_signal(signal.SIGKILL)
            process.wait()
            async with browser() as page:
                await page.goto(address)
                await stands(page, "pay.bill", scripts=True)
                await page.click("button[value=pay]")
                await stands(page, "pay.method", scripts=True)
                assert not line.ended.is_set(), "nobody is dropped"
                telephone.serve()
                await asyncio.sleep(2 * LONG_ENOUGH)
                await presses(line, "#")  # the call is where the page is, and leads it back
                await stands(page, "pay.bill", scripts=True)
            return line

    line = asyncio.run(calls())
    assert match(line.heard, telephone.prompt("pay-method"))[0] > SURE, telephone.said()


def test_who_waits_sees_the_place_live_and_meets_the_agent_while_the_page_says_so(
    telephone: Telephone, card: None
) -> None:
    who = owner(4, 33_000)
    code = who.code()

    async def calls() -> None:
        async with phone.call("15771234", server=telephone.server, caller=who.number) as line, browser() as page:
            await presses(line, "1", "1", code, "0")
            await presses(line, "2")
            await joins(telephone, page, who.phone)
            lines = page.locator("#together-lines")
            await expect(lines).to_contain_text("상담원을 기다리고 있어요", timeout=WITHIN)
            await shot(page, "waiting")
            await page.click("button[value=pay]")
            await pays_by_card(page)
            await stands(page, "pay.paid", scripts=True)
            await expect(page.locator("#together-lines")).to_contain_text("납부가 끝났어요", timeout=WITHIN)
            await shot(page, "paid-waiting")
            await asyncio.sleep(LONG_ENOUGH)
            assert not line.ended.is_set()
            await page.click("button[value=enough]")
            await until(lambda: Ticket.objects.filter(state="gone", lost=0).exists())
            await hears(line, telephone.prompt("voice-wait-done"))
            assert match(line.heard, telephone.prompt("voice-wait-done"))[0] > SURE, telephone.said()

    asyncio.run(calls())


async def until(seen: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = asyncio.get_running_loop().time() + seconds
    while not await off(seen):
        assert asyncio.get_running_loop().time() < deadline, "it did not come"
        await asyncio.sleep(0.3)


def test_an_agent_answers_and_the_page_tells(telephone: Telephone, card: None) -> None:
    from tests_voice.telephones import telephone as rung

    who = owner(5, 21_000)

    async def calls() -> None:
        async with (
            rung(telephone.asterisk.agent) as desk,
            phone.call("15771234", server=telephone.server, caller=who.number) as line,
            browser() as page,
        ):
            await presses(line, "0", "2")
            await joins(telephone, page, who.phone)
            await expect(page.locator("#together-lines")).to_contain_text("기다리고", timeout=WITHIN)
            await off(comes_to_work)
            await asyncio.wait_for(desk.calls.get(), 20)
            await expect(page.locator("#together-lines")).to_contain_text("상담원과 이어졌어요", timeout=WITHIN)

    asyncio.run(calls())


def test_a_call_joins_the_page_that_is_open_already(telephone: Telephone, card: None) -> None:
    who = owner(6, 27_000)
    with atomic():
        address = link(who.bill)

    async def calls() -> phone.Dialog:
        async with browser() as page, phone.call("15771234", server=telephone.server, caller=who.number) as line:
            await page.goto(address)
            await page.click("button[value=pay]")
            await page.click("button[value=to_call]")
            shown = await page.locator("#together-lines").inner_text()
            await shot(page, "to-call")
            found = re.search(r"(\d{4}) (\d{4})", shown)
            assert found is not None, shown
            await presses(line, "4")
            await presses(line, found[1] + found[2])
            await expect(page.locator("#together-lines")).to_contain_text("함께 넘어가고", timeout=WITHIN)
            await hears(line, telephone.prompt("voice-joined"))
            await presses(line, "#")
            await stands(page, "pay.bill", scripts=True)
            return line

    line = asyncio.run(calls())
    assert match(line.heard, telephone.prompt("voice-joined"))[0] > SURE

"""Real calls: a bill is paid by telephone, the right prompts are heard, and nobody is dropped when we die."""

import asyncio
import signal
from pathlib import Path

import pytest
from tests.worlds import overdue_bill
from tests_voice.conftest import Telephone

from doenda.access import codes
from doenda.assurance import guidance
from doenda.billing.models import Bill, Line
from doenda.channels.voice import phone, walker
from doenda.channels.voice.hearing import match
from doenda.channels.voice.readings import aloud
from doenda.journeys.models import Session
from doenda.kernel import clock
from doenda.kernel.db import atomic
from doenda.payments.models import Attempt
from doenda.probes import walks

NUMBER = "01000001234"
PHONE = "+821000001234"
SURE = 0.9
DEPOSIT = "voice/deposit/deposit"


def code_of(bill: Bill) -> str:
    with atomic():
        return codes.issue(bill.pk, bill.account_id, PHONE)


def waits_for(seen: "object", seconds: float = 20.0) -> None:
    """Until `seen()` is true."""
    deadline = clock.monotonic() + seconds
    while not seen():  # type: ignore[operator]
        assert clock.monotonic() < deadline, "it did not come"
        clock.sleep(0.2)


LONG_ENOUGH = 4.0
"""Seconds of a prompt that are listened to before the next key: what is matched is its first second and a half."""


async def hears(line: phone.Dialog, prompt: Path, within: float = 20.0) -> None:
    """Wait until the prompt was heard, or the line has ended; whoever asked matches it afterwards."""
    deadline = clock.monotonic() + within
    while clock.monotonic() < deadline and not line.ended.is_set():
        if (await asyncio.to_thread(match, list(line.heard), prompt))[0] > SURE:
            return
        await asyncio.sleep(0.3)


async def to_the_bill(line: phone.Dialog, code: str) -> None:
    """Past the greeting, the calling number and the code."""
    for keys in ("1", "1", code):
        await asyncio.sleep(LONG_ENOUGH)
        await line.press(keys)
    await asyncio.sleep(LONG_ENOUGH)


def test_a_caller_pays_an_overdue_bill_by_telephone(telephone: Telephone, proven: None, tmp_path: Path) -> None:
    bill = overdue_bill(52_300, number="V-1", phone=PHONE, days=5)
    paid = telephone.file(aloud("납부됐어요. 52,300원이 납부됐어요.", "ko"))
    code = code_of(bill)

    async def calls() -> phone.Dialog:
        async with phone.call("15771234", server=telephone.server, caller=NUMBER) as line:
            await to_the_bill(line, code)
            await line.press("1")
            await asyncio.sleep(LONG_ENOUGH)
            await line.press("1")
            await asyncio.sleep(LONG_ENOUGH)
            await asyncio.to_thread(brings)
            await line.press("1")
            await hears(line, paid)
            return line

    def brings() -> None:
        from django.db import connection

        given = Attempt.objects.get(account_id=bill.account_id, state="needs_deposit").details["pay_into"]
        connection.close()
        body = {"number": given["number"], "amount": 52_300, "remitter": "김민수"}
        telephone.house.control("deposits", "POST", "deposits", body)

    line = asyncio.run(calls())
    line.record(tmp_path / "heard.wav")
    waits_for(lambda: Bill.objects.get(pk=bill.pk).state == "settled")
    assert Attempt.objects.get(account_id=bill.account_id).way == "voice/deposit/deposit"
    for message in ("voice-cost", "enter-code", "pay-method"):
        sure, _ = match(line.heard, telephone.prompt(message))
        assert sure > SURE, f"{message} was not heard ({sure:.2f}); {telephone.said()}"
    assert match(line.heard, paid)[0] > SURE
    assert match(line.heard, telephone.prompt("voice-no-such-key"))[0] < 0.5, "what was not said is not heard"
    waits_for(lambda: not Line.objects.filter(account_id=bill.account_id).exclude(barring="none").exists())


def test_when_we_are_killed_the_caller_stays_and_goes_on_where_they_stood(telephone: Telephone, proven: None) -> None:
    bill = overdue_bill(31_000, number="V-2", phone=PHONE, days=5)
    code = code_of(bill)

    async def calls() -> None:
        async with phone.call("15771234", server=telephone.server, caller=NUMBER) as line:
            await to_the_bill(line, code)
            process = telephone.serving.pop()
            process.send_signal(signal.SIGKILL)
            process.wait()
            await asyncio.sleep(2)
            assert not line.ended.is_set(), "nobody is dropped"
            await asyncio.to_thread(telephone.serve)
            await asyncio.sleep(2 * LONG_ENOUGH)
            assert not line.ended.is_set()
            await line.press("1")
            await asyncio.sleep(LONG_ENOUGH)

    asyncio.run(calls())
    waits_for(lambda: Session.objects.filter(bill=bill, channel="voice", step="method").exists())


def test_who_calls_while_nobody_serves_is_held_and_then_served(telephone: Telephone) -> None:
    telephone.stop()

    async def calls() -> phone.Dialog:
        async with phone.call("15771234", server=telephone.server, caller=NUMBER) as line:
            await asyncio.sleep(3)
            assert not line.ended.is_set()
            await asyncio.to_thread(telephone.serve)
            await asyncio.sleep(2 * LONG_ENOUGH)
            return line

    line = asyncio.run(calls())
    assert match(line.heard, telephone.prompt("voice-cost"))[0] > SURE


def test_keys_pressed_at_once_are_all_taken(telephone: Telephone, proven: None) -> None:
    bill = overdue_bill(27_000, number="V-3", phone=PHONE, days=5)
    code = code_of(bill)

    async def calls() -> None:
        async with phone.call("15771234", server=telephone.server, caller=NUMBER) as line:
            await asyncio.sleep(0.5)
            await line.press(f"11{code}1")  # a caller who knows the way does not wait for prompts
            await asyncio.sleep(LONG_ENOUGH)

    asyncio.run(calls())
    waits_for(lambda: Session.objects.filter(bill=bill, channel="voice", step="method").exists())


def test_a_synthetic_caller_proves_the_way_by_hearing_the_receipt(
    telephone: Telephone, settings: pytest.FixtureRequest
) -> None:
    host, port = telephone.server
    settings.DOENDA_SIP_ADDRESS = f"{host}:{port}"  # type: ignore[attr-defined]
    assert DEPOSIT in walks.ways()
    run = walks.walk(DEPOSIT)
    assert (run.outcome, run.trouble) == ("worked", ""), (run.steps, telephone.said())
    assert run.steps[-3:] == ["voice.method", "voice.account", "voice.paid"]
    assert DEPOSIT in {way.slug for way in guidance.read().named("voice")}


def test_a_line_on_which_nobody_speaks_is_no_proof(
    telephone: Telephone, settings: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    host, port = telephone.server
    settings.DOENDA_SIP_ADDRESS = f"{host}:{port}"  # type: ignore[attr-defined]
    monkeypatch.setattr(walker, "HEARD_WITHIN", 4.0)
    telephone.stop()
    run = walks.walk(DEPOSIT)
    assert run.outcome == "failed_by_us"
    assert "greeting was not heard" in run.trouble

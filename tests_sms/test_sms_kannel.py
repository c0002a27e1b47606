"""Texts through a real SMS centre to its phones, and their delivery receipts back."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections, transaction
from tests.notices.notices_world import Customer, new_customer
from tests.notices.smpp_world import KOREAN, Behind
from tests.notices.smsc import Line, until
from tests_sms.conftest import Kannel, house_of

from doenda.assurance import evidence, standing, ways
from doenda.assurance.rule import Name
from doenda.kernel import clock, outbox
from doenda.notices import receipts
from doenda.notices.gateways import Accepted, NotSent, Unknown
from doenda.notices.gateways.smpp import coding
from doenda.notices.models import Notice, PushedReceipt, Segment
from doenda.probes import loops

SMPP = "sms/text/smpp"
DELIVER = 0x05
LONG = KOREAN * 5


@contextmanager
def worker() -> Iterator[None]:
    """Sends what is due and asks for receipts, in a thread of its own."""
    stop = threading.Event()

    def run() -> None:
        while not stop.wait(0.05):
            outbox.sweep(10)
            receipts.sweep(10)
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(30)


def becomes(notice: Notice, state: str, seconds: float = 20.0) -> None:
    def look() -> bool:
        notice.refresh_from_db()
        return notice.state == state

    until(look, seconds)


def test_a_korean_text_reaches_the_phone_and_its_receipt_comes_back(house: Behind, kannel: Kannel) -> None:
    before = len(kannel.phones())
    ref, answer = house.send("납부가 확인되었습니다.")
    assert isinstance(answer, Accepted), answer
    house.becomes(ref, "delivered")
    assert "<0220141023 +821012345678 ucs-2" in kannel.phones()[before:]
    assert kannel.shown(before) == "납부가 확인되었습니다."


def test_a_long_text_goes_in_segments_each_with_a_receipt_and_is_delivered_when_all_are(
    house: Behind, kannel: Kannel
) -> None:
    before = len(kannel.phones())
    ref, answer = house.send(LONG)
    assert isinstance(answer, Accepted), answer
    house.becomes(ref, "delivered")
    assert kannel.shown(before) == LONG
    rows = list(Segment.objects.filter(ref=ref).order_by("number"))
    assert len(rows) == len(coding.coded(LONG).segments) > 3
    assert len({row.message_id for row in rows}) == len(rows)
    assert PushedReceipt.objects.filter(message_id__in=[row.message_id for row in rows]).count() == len(rows)


def test_a_plain_text_travels_in_gsm_7(house: Behind, kannel: Kannel) -> None:
    ref, answer = house.send("Paid [KRW 52300], thank you.")
    assert isinstance(answer, Accepted), answer
    house.becomes(ref, "delivered")
    until(lambda: "thank+you" in kannel.phones() or "thank you" in kannel.phones())


def test_a_wrong_password_is_refused_and_told(kannel: Kannel, committed_db: str, settings: Any) -> None:
    with house_of(kannel, settings, password="wrong") as house:
        answer = house.send()[1]
        assert isinstance(answer, NotSent), answer
        assert answer.reason.startswith("no bind: the SMS centre refuses our bind: 0x")
        assert answer.after is not None
        assert answer.after > 20, "and it is not tried again and again"
        assert house.keeper.tries == 1
        assert not Segment.objects.exists()


def test_a_link_cut_before_the_answer_is_bound_again_and_the_text_is_not_doubled(
    house: Behind, kannel: Kannel, noon: clock.Frozen
) -> None:
    house.send("여는 말")
    house.line.mute = True
    before = kannel.phones().count("Got message")
    threading.Timer(0.5, house.line.cut).start()
    ref, answer = house.send()
    assert isinstance(answer, Unknown), answer
    house.line.mute = False
    until(lambda: house.keeper.link(1.0), 30)
    for _ in range(3):
        assert not isinstance(house.send(ref=ref)[1], Accepted)
        noon.advance(timedelta(seconds=60))
    assert kannel.phones().count("Got message") <= before + 1
    assert house.receipt(ref).state == "unknown", "no proof of a delivery was made up"
    other, answer = house.send("그다음 말")
    assert isinstance(answer, Accepted), answer
    house.becomes(other, "delivered")


def test_its_receipt_again_and_again_is_one_receipt(house: Behind) -> None:
    ref, _ = house.send("납부가 확인되었습니다.")
    house.becomes(ref, "delivered")
    [pushed] = house.line.requests(DELIVER)[-1:]
    before = PushedReceipt.objects.count()
    answered = house.line.heard.count(b"\x80\x00\x00\x05")
    for _ in range(3):
        house.line.say(pushed)
    until(lambda: house.line.heard.count(b"\x80\x00\x00\x05") == answered + 3)
    assert PushedReceipt.objects.count() == before
    assert house.receipt(ref).state == "delivered"


def test_a_receipt_may_overtake_the_answer(house: Behind) -> None:
    until(lambda: house.keeper.link(1.0), 10)
    house.line.receipts_first = True
    ref, answer = house.send("납부가 확인되었습니다.")
    assert isinstance(answer, Accepted), answer
    row, pushed = Segment.objects.get(ref=ref), PushedReceipt.objects.get()
    assert pushed.message_id == row.message_id
    assert house.line.said.index(b"stat:DELIVRD") < len(house.line.said)
    assert house.receipt(ref).state == "delivered", "at once: it was there before the answer"


@pytest.fixture
def customer(committed_db: str, noon: clock.Frozen) -> Customer:
    made = new_customer()
    with transaction.atomic():
        evidence.record("web/card/sandbox", "worked", source_kind="test", source_id="1", synthetic=False)
    return made


def test_the_gateway_is_withdrawn_notices_wait_and_all_comes_back(
    customer: Customer, house: Behind, kannel: Kannel, settings: Any, noon: clock.Frozen
) -> None:
    settings.DOENDA_LOOP_NUMBER = "+821000000000"
    with worker():
        assert loops.walk(SMPP).outcome == "worked"
        assert standing.word(SMPP) is Name.PROVEN
        house.line.open = False
        house.line.cut()
        while standing.word(SMPP) is not Name.WITHDRAWN:
            assert loops.walk(SMPP, patience=1.0).outcome == "failed_by_provider"
            noon.advance(timedelta(seconds=30))
        notice = customer.told("receipt", amount=52_300)
        becomes(notice, "held")
        assert not notice.deliveries.exists()
        house.line.open = True
        noon.advance(timedelta(seconds=180))
        walked = 0
        while standing.word(SMPP) is not Name.PROVEN:
            walked += loops.walk(SMPP).outcome == "worked"
            noon.advance(timedelta(seconds=30))
        assert walked > 10
        becomes(notice, "delivered")


def test_the_worker_itself_holds_the_bind_delivers_a_notice_and_lets_go(
    committed_db: str, kannel: Kannel, settings: Any, tmp_path: Path
) -> None:
    """The real process, by the wall's clock: a notice goes out, its receipt comes in, TERM unbinds."""
    (tmp_path / "password").write_text("hush-hus\n", encoding="ascii")
    line = Line(kannel.door)
    given = {
        "DJANGO_SETTINGS_MODULE": "doenda.app.settings",
        "DATABASE_URL": url(),
        "DOENDA_SECRET_KEY": "a-secret-of-this-test-only",
        "DOENDA_LINK_KEYS": "1:another-secret-of-this-test",
        "DOENDA_DEMO": "",
        "DOENDA_GATEWAY": "smpp",
        "DOENDA_SMPP_HOST": "127.0.0.1",
        "DOENDA_SMPP_PORT": str(line.port),
        "DOENDA_SMPP_SYSTEM_ID": "doenda",
        "DOENDA_SMPP_PASSWORD_FILE": str(tmp_path / "password"),
        "DOENDA_SMPP_SYSTEM_TYPE": "VMA",
        **{name: f"{name.lower()}-of-this-test" for name in ("SANDBOX_BANK_KEY", "SANDBOX_WEBHOOK_SECRET")},
    }
    settings.DOENDA_GATEWAY = "smpp"
    ways.ensure_ways()
    notice = new_customer().told("restored")
    with (tmp_path / "log").open("wb") as log:
        command = [sys.executable, "-m", "doenda.app.cli", "worker"]
        process = subprocess.Popen(command, env={**os.environ, **given}, stdout=log, stderr=log)
    try:
        becomes(notice, "delivered", 60)
        assert standing.word(SMPP) is Name.PROVEN
    finally:
        process.send_signal(signal.SIGTERM)
        ended = process.wait(30)
        told = (tmp_path / "log").read_text(encoding="utf-8")
        unbound = b"\x00\x00\x00\x10\x00\x00\x00\x06" in line.heard
        line.close()
    assert (ended, unbound) == (0, True), told
    assert "hush-hus" not in told


def url() -> str:
    known = connections["default"].settings_dict
    return f"postgresql://{known['USER']}@/{known['NAME']}?host={known['HOST']}"

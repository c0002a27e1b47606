"""The gateway as a way: what proves it, what withdraws it, that notices wait meanwhile, and that no secret is told."""

import logging
import socket
import threading
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from tests.notices.notices_world import Customer, new_customer
from tests.notices.smpp_world import house
from tests.notices.smsc import until

from doenda import notices
from doenda.app.text_messages import gateway_of, smpp_of
from doenda.assurance import by_hand, evidence, guidance, standing
from doenda.assurance.models import Evidence
from doenda.assurance.rule import Name
from doenda.kernel import clock, outbox
from doenda.kernel.models import FactRow
from doenda.notices import receipts
from doenda.notices.gateways.smpp import keeping, pdus, tries
from doenda.notices.gateways.smpp.configured import Config, configured
from doenda.notices.models import Delivery, Notice, PushedReceipt, Segment

SMPP = "sms/text/smpp"
LOOP = "+821000000000"


@pytest.fixture
def customer(committed_db: str, noon: clock.Frozen) -> Customer:
    made = new_customer()
    with transaction.atomic():
        for method in ("card", "transfer"):
            evidence.record(f"web/{method}/sandbox", "worked", source_kind="test", source_id=method, synthetic=False)
    return made


def work(notice: Notice, state: str) -> None:
    """Send what is due and ask for its receipts, as the worker does, until the notice is in that state."""

    def look() -> bool:
        outbox.sweep(100)
        receipts.sweep(100)
        notice.refresh_from_db()
        return notice.state == state

    until(look)


def withdraw() -> None:
    for number in range(6):
        with transaction.atomic():
            evidence.record(SMPP, "failed_by_provider", source_kind="test", source_id=f"x{number}", synthetic=False)
    assert standing.word(SMPP) is Name.WITHDRAWN


def test_a_notice_is_delivered_by_a_pushed_receipt_and_that_proves_the_gateway(
    customer: Customer, settings: Any
) -> None:
    with house(settings) as made:
        notice = customer.told("suspension_notice", effective=date(2014, 11, 11))
        work(notice, "delivered")
        assert len(made.centre.took) > 1
        [proof] = notices.delivered_with_proof(
            "suspension_notice", customer.account.pk, clock.now() - timedelta(days=1)
        )
        assert proof.ways == ("web/card/sandbox", "web/transfer/sandbox")
        assert list(Evidence.objects.filter(way_id=SMPP).values_list("outcome", "synthetic")) == [("worked", False)]
        assert standing.word(SMPP) is Name.PROVEN
        accepted = Delivery.objects.get(notice=notice, event="accepted")
        first, _, others = accepted.gateway_ref.partition(" ")
        assert int(first) in range(1, len(made.centre.took) + 1), "parts travel side by side"
        assert others == f"+{len(made.centre.took) - 1}"


def test_what_carries_texts_is_named_to_nobody(customer: Customer, settings: Any) -> None:
    with house(settings):
        work(customer.told("reminder"), "delivered")
        for medium in guidance.MEDIA:
            assert SMPP not in [way.slug for way in guidance.read().named(medium)]


def test_a_phone_that_is_off_says_nothing_of_the_gateway(customer: Customer, settings: Any) -> None:
    with house(settings, state="EXPIRED"):
        notice = customer.told("reminder")
        work(notice, "failed")
        assert notice.held_reason == "not delivered: EXPIRED 000"
        assert list(Evidence.objects.filter(way_id=SMPP).values_list("outcome", flat=True)) == ["failed_by_customer"]


def test_silence_for_as_long_as_receipts_may_take_is_the_gateways(
    customer: Customer, settings: Any, noon: clock.Frozen
) -> None:
    with house(settings, receipts="none"):
        notice = customer.told("reminder")
        work(notice, "sent")
        noon.advance(timedelta(hours=73))
        work(notice, "failed")
        assert notice.held_reason == "no delivery receipt came"
        assert list(Evidence.objects.filter(way_id=SMPP).values_list("outcome", flat=True)) == ["failed_by_provider"]


def test_notices_wait_while_the_gateway_is_withdrawn_and_leave_when_it_is_back(
    customer: Customer, settings: Any
) -> None:
    settings.DOENDA_LOOP_NUMBER = LOOP
    with house(settings) as made:
        withdraw()
        notice, answer = customer.told("reminder"), customer.told("unknown_outcome", amount=52_300)
        for each in (notice, answer):
            work(each, "held")
            assert each.held_reason == "the gateway is withdrawn: nothing would arrive"
        assert not made.centre.took
        assert not notice.deliveries.exists()
        by_hand.vouch(SMPP, who="kim", reason="the centre is repaired")
        work(notice, "delivered")
        work(answer, "delivered")


def test_where_no_loop_text_could_bring_it_back_texts_are_tried_all_the_same(customer: Customer, settings: Any) -> None:
    with house(settings):
        withdraw()
        work(customer.told("reminder"), "delivered")
        assert standing.word(SMPP) is Name.WITHDRAWN, "one receipt is not enough"


def test_without_a_bind_a_notice_waits_and_contacts_nobody(customer: Customer, settings: Any) -> None:
    with house(settings) as made:
        made.line.open = False
        made.line.cut()
        until(lambda: made.keeper.trouble)
        notice = customer.told("reminder")
        outbox.sweep(10)
        notice.refresh_from_db()
        assert (notice.state, notice.handed_at) == ("due", None)
        assert notice.deliveries.filter(event="not_sent").exists()


@pytest.fixture
def refusing() -> Iterator[tuple[int, list[bytes]]]:
    """A centre that knows no password; the octets that it got, connection by connection."""
    got: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as door:

        def serve() -> None:
            while True:
                try:
                    made, _ = door.accept()
                except OSError:
                    return
                with made:
                    got.append(made.recv(4096))
                    asked = pdus.head(got[-1])
                    made.sendall(pdus.answer("bind_transceiver", asked.sequence, pdus.WRONG_PASSWORD))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield int(door.getsockname()[1]), got
        door.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def test_a_wrong_password_is_told_once_without_it_and_not_tried_again_and_again(
    committed_db: str, settings: Any, refusing: tuple[int, list[bytes]], caplog: pytest.LogCaptureFixture
) -> None:
    port, got = refusing
    settings.DOENDA_GATEWAY = "smpp"
    caplog.set_level(logging.DEBUG)
    keeper = keeping.Keeper(Config(host="127.0.0.1", port=port, system_id="doenda", password="hush-hus"))
    keeper.start()
    try:
        until(lambda: keeper.next_try)
        assert keeper.link(0.5) is None
        assert keeper.trouble == "the SMS centre refuses our bind: 0xe Invalid Password"
        assert keeper.next_try - clock.monotonic() > 25
    finally:
        keeper.stop()
    assert len(got) == 1
    assert b"hush-hus" in got[0]
    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert [record.getMessage() for record in errors] == [f"no bind to the SMS centre: {keeper.trouble}"]
    assert "hush-hus" not in caplog.text + repr(keeper.config)
    assert b"hush-hus".hex() not in caplog.text
    fact = FactRow.objects.get(kind="notices.gateway")
    assert fact.data == {"gateway": "smpp", "state": "away", "reason": keeper.trouble}


def test_settings_are_read_with_their_files_and_refused_where_they_are(settings: Any) -> None:
    given = {
        "DOENDA_SMPP_HOST": "smsc",
        "DOENDA_SMPP_SYSTEM_ID": "me",
        "DOENDA_SMPP_RATE": "50",
        "DOENDA_SMPP_TLS": "1",
    }

    def env(name: str, default: str = "") -> str:
        return given.get(name, default)

    found = smpp_of(env, "02-2014-1023")
    assert found == {"source": "0220141023", "host": "smsc", "system_id": "me", "rate": 50.0, "tls": True}
    settings.DOENDA_SMPP = found
    assert configured().rate == 50
    with pytest.raises(ImproperlyConfigured, match="DOENDA_SMPP_RATE is no number"):
        smpp_of(lambda name, default="": "fast" if name.endswith("RATE") else "", "114")
    with pytest.raises(ImproperlyConfigured, match="handset, smpp, not 'pigeon'"):
        gateway_of(lambda name, default="": "pigeon")
    assert gateway_of(lambda name, default="": default) == "handset"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"password": "nine char"}, "8 of password"),
        ({"host": ""}, "DOENDA_SMPP_HOST"),
        ({"answers": "octal"}, "one of text, hex, decimal"),
        ({"rate": 1.0}, "may have at most 5"),
        ({"answer": 20.0}, "at most 10 s"),
    ],
)
def test_settings_that_make_no_sense_are_told_by_name(wrong: dict[str, Any], said: str, settings: Any) -> None:
    settings.DOENDA_SMPP = {"host": "smsc", "system_id": "me", "password": "secret", **wrong}
    with pytest.raises(ImproperlyConfigured, match=said) as raised:
        configured()
    assert "nine char" not in str(raised.value)


def test_what_no_receipt_can_come_for_any_more_is_forgotten(
    customer: Customer, settings: Any, noon: clock.Frozen
) -> None:
    with house(settings):
        work(customer.told("reminder"), "delivered")
        assert tries.forget() == 0
        noon.advance(tries.KEPT + timedelta(seconds=1))
        assert tries.forget() >= 2
        assert not Segment.objects.exists()
        assert not PushedReceipt.objects.exists()

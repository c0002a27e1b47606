"""Texts through a real SMS centre's engine, over a line that can be cut: what leaves, how often, and what is known."""

import threading
from datetime import timedelta
from typing import Any

import pytest
import smpp34
from tests.notices.smpp_world import KOREAN, House, house
from tests.notices.smsc import receipt, until

from doenda.assurance.models import Evidence
from doenda.kernel import clock
from doenda.notices.gateways import Accepted, NotSent, Refused, Unknown
from doenda.notices.gateways.smpp import coding, told
from doenda.notices.models import Segment

LONG = KOREAN * 5
SYSTEM_ERROR, WRONG_SENDER, WRONG_NUMBER, QUEUE_FULL, THROTTLED, UNKNOWN_ERROR = 0x08, 0x0A, 0x0B, 0x14, 0x58, 0xFF


def whole(made: House) -> str:
    """The text as the phone shows it, from the segments that the centre took."""
    parts = sorted(made.centre.took, key=lambda each: each.short_message[5])
    assert {each.data_coding for each in parts} == {8}
    assert {each.esm_class for each in parts} == {0x40}
    assert len({each.short_message[3] for each in parts}) == 1
    assert [each.short_message[4:6] for each in parts] == [
        bytes([len(parts), number]) for number in range(1, len(parts) + 1)
    ]
    return b"".join(each.short_message[6:] for each in parts).decode("utf-16-be")


def test_a_short_korean_text_arrives_as_one(committed_db: str, settings: Any) -> None:
    with house(settings) as made:
        ref, answer = made.send("납부가 확인되었습니다.")
        assert answer == Accepted("00000001")
        [taken] = made.centre.took
        assert bytes(taken.short_message).decode("utf-16-be") == "납부가 확인되었습니다."
        assert (taken.data_coding, taken.esm_class, taken.registered_delivery) == (8, 0, 1)
        assert (taken.destination_addr, taken.dest_addr_ton, taken.source_addr) == ("821012345678", 1, "0220141023")
        made.becomes(ref, "delivered")


def test_a_long_korean_text_arrives_in_segments_and_is_delivered_when_all_are(committed_db: str, settings: Any) -> None:
    with house(settings, receipts="none") as made:
        ref, answer = made.send(LONG)
        count = len(coding.coded(LONG).segments)
        assert count > 3
        assert answer == Accepted(f"00000001 +{count - 1}")
        assert whole(made) == LONG
        for number in range(1, count):
            made.line.say(smsc_receipt(number))
        until(lambda: made.receipt(ref).state == "accepted")
        made.line.say(smsc_receipt(count))
        made.becomes(ref, "delivered")


def smsc_receipt(number: int, state: str = "DELIVRD") -> bytes:
    return receipt(f"{number:08x}", "821012345678", state)


def test_one_segment_that_fails_fails_the_text(committed_db: str, settings: Any) -> None:
    with house(settings, receipts="none") as made:
        ref, _ = made.send(LONG)
        made.line.say(smsc_receipt(1) + smsc_receipt(2, "UNDELIV"))
        assert made.becomes(ref, "failed").reason == "not delivered: UNDELIV 000"


def test_a_plain_text_travels_in_gsm_7_and_as_payload_where_the_centre_wants_it_whole(
    committed_db: str, settings: Any
) -> None:
    with house(settings, {"payload": True, "national": True}) as made:
        ref, _ = made.send("Paid, thank you. " * 20)
        made.becomes(ref, "delivered")
        [taken] = made.centre.took
        [tlv] = taken.tlvs
        assert (tlv.tag, bytes(tlv.value)) == (told.MESSAGE_PAYLOAD, b"Paid, thank you. " * 20)
        assert (taken.data_coding, taken.destination_addr, taken.dest_addr_ton) == (0, "01012345678", 2)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("times", [1, 3])
def test_a_receipt_may_come_before_the_answer_and_more_than_once(
    when: str, times: int, committed_db: str, settings: Any
) -> None:
    with house(settings, receipts=when, times=times) as made:
        ref, answer = made.send()
        assert isinstance(answer, Accepted)
        made.becomes(ref, "delivered")


def test_ids_may_be_hex_in_the_answer_and_decimal_in_the_receipt(committed_db: str, settings: Any) -> None:
    config = {"answers": "hex", "receipts": "decimal"}
    with house(settings, config, ids=lambda number: (f"{number + 25:X}", f"{number + 25:010}")) as made:
        ref, answer = made.send()
        assert answer == Accepted("26")
        made.becomes(ref, "delivered")


def test_a_receipt_for_another_number_or_an_unknown_id_proves_nothing(committed_db: str, settings: Any) -> None:
    with house(settings, receipts="none") as made:
        ref, _ = made.send("납부가 확인되었습니다.")
        made.line.say(receipt("00000001", "821099999999"))
        made.line.say(receipt("ffffffff", "821012345678"))
        made.line.say(receipt("", "", text=b"nonsense \xff\x00"))
        until(lambda: made.line.heard.count(b"\x80\x00\x00\x05") == 3)
        assert made.receipt(ref).state == "accepted"
        tlvs = [
            smpp34.Tlv(told.RECEIPTED_MESSAGE_ID, b"00000001\0"),
            smpp34.Tlv(told.MESSAGE_STATE, b"\x02"),
            smpp34.Tlv(0x1401, b"of its own"),
        ]
        made.line.say(receipt("ignored", "821012345678", tlvs=tlvs))
        made.becomes(ref, "delivered")


def test_octets_that_are_no_pdu_end_the_bind_and_a_new_one_is_made(committed_db: str, settings: Any) -> None:
    with house(settings) as made:
        made.send()
        made.line.say(b"\x00\x00\x00\x10\x00\x00\x0b\xad\x00\x00\x00\x00\x00\x00\x00\x01")
        until(lambda: b"\x80\x00\x00\x00\x00\x00\x00\x03" in made.line.heard)
        made.line.say(b"HTTP/1.1 400 Bad Request")
        until(lambda: made.centre.binds == 2)
        until(lambda: made.keeper.link(1.0))
        assert isinstance(made.send()[1], Accepted)


def test_a_busy_centre_gets_less_and_the_text_later(committed_db: str, settings: Any) -> None:
    with house(settings, statuses=[THROTTLED, QUEUE_FULL]) as made:
        ref, answer = made.send("하나")
        assert isinstance(answer, NotSent)
        assert answer.after is not None
        assert 0 < answer.after <= 1
        assert isinstance(made.send("하나", ref)[1], NotSent), "nothing leaves in the pause"
        assert len(made.centre.took) == 1
        until(lambda: not made.keeper.pace.held())
        again = made.send("하나", ref)[1]
        assert isinstance(again, NotSent)
        assert again.after is not None
        assert 1 < again.after <= 2, "twice as long"
        until(lambda: not made.keeper.pace.held())
        assert isinstance(made.send("하나", ref)[1], Accepted)
        assert len(made.centre.took) == 3


def test_a_text_of_which_a_part_was_taken_goes_on_where_it_stopped(committed_db: str, settings: Any) -> None:
    with house(settings, statuses=[0, THROTTLED]) as made:
        ref, answer = made.send(LONG)
        assert isinstance(answer, Unknown)
        first = len(made.centre.took)
        until(lambda: not made.keeper.pace.held())
        assert isinstance(made.send(LONG, ref)[1], Accepted)
        assert len(made.centre.took) == first + 1
        made.centre.took.pop(1)
        assert whole(made) == LONG
        made.becomes(ref, "delivered")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (WRONG_NUMBER, Refused),
        (WRONG_SENDER, NotSent),
        (SYSTEM_ERROR, NotSent),
        (UNKNOWN_ERROR, Unknown),
    ],
)
def test_what_the_centre_refuses_is_refused_and_what_nobody_lists_is_unknown(
    status: int, kind: type, committed_db: str, settings: Any
) -> None:
    with house(settings, statuses=[status]) as made:
        ref, answer = made.send()
        assert isinstance(answer, kind)
        again = made.send(ref=ref)[1]
        assert isinstance(again, Accepted if kind is NotSent else (Unknown if kind is Unknown else Accepted))


def test_a_link_cut_before_the_answer_leaves_one_text_and_no_proof(
    committed_db: str, settings: Any, noon: clock.Frozen
) -> None:
    with house(settings, {"answer": 2.0}, receipts="none") as made:
        made.send("여는 말")
        made.line.mute = True
        threading.Timer(0.3, made.line.cut).start()
        ref, answer = made.send()
        assert isinstance(answer, Unknown)
        assert len(made.centre.took) == 2
        made.line.mute = False
        until(lambda: made.keeper.link(1.0))
        again = made.send(ref=ref)[1]
        assert isinstance(again, Unknown)
        assert again.after == pytest.approx(600, abs=1)
        assert len(made.centre.took) == 2, "it is not repeated while the answer may be known by its receipt"
        assert made.receipt(ref).state == "unknown"
        noon.advance(timedelta(seconds=601))
        assert isinstance(made.send(ref=ref)[1], Accepted), "once, in the end"
        assert len(made.centre.took) == 3


def test_it_is_repeated_so_often_and_no_oftener(committed_db: str, settings: Any, noon: clock.Frozen) -> None:
    with house(settings, {"answer": 0.3}, receipts="none") as made:
        made.send("여는 말")
        made.line.mute = True
        ref, _ = made.send()
        for _ in range(4):
            noon.advance(timedelta(seconds=601))
            answer = made.send(ref=ref)[1]
        assert answer == Refused("no answer came, also to its repeat: whether it arrived is not known")
        assert len(made.centre.took) == 3


def test_a_receipt_for_an_id_we_never_heard_of_stops_the_repeat(
    committed_db: str, settings: Any, noon: clock.Frozen
) -> None:
    with house(settings, {"answer": 2.0}, receipts="none") as made:
        made.send("여는 말")
        made.line.mute = True
        threading.Timer(0.2, made.line.cut).start()
        ref, _ = made.send()
        made.line.mute = False
        until(lambda: made.keeper.link(1.0))
        made.line.say(smsc_receipt(2))
        until(lambda: isinstance(made.send(ref=ref)[1], Refused))
        assert len(made.centre.took) == 2
        assert made.receipt(ref).state == "unknown", "probably it, and not proven"


def test_an_answer_that_comes_late_is_still_an_answer(committed_db: str, settings: Any) -> None:
    with house(settings, {"answer": 0.1}, receipts="before") as made:
        until(lambda: made.keeper.link(1.0))
        ref, answer = made.send()
        assert isinstance(answer, Unknown)
        until(lambda: Segment.objects.filter(ref=ref, status=0).exists())
        assert isinstance(made.send(ref=ref)[1], Accepted)
        assert len(made.centre.took) == 1
        made.becomes(ref, "delivered")


def test_a_crash_between_the_answer_and_our_note_of_it_sends_nothing_twice(committed_db: str, settings: Any) -> None:
    with house(settings) as made:
        ref, first = made.send()
        assert made.send("이제는 다른 말", ref)[1] == first
        assert len(made.centre.took) == 1


def test_a_cut_link_comes_back_by_itself_and_meanwhile_nothing_is_lost(committed_db: str, settings: Any) -> None:
    with house(settings) as made:
        made.send()
        made.line.open = False
        made.line.cut()
        until(lambda: made.keeper.trouble and made.keeper.tries > 2)
        ref, answer = made.send()
        assert isinstance(answer, NotSent)
        assert "no bind" in answer.reason
        made.line.open = True
        until(lambda: made.keeper.link(1.0))
        assert isinstance(made.send(ref=ref)[1], Accepted)
        assert Evidence.objects.filter(way_id="sms/text/smpp", outcome="failed_by_provider").exists()


def test_a_silent_line_is_asked_for_a_sign_of_life(committed_db: str, settings: Any) -> None:
    with house(settings, {"enquire": 0.2, "answer": 0.5}) as made:
        until(lambda: made.keeper.link(1.0))
        until(lambda: b"\x00\x00\x00\x15" in made.line.heard)
        made.line.mute = True
        until(lambda: made.keeper.tries > 1)


def test_a_text_that_is_too_long_is_refused(committed_db: str, settings: Any) -> None:
    with house(settings, {"segments": 2}) as made:
        assert made.send(LONG)[1] == Refused(f"{len(coding.coded(LONG).segments)} segments, and 2 are allowed")
        assert not made.centre.took


def test_several_texts_at_once_share_the_window_and_each_gets_its_own_answer(committed_db: str, settings: Any) -> None:
    with house(settings, {"window": 2}) as made:
        until(lambda: made.keeper.link(1.0))
        found: dict[int, Any] = {}

        def one(number: int) -> None:
            from django.db import connection

            found[number] = made.send(f"{number}번째")
            connection.close()

        threads = [threading.Thread(target=one, args=(number,)) for number in range(8)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert all(isinstance(answer, Accepted) for _, answer in found.values())
        for ref, _ in found.values():
            made.becomes(ref, "delivered")
        for number, (_, answer) in found.items():
            assert isinstance(answer, Accepted)
            taken = made.centre.took[int(answer.ref, 16) - 1]
            assert bytes(taken.short_message).decode("utf-16-be") == f"{number}번째"


def test_our_own_rate_is_kept(committed_db: str, settings: Any) -> None:
    with house(settings, {"rate": 10.0}) as made:
        until(lambda: made.keeper.link(1.0))
        begun = clock.monotonic()
        for _ in range(25):
            assert isinstance(made.send("하나")[1], Accepted)
        assert clock.monotonic() - begun > 1.2, "ten at once, then ten a second"
        for _ in range(40):
            made.keeper.pace.turn()
        answer = made.send("하나")[1]
        assert isinstance(answer, NotSent)
        assert answer.after is not None
        assert answer.after > 2

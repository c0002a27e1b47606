"""Delivery receipts as centres really write them, and as nobody should."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doenda.notices.gateways.smpp import pdus, told
from doenda.notices.gateways.smpp.told import Told, canonical, is_receipt, read, tail

FULL = (
    b"id:0000002a sub:001 dlvrd:001 submit date:1410221200 done date:1410221201 stat:%s err:000 text:stat:UNDELIV id:7"
)


def said(text: bytes, tlvs: dict[int, bytes] | None = None, **forms: str) -> Told:
    found = read("821012345678", "0220141023", text, tlvs or {}, **forms)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("DELIVRD", "delivered"),
        ("UNDELIV", "failed"),
        ("EXPIRED", "failed"),
        ("DELETED", "failed"),
        ("REJECTD", "failed"),
        ("ENROUTE", "accepted"),
        ("ACCEPTD", "accepted"),
        ("UNKNOWN", "unknown"),
        ("DELIVERED!", "unknown"),
    ],
)
def test_the_words_of_a_receipt(word: str, state: str) -> None:
    found = said(FULL % word.encode())
    assert (found.message_id, found.state, found.numbers) == ("0000002a", state, ("12345678", "20141023"))


def test_the_customers_own_words_are_no_fields() -> None:
    assert said(FULL % b"DELIVRD").state == "delivered"
    assert said(FULL % b"DELIVRD").message_id == "0000002a"


def test_the_standards_fields_count_before_the_text() -> None:
    found = said(FULL % b"DELIVRD", {told.RECEIPTED_MESSAGE_ID: b"77\0", told.MESSAGE_STATE: b"\x02"})
    assert (found.message_id, found.state) == ("77", "delivered")
    assert said(b"", {told.RECEIPTED_MESSAGE_ID: b"77\0", told.MESSAGE_STATE: b"\x05"}).state == "failed"


@pytest.mark.parametrize(("word", "number"), [(b"DELIVRD", b"\x05"), (b"UNDELIV", b"\x02"), (b"DELIVRD", b"\x07")])
def test_a_receipt_that_contradicts_itself_proves_no_delivery(word: bytes, number: bytes) -> None:
    assert said(FULL % word, {told.MESSAGE_STATE: number}).state == "unknown"


def test_a_receipt_may_travel_as_payload() -> None:
    assert said(b"", {told.MESSAGE_PAYLOAD: FULL % b"DELIVRD"}).message_id == "0000002a"


def test_one_number_written_in_two_ways_is_one_message() -> None:
    assert canonical(b"2A", "hex") == canonical(b"0000000042", "decimal") == "42"
    by_text = said(b"id:0000000042 stat:DELIVRD", answer_form="hex", receipt_form="decimal")
    by_field = said(b"stat:DELIVRD", {told.RECEIPTED_MESSAGE_ID: b"2A\0"}, answer_form="hex", receipt_form="decimal")
    assert by_text.message_id == by_field.message_id == canonical(b"0000002A", "hex")


def test_an_id_that_is_no_number_is_compared_as_it_is() -> None:
    assert canonical(b"A7-xyz\0", "hex") == canonical(b" a7-XYZ ", "text") == "a7-xyz"
    assert canonical(b"42", "text") != canonical(b"0042", "text")


@pytest.mark.parametrize("text", [b"", b"stat:DELIVRD err:000", b"id: stat:DELIVRD", b"\xff\x00\xfe", b"text:id:4"])
def test_a_receipt_that_names_no_message_is_none(text: bytes) -> None:
    assert read("1", "2", text, {}) is None


@given(st.binary(max_size=300), st.dictionaries(st.integers(0, 0xFFFF), st.binary(max_size=80), max_size=4))
def test_no_octets_bring_the_reader_down_or_prove_what_they_do_not_say(text: bytes, tlvs: dict[int, bytes]) -> None:
    found = read("1", "2", text, tlvs, answer_form="hex", receipt_form="decimal")
    if found is not None and found.state == "delivered":
        assert b"DELIVRD" in (text or tlvs[told.MESSAGE_PAYLOAD]).upper() or tlvs[told.MESSAGE_STATE][:1] == b"\x02"
    assert found is None or ("\0" not in found.message_id + found.detail and len(found.message_id) <= 80)


@given(st.binary(max_size=200))
def test_octets_that_are_no_deliver_sm_are_said_to_be_none(body: bytes) -> None:
    octets = (16 + len(body)).to_bytes(4) + (5).to_bytes(4) + bytes(4) + (1).to_bytes(4) + body
    try:
        found = pdus.delivered(octets)
    except pdus.BadPdu:
        return
    assert isinstance(found.text, bytes)


def test_the_same_receipt_again_is_the_same_and_another_is_not() -> None:
    one, again, other = (said(FULL % word) for word in (b"DELIVRD", b"DELIVRD", b"EXPIRED"))
    assert one.digest == again.digest != other.digest


def test_receipts_are_told_from_texts_of_phones() -> None:
    assert is_receipt(0x04)
    assert is_receipt(0x20)
    assert not is_receipt(0x00)
    assert not is_receipt(0x40)


def test_a_number_is_the_same_nationally_and_internationally() -> None:
    assert tail("+82 10-1234-5678") == tail("01012345678") == tail("821012345678") == "12345678"
    assert tail("된다") == ""

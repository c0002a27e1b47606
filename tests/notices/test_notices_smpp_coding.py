"""A text as segments: nothing is lost, nothing cut in two, no segment more than it needs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doenda.notices.gateways.smpp import coding
from doenda.notices.gateways.smpp.coding import GSM7, UCS2, TooLong, coded, in_one, with_headers

BASIC = "".join(each for each in coding._BASIC if each != "\x1b")
gsm_texts = st.text(alphabet=BASIC + "^{}\\[~]|€", max_size=1200)
korean = st.text(
    alphabet=st.one_of(st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3), st.sampled_from("0원 😀"))
)


def read(data_coding: int, octets: bytes) -> str:
    if data_coding == UCS2:
        return octets.decode("utf-16-be")
    back, found, escaped = {code: each for each, code in coding._EXTENDED.items()}, [], False
    for each in octets:
        if each == 0x1B:
            escaped = True
            continue
        found.append(back[each] if escaped else coding._BASIC[each])
        escaped = False
    assert not escaped, "an escape without its character"
    return "".join(found)


@given(st.one_of(gsm_texts, korean, st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=800)))
def test_the_segments_are_the_text_and_each_is_whole(text: str) -> None:
    found = coded(text, most=255)
    assert "".join(read(found.data_coding, each) for each in found.segments) == text
    room = {GSM7: (160, 153), UCS2: (140, 134)}[found.data_coding][len(found.segments) > 1]
    assert all(len(each) <= room for each in found.segments)
    assert all(len(one) + 4 > room - 4 for one in found.segments[:-1]), "room was left for a whole character"


@given(gsm_texts)
def test_what_gsm_7_can_say_is_said_in_gsm_7_unless_the_centre_cannot(text: str) -> None:
    assert coded(text, most=255).data_coding == GSM7
    assert coded(text, gsm7=False, most=255).data_coding == UCS2


@pytest.mark.parametrize(
    ("text", "data_coding", "segments"),
    [
        ("", GSM7, 1),
        ("a" * 160, GSM7, 1),
        ("a" * 161, GSM7, 2),
        ("a" * 306, GSM7, 2),
        ("a" * 307, GSM7, 3),
        ("€" * 80, GSM7, 1),
        ("€" * 81, GSM7, 2),
        ("€" * 152, GSM7, 2),
        ("€" * 153, GSM7, 3),
        ("가" * 70, UCS2, 1),
        ("가" * 71, UCS2, 2),
        ("가" * 134, UCS2, 2),
        ("가" * 135, UCS2, 3),
        ("😀" * 35, UCS2, 1),
        ("😀" * 66, UCS2, 2),
        ("😀" * 67, UCS2, 3),
        ("a" * 69 + "₩", UCS2, 1),
        ("`", UCS2, 1),
    ],
)
def test_the_standard_counts(text: str, data_coding: int, segments: int) -> None:
    found = coded(text)
    assert (found.data_coding, len(found.segments)) == (data_coding, segments)


def test_a_text_beyond_the_bound_is_refused_and_not_cut_short() -> None:
    with pytest.raises(TooLong, match="11 segments, and 10 are allowed"):
        coded("가" * 671)
    with pytest.raises(TooLong):
        in_one("가" * 671)
    assert len(coded("가" * 670).segments) == 10
    assert in_one("가" * 670).segments == ("가".encode("utf-16-be") * 670,)


def test_headers_number_the_segments_under_one_reference_and_a_short_text_has_none() -> None:
    assert with_headers([b"whole"], 7) == [b"whole"]
    assert with_headers([b"one", b"two"], 0xAB) == [b"\x05\x00\x03\xab\x02\x01one", b"\x05\x00\x03\xab\x02\x02two"]
    assert all(len(each) <= 140 for each in with_headers(coded("가" * 300).segments, 1))

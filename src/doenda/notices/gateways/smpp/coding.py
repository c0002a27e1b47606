"""A text as octets on the air: GSM-7 where its alphabet has every character, else UCS-2; long ones in segments. Pure.

Sizes are those of a GSM message (3GPP TS 23.040): 140 octets, of which a segment's header takes 6. GSM-7 travels one
septet an octet, as SMPP carries it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

GSM7, UCS2 = 0, 8
"""Values of `data_coding`. 0 is the centre's default alphabet: GSM-7 nearly everywhere, else set DOENDA_SMPP_GSM7=0."""
_ESCAPE = 0x1B
_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = {"^": 0x14, "{": 0x28, "}": 0x29, "\\": 0x2F, "[": 0x3C, "~": 0x3D, "]": 0x3E, "|": 0x40, "€": 0x65}
_SEPTETS = {each: bytes([at]) for at, each in enumerate(_BASIC) if at != _ESCAPE} | {
    each: bytes([_ESCAPE, code]) for each, code in _EXTENDED.items()
}
_ROOM = {GSM7: (160, 153), UCS2: (140, 134)}


class TooLong(ValueError):
    """The text needs more segments than are allowed."""


@dataclass(frozen=True, slots=True)
class Coded:
    """The segments of one text, without headers."""

    data_coding: int
    segments: tuple[bytes, ...]


def coded(text: str, *, gsm7: bool = True, most: int = 10) -> Coded:
    """The text in as few segments as it needs, no character cut in two. Raises TooLong beyond `most` (at most 255)."""
    data_coding, characters = _characters(text, gsm7)
    whole, part = _ROOM[data_coding]
    segments = _packed(characters, whole)
    if len(segments) > 1:
        segments = _packed(characters, part)
    if len(segments) > min(most, 255):
        raise TooLong(f"{len(segments)} segments, and {most} are allowed")
    return Coded(data_coding, tuple(segments))


def in_one(text: str, *, gsm7: bool = True, most: int = 10) -> Coded:
    """The text as one piece of any length, for centres that cut it themselves; bounded as if we did."""
    cut = coded(text, gsm7=gsm7, most=most)
    return Coded(cut.data_coding, (b"".join(cut.segments),))


def with_headers(segments: Sequence[bytes], reference: int) -> list[bytes]:
    """Each behind the header by which a phone puts them together (`reference`: one octet); one alone has none."""
    if len(segments) == 1:
        return list(segments)
    total = len(segments)
    return [bytes([5, 0, 3, reference, total, at]) + each for at, each in enumerate(segments, 1)]


def _characters(text: str, gsm7: bool) -> tuple[int, list[bytes]]:
    if gsm7 and all(each in _SEPTETS for each in text):
        return GSM7, [_SEPTETS[each] for each in text]
    return UCS2, [each.encode("utf-16-be", "replace") for each in text]


def _packed(characters: Sequence[bytes], room: int) -> list[bytes]:
    found, held = [], bytearray()
    for each in characters:
        if len(held) + len(each) > room:
            found.append(bytes(held))
            held.clear()
        held += each
    return [*found, bytes(held)]

"""What a delivery receipt says: which message, and what became of it. Pure; everything in it may be missing or wrong.

A receipt's text is only a habit ("id:… stat:DELIVRD …", SMPP 3.4 appendix B); the fields `receipted_message_id` and
`message_state` are the standard's own and count before it. Where the two disagree, nothing is taken for delivered.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

RECEIPTED_MESSAGE_ID, MESSAGE_STATE, MESSAGE_PAYLOAD = 0x001E, 0x0427, 0x0424
FORMS = ("text", "hex", "decimal")
LONGEST_ID = 65
_RECEIPT = 0x04
_INTERMEDIATE = 0x20
_FIELD = re.compile(rb"\b(id|stat|err):([^\s\0]*)", re.IGNORECASE)
_TEXT = re.compile(rb"(?:^|\s)text:", re.IGNORECASE)
_BY_WORD = {
    "DELIVRD": "delivered",
    "EXPIRED": "failed",
    "DELETED": "failed",
    "UNDELIV": "failed",
    "REJECTD": "failed",
    "ENROUTE": "accepted",
    "ACCEPTD": "accepted",
}
_BY_NUMBER = {1: "accepted", 2: "delivered", 3: "failed", 4: "failed", 5: "failed", 6: "accepted", 8: "failed"}


@dataclass(frozen=True, slots=True)
class Told:
    """`message_id` in the form that `canonical` makes; `state`: accepted, delivered, failed or unknown.

    `numbers`: the last digits of both addresses (centres do not agree on which of them is the customer's).
    `digest`: the same for the very same receipt sent again.
    """

    message_id: str
    state: str
    detail: str
    numbers: tuple[str, ...]
    digest: str


def is_receipt(esm_class: int) -> bool:
    """Is a deliver_sm with this class about a message of ours, and not one from a phone?"""
    return bool(esm_class & (_RECEIPT | _INTERMEDIATE))


def canonical(message_id: bytes, form: str) -> str:
    """An id as it is compared. `hex` and `decimal` are for centres that write one number in two ways; else as it is."""
    written = message_id.split(b"\0", 1)[0].strip().decode("latin-1").casefold()[:LONGEST_ID]
    if form != "text":
        try:
            return str(int(written, 16 if form == "hex" else 10))
        except ValueError:
            pass
    return written


def tail(number: str) -> str:
    """The last eight digits: the same however a number is written, nationally or not."""
    return "".join(each for each in number if each.isdigit() and each.isascii())[-8:]


def read(
    source: str,
    destination: str,
    text: bytes,
    tlvs: Mapping[int, bytes],
    *,
    answer_form: str = "text",
    receipt_form: str = "text",
) -> Told | None:
    """The receipt in a deliver_sm, or None when no message is named. `answer_form` and `receipt_form`: how the centre
    writes ids in submit_sm_resp (and in the TLV) and in a receipt's text."""
    text = text or tlvs.get(MESSAGE_PAYLOAD, b"")
    fields = _fields(text)
    if named := tlvs.get(RECEIPTED_MESSAGE_ID, b"").strip(b"\0 "):
        message_id = canonical(named, answer_form)
    else:
        message_id = canonical(fields.get("id", b""), receipt_form)
    if not message_id:
        return None
    state = _agreed(_by_word(fields), _by_number(tlvs.get(MESSAGE_STATE)))
    words = " ".join(fields[name].decode("latin-1")[:20] for name in ("stat", "err") if name in fields)
    digest = hashlib.sha256(repr((source, destination, text, sorted(tlvs.items()))).encode()).hexdigest()
    numbers = tuple(sorted({tail(source), tail(destination)} - {""}))
    return Told(message_id, state, words.replace("\0", ""), numbers, digest)


def _fields(text: bytes) -> dict[str, bytes]:
    """Of several fields with one name the first counts; what follows "text:" is the customer's message, not a field."""
    head = _TEXT.split(text, maxsplit=1)[0]
    found: dict[str, bytes] = {}
    for name, value in _FIELD.findall(head):
        found.setdefault(name.decode().lower(), value)
    return found


def _by_word(fields: Mapping[str, bytes]) -> str | None:
    if "stat" not in fields:
        return None
    return _BY_WORD.get(fields["stat"].decode("latin-1").upper(), "unknown")


def _by_number(state: bytes | None) -> str | None:
    return None if not state else _BY_NUMBER.get(state[0], "unknown")


def _agreed(*said: str | None) -> str:
    known = {each for each in said if each is not None}
    return known.pop() if len(known) == 1 else "unknown"

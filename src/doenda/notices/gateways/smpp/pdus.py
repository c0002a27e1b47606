"""Protocol data units: made and read with smpplib, and what a status means for the message.

The library's field types are kept; its optional parameters are not, since it refuses a whole PDU for one it does not
expect there, and centres add their own.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from smpplib import command, consts, smpp

HEADER = 16
LONGEST = 65_536
_NOT_A_PDU = 0x03  # ESME_RINVCMDID

BOUND_ALREADY, BIND_FAILED, WRONG_PASSWORD, WRONG_SYSTEM = 0x05, 0x0D, 0x0E, 0x0F
TEMPORARY, PERMANENT, REJECTED = 0x64, 0x65, 0x66
"""Our answers to a deliver_sm that we could not store, could not read, and do not take."""

BUSY = frozenset({0x14, 0x58})
"""Message queue full, throttled: it asks us to go slower."""
_LATER = frozenset({0x08, 0x45, 0x64})
"""System error, submit failed, a temporary error: not taken, and not the message's fault."""
_NEVER = frozenset({0x01, 0x02, 0x0B, 0x50, 0x51, 0x65, 0x66})
"""What is wrong with this one message: its length, its number, or that the centre rejects it for good."""
_OURS = frozenset({0x04, 0x0A, 0x15, 0x43, 0x48, 0x49, 0x61, 0x62, 0x104})
"""What is wrong with every message of ours: bind state, sender, service type, class, validity, coding. Not taken."""


class BadPdu(ValueError):
    """Octets that are no PDU, or one whose body cannot be read."""


@dataclass(frozen=True, slots=True)
class Head:
    length: int
    command: str
    status: int
    sequence: int

    @property
    def response(self) -> bool:
        return self.command.endswith("_resp") or self.command == "generic_nack"


@dataclass(frozen=True, slots=True)
class Delivered:
    """A deliver_sm: from phone or centre to us."""

    source: str
    destination: str
    esm_class: int
    text: bytes
    tlvs: Mapping[int, bytes] = field(default_factory=dict)


class _Deliver(command.DeliverSM):  # type: ignore[misc]
    tlvs: dict[int, bytes]

    def parse_optional_params(self, data: bytes) -> None:
        self.tlvs = _tlvs(data)


class _Numbered:
    """What the library takes the sequence number from."""

    def __init__(self, sequence: int) -> None:
        self.sequence = sequence

    def next_sequence(self) -> int:
        return self.sequence


def made(name: str, sequence: int, *, status: int = 0, **fields: Any) -> bytes:
    """A PDU's octets. Texts in `fields` are ASCII, octets bytes."""
    pdu = smpp.make_pdu(name, client=_Numbered(sequence), status=status, **fields)
    pdu.sequence, pdu.status = sequence, status
    return bytes(pdu.generate())


def head(octets: bytes) -> Head:
    """The header. Raises BadPdu for a length that no PDU has. An unknown command is called ""."""
    length, code, status, sequence = struct.unpack(">LLLL", octets[:HEADER])
    if not HEADER <= length <= LONGEST:
        raise BadPdu(f"a PDU of {length} octets")
    names = {number: name for name, number in _commands().items()}
    return Head(length, names.get(code, ""), status, sequence)


def nack(sequence: int) -> bytes:
    """generic_nack: we do not know that command."""
    return struct.pack(">LLLL", HEADER, 0x80000000, _NOT_A_PDU, sequence)


def answer(name: str, sequence: int, status: int = 0) -> bytes:
    """The answer to a request of the centre: its command, our status."""
    body = b"\0" if name == "deliver_sm" else b""
    return struct.pack(">LLLL", HEADER + len(body), _commands()[f"{name}_resp"], status, sequence) + body


def message_id(octets: bytes) -> bytes:
    """The id in a submit_sm_resp, which some centres leave out when they refuse."""
    return octets[HEADER:].split(b"\0", 1)[0][:65]


def delivered(octets: bytes) -> Delivered:
    """Raises BadPdu."""
    pdu = _Deliver("deliver_sm", client=_Numbered(1))
    pdu.tlvs = {}
    try:
        pdu.parse(octets)
        return Delivered(
            _text(pdu.source_addr),
            _text(pdu.destination_addr),
            pdu.esm_class,
            bytes(pdu.short_message or b""),
            pdu.tlvs,
        )
    except (struct.error, TypeError, AttributeError, IndexError, ValueError) as error:
        raise BadPdu(f"a deliver_sm that cannot be read: {type(error).__name__}") from error


def meaning(status: int) -> str:
    """What a submit_sm's status says: taken, busy, later, never, ours, or unknown (a status that no standard lists)."""
    if status == 0:
        return "taken"
    known = (("busy", BUSY), ("later", _LATER), ("never", _NEVER), ("ours", _OURS))
    return next((word for word, statuses in known if status in statuses), "unknown")


def named(status: int) -> str:
    """A status for people."""
    return f"{status:#x} {consts.DESCRIPTIONS.get(status, 'of its own')}"


def _commands() -> dict[str, int]:
    from smpplib import command_codes

    return dict(command_codes.commands)


def _text(value: bytes | None) -> str:
    return (value or b"").decode("latin-1")


def _tlvs(data: bytes) -> dict[int, bytes]:
    """Optional parameters by tag; what is cut off at the end is left out."""
    found, at = {}, 0
    while at + 4 <= len(data):
        tag, length = struct.unpack(">HH", data[at : at + 4])
        found[tag] = data[at + 4 : at + 4 + length]
        at += 4 + length
    return found

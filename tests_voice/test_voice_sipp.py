"""Somebody else's telephone: SIPp presses keys by RFC 4733 and by SIP INFO, and both are understood."""

import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from tests_voice.conftest import Telephone, free_port
from tests_voice.test_voice_line import nobody_left

from doenda.contact.models import Ticket

__all__ = ["nobody_left"]

_SDP = """v=0
o=sipp 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 0{events}
a=rtpmap:0 PCMU/8000
{map}"""
_EVENTS = "a=rtpmap:101 telephone-event/8000\na=fmtp:101 0-15\n"
_HEAD = """Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:{caller}@[local_ip]:[local_port]>;tag=[call_number]
To: <sip:15771234@[remote_ip]:[remote_port]>{tag}
Call-ID: [call_id]
CSeq: {cseq}
Contact: <sip:{caller}@[local_ip]:[local_port]>
Max-Forwards: 70
"""
INFO = """<send retrans="500"><![CDATA[
INFO sip:15771234@[remote_ip]:[remote_port] SIP/2.0
{head}Content-Type: application/dtmf-relay
Content-Length: [len]

Signal=0
Duration=160
]]></send>
<recv response="200"/>"""
RFC_4733 = '<nop><action><exec play_pcap_audio="nought.pcap"/></action></nop>'


def nought() -> bytes:
    """The key 0 as a capture of RTP events: pressed for 100 ms, its end told three times."""
    events = [(0, at * 160) for at in range(1, 6)] + [(0x80, 800)] * 3
    made = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    for at, (end, lasts) in enumerate(events):
        rtp = struct.pack("!BBHIIBBH", 0x80, 101 | (0x80 if not at else 0), at + 1, 8000, 7, 0, end | 10, lasts)
        udp = struct.pack("!HHHH", 6000, 6000, 8 + len(rtp), 0) + rtp
        ip = struct.pack("!BBHHHBBHII", 0x45, 0, 20 + len(udp), at, 0, 64, 17, 0, 0x7F000001, 0x7F000001)
        frame = bytes(12) + b"\x08\x00" + ip + udp
        made += struct.pack("<IIII", 0, at * 20_000, len(frame), len(frame)) + frame
    return made


@pytest.fixture
def sipp() -> str:
    found = shutil.which("sipp")
    if found is None:
        pytest.fail("sipp is not installed (make test-voice installs it)")
    return found


def scenario(caller: str, *, by_info: bool) -> str:
    def head(cseq: str, tag: str = "[peer_tag_param]") -> str:
        return _HEAD.format(caller=caller, cseq=cseq, tag=tag)

    sdp = _SDP.format(events="" if by_info else " 101", map="" if by_info else _EVENTS)
    key = INFO.format(head=head("2 INFO")) if by_info else RFC_4733
    return f"""<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="a caller who wants a person">
<send retrans="500"><![CDATA[
INVITE sip:15771234@[remote_ip]:[remote_port] SIP/2.0
{head("1 INVITE", "")}Content-Type: application/sdp
Content-Length: [len]

{sdp}]]></send>
<recv response="100" optional="true"/><recv response="180" optional="true"/><recv response="183" optional="true"/>
<recv response="200"/>
<send><![CDATA[
ACK sip:15771234@[remote_ip]:[remote_port] SIP/2.0
{head("1 ACK")}Content-Length: 0

]]></send>
<pause milliseconds="3000"/>
{key}
<pause milliseconds="4000"/>
<send retrans="500"><![CDATA[
BYE sip:15771234@[remote_ip]:[remote_port] SIP/2.0
{head("3 BYE")}Content-Length: 0

]]></send>
<recv response="200"/>
</scenario>
"""


@pytest.mark.parametrize(("by_info", "caller"), [(False, "01055550001"), (True, "01055550002")])
def test_keys_are_understood_however_they_are_sent(
    telephone: Telephone, sipp: str, tmp_path: Path, by_info: bool, caller: str
) -> None:
    file = tmp_path / "caller.xml"
    (tmp_path / "nought.pcap").write_bytes(nought())
    file.write_text(scenario(caller, by_info=by_info), encoding="latin-1")
    host, port = telephone.server
    argv = [sipp, f"{host}:{port}", "-sf", str(file), "-m", "1", "-i", "127.0.0.1", "-p", str(free_port()), "-nostdin"]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-1000:]
    assert Ticket.objects.filter(phone=f"+82{caller[1:]}", channel="call").exists(), telephone.said()

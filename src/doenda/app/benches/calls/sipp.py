"""SIPp as the callers: a program that nobody here wrote, with one scenario for who listens and one for who waits."""

import csv
import shutil
import socket
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

_HEAD = """Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:[field0]@[local_ip]:[local_port]>;tag=[call_number]
To: <sip:15771234@[remote_ip]:[remote_port]>{tag}
Call-ID: [call_id]
CSeq: {cseq}
Contact: <sip:[field0]@[local_ip]:[local_port]>
Max-Forwards: 70
"""
_SDP = """v=0
o=sipp 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 0
a=rtpmap:0 PCMU/8000
"""
_TAG = "[peer_tag_param]"


def _head(cseq: str, tag: str = _TAG) -> str:
    return _HEAD.format(cseq=cseq, tag=tag)


_NOUGHT = f"""<pause milliseconds="1500"/>
<send retrans="500"><![CDATA[
INFO sip:15771234@[remote_ip]:[remote_port] SIP/2.0
{_head("2 INFO")}Content-Type: application/dtmf-relay
Content-Length: [len]

Signal=0
Duration=160
]]></send>
<recv response="200"/>"""


def scenario(*, stays_ms: int, waits: bool) -> str:
    """One caller, who stays so long; `waits`: presses 0 and stands in line."""
    return f"""<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="a caller">
<send retrans="500" start_rtd="setup"><![CDATA[
INVITE sip:15771234@[remote_ip]:[remote_port] SIP/2.0
{_head("1 INVITE", "")}Content-Type: application/sdp
Content-Length: [len]

{_SDP}]]></send>
<recv response="100" optional="true"/><recv response="180" optional="true"/><recv response="183" optional="true"/>
<recv response="200" rtd="setup"/>
<send><![CDATA[
ACK sip:15771234@[remote_ip]:[remote_port] SIP/2.0
{_head("1 ACK")}Content-Length: 0

]]></send>
{_NOUGHT if waits else ""}
<pause milliseconds="{stays_ms}"/>
<send retrans="500"><![CDATA[
BYE sip:15771234@[remote_ip]:[remote_port] SIP/2.0
{_head("3 BYE")}Content-Length: 0

]]></send>
<recv response="200"/>
</scenario>
"""


@dataclass
class Run:
    """SIPp at work. `setups`: milliseconds from the INVITE to its 200, of every call that was answered."""

    folder: Path
    process: "subprocess.Popen[bytes]"
    calls: int
    setups: list[float] = field(default_factory=list)

    def wait(self, timeout: float) -> bool:
        """Until all callers are done. Did each call end as it should?"""
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.stop()
            return False
        self._read()
        return code == 0 and len(self.setups) == self.calls

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def said(self) -> str:
        """The end of what SIPp found wrong."""
        errors = sorted(self.folder.glob("*_errors.log"))
        return errors[-1].read_text(errors="replace")[-600:] if errors else ""

    def _read(self) -> None:
        for file in self.folder.glob("*_rtt.csv"):
            with file.open(encoding="ascii", errors="replace", newline="") as lines:
                rows = list(csv.reader(lines, delimiter=";"))
            self.setups += [float(row[1]) for row in rows[1:] if len(row) > 1]


class NoSipp(RuntimeError):
    """SIPp is not installed (Debian's package sip-tester)."""


def begin(folder: Path, server: tuple[str, int], numbers: Sequence[str], *, rate: float, text: str) -> Run:
    """As many callers as there are numbers, so many a second. Raises NoSipp."""
    program = shutil.which("sipp")
    if program is None:
        raise NoSipp("sipp is not installed")
    folder.mkdir()
    (folder / "caller.xml").write_text(text, encoding="latin-1")
    (folder / "numbers.csv").write_text("SEQUENTIAL\n" + "".join(f"{each}\n" for each in numbers), encoding="ascii")
    argv = [program, f"{server[0]}:{server[1]}", "-sf", "caller.xml", "-inf", "numbers.csv", "-nostdin"]
    argv += ["-i", "127.0.0.1", "-p", str(_free_port()), "-m", str(len(numbers)), "-l", str(len(numbers))]
    argv += ["-r", str(rate), "-trace_rtt", "-rtt_freq", "1", "-trace_err", "-recv_timeout", "8000"]
    with (folder / "screen.log").open("wb") as screen:
        process = subprocess.Popen(argv, cwd=folder, stdout=screen, stderr=subprocess.STDOUT)  # noqa: S603
    return Run(folder, process, len(numbers))


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 0))
        return int(made.getsockname()[1])

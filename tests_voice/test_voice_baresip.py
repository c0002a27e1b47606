"""A telephone that nobody here wrote talks with an agent, and both hear each other."""

import asyncio
import json
import shutil
import subprocess
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests_voice.conftest import Telephone, free_port
from tests_voice.telephones import telephone as rung
from tests_voice.test_voice_calls import LONG_ENOUGH, SURE
from tests_voice.test_voice_line import comes_to_work, nobody_left, off, speech

from doenda.channels.voice import phone
from doenda.channels.voice.hearing import match, samples

__all__ = ["nobody_left"]

MODULES = Path("/usr/lib/baresip/modules")
CALLER = "01022223333"


@pytest.fixture
def baresip() -> str:
    found = shutil.which("baresip")
    if found is None:
        pytest.fail("baresip is not installed (make test-voice installs it)")
    return found


def again_and_again(words: Path, made: Path, seconds: int) -> Path:
    """The words, a pause, and once more, for so long: when its microphone falls silent baresip hangs up."""
    with wave.open(str(words)) as read:
        once = read.readframes(read.getnframes()) + bytes(2 * 8000)
    with wave.open(str(made), "wb") as written:
        written.setparams((1, 2, 8000, 0, "NONE", ""))
        written.writeframes((once * (seconds * 16_000 // len(once) + 1))[: seconds * 16_000])
    return made


def configure(folder: Path, server: tuple[str, int], control: int, says: Path) -> None:
    (folder / "config").write_text(
        f"""sip_listen 127.0.0.1:{free_port()}
net_interface 127.0.0.1
audio_source aufile,{says}
audio_player aubridge,nobody
audio_alert aubridge,nobody
snd_path {folder}
ctrl_tcp_listen 127.0.0.1:{control}
module_path {MODULES}
module g711.so
module aufile.so
module aubridge.so
module sndfile.so
module_tmp uuid.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
"""
    )
    account = f"<sip:{CALLER}@{server[0]}:{server[1]}>;regint=0;audio_codecs=PCMU;dtmfmode=rtpevent\n"
    (folder / "accounts").write_text(account)


class Baresip:
    """Its console, over TCP."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def does(self, command: str, params: str = "") -> None:
        said = json.dumps({"command": command, "params": params})
        self._writer.write(f"{len(said)}:{said},".encode())
        await self._writer.drain()


@asynccontextmanager
async def at_work(program: str, folder: Path, control: int) -> AsyncIterator[Baresip]:
    with (folder / "said.log").open("wb") as log:
        process = subprocess.Popen([program, "-f", str(folder)], stdout=log, stderr=subprocess.STDOUT, cwd=folder)
    try:
        for _ in range(50):
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", control)
                break
            except ConnectionRefusedError:
                await asyncio.sleep(0.1)
        else:
            raise AssertionError((folder / "said.log").read_text(errors="replace")[-1500:])
        yield Baresip(reader, writer)
        writer.close()
    finally:
        process.terminate()
        process.wait(10)


def test_somebody_elses_telephone_talks_with_an_agent_both_ways(
    telephone: Telephone, baresip: str, tmp_path: Path
) -> None:
    mine, yours = speech("저는 다른 전화기로 걸었어요"), speech("네 잘 들려요 말씀하세요")
    folder, control = tmp_path / "baresip", free_port()
    folder.mkdir()
    configure(folder, telephone.server, control, again_and_again(mine, tmp_path / "says.wav", 120))

    async def calls() -> phone.Dialog:
        async with rung(telephone.asterisk.agent) as desk, at_work(baresip, folder, control) as caller:
            await caller.does("dial", f"sip:15771234@{telephone.server[0]}:{telephone.server[1]}")
            await asyncio.sleep(2 * LONG_ENOUGH)
            await caller.does("sndcode", "0")
            await asyncio.sleep(LONG_ENOUGH)
            await off(comes_to_work)
            agent = await asyncio.wait_for(desk.calls.get(), 20)
            await asyncio.sleep(12)  # the whisper, and then the caller's own words
            await agent.speak(yours)
            await asyncio.sleep(2)
            await caller.does("hangup")
            await asyncio.sleep(2)
            return agent

    agent = asyncio.run(calls())
    assert match(agent.heard, mine)[0] > SURE, (folder / "said.log").read_text(errors="replace")[-1500:]
    heard = next(folder.glob("*-dec.wav"))
    assert match(samples(heard), yours)[0] > SURE
    assert match(samples(heard), telephone.prompt("voice-cost"))[0] > SURE

"""What a local Asterisk is told, and what is said when there is none. Real ones run in tests_voice."""

import json
import os
import re
import stat
from pathlib import Path

import pytest

from doenda.app.asterisk import Asterisk, NoAsterisk, dialplan, instance, packages, sounds
from doenda.channels.voice import synthesis


@pytest.fixture
def unpacked(tmp_path: Path) -> Path:
    """What is left of the packages where only the configuration is looked at."""
    (tmp_path / "usr/lib/some-linux-gnu/asterisk/modules").mkdir(parents=True)
    return tmp_path / "usr"


@pytest.fixture
def told(tmp_path: Path, unpacked: Path) -> Path:
    """The folder of an Asterisk that was configured, not started."""
    made = Asterisk(tmp_path / "one", sip_port=5060, http_port=8088)
    for name in ("etc", "data"):
        (made.folder / name).mkdir(parents=True)
    made._write(unpacked)
    return made.folder


def test_the_dialplan_hangs_up_on_nobody_and_tries_the_application_for_ever() -> None:
    plan = dialplan.extensions("doenda")
    assert "Hangup" not in plan
    lines = plan.splitlines()
    assert lines[-1] == " same => n,Goto(held)"
    loop = lines[next(at for at, line in enumerate(lines) if "n(held)" in line) :]
    assert [line.rpartition(",")[0] for line in loop if "Stasis(" in line], "the application is asked in the loop"
    assert any("Wait(" in line for line in loop), "and it does not spin where the music is missing"


def test_whatever_is_dialled_reaches_the_application() -> None:
    [pattern] = set(re.findall(r"exten => _(\[[^]]+\])!", dialplan.extensions("doenda")))
    for dialled in ("114", "1", "*9", "#", "+82215771234", "s"):
        assert re.match(pattern, dialled)


def test_every_address_of_the_configuration_is_on_loopback(told: Path) -> None:
    for path in (told / "etc").iterdir():
        for address in re.findall(r"\b\d+\.\d+\.\d+\.\d+\b", path.read_text()):
            assert address.startswith("127."), f"{path.name}: {address}"
        assert "0.0.0.0" not in path.read_text()
    assert "bindaddr = 127.0.0.1" in (told / "etc/http.conf").read_text()


def test_the_password_is_made_once_and_is_nobody_elses_to_read(told: Path) -> None:
    first = Asterisk(told).password
    assert Asterisk(told).password == first
    assert len(first) >= 32
    assert f"password = {first}" in (told / "etc/ari.conf").read_text()
    for path in (told / "ari.secret", told / "etc/ari.conf"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_ticket_and_the_session_come_with_every_event(told: Path) -> None:
    assert "channelvars = DOENDA_SESSION" in (told / "etc/ari.conf").read_text()


def test_without_a_voice_the_music_is_there_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    sounds.make(tmp_path)
    assert (tmp_path / "moh/hold.wav").stat().st_size > 300_000
    assert not list(tmp_path.glob("sounds/*/doenda/*.wav"))
    with pytest.raises(synthesis.NoVoice, match="espeak-ng"):
        synthesis.speak("말", "ko", tmp_path / "word.wav")


def test_another_process_with_the_same_number_is_not_taken_for_our_asterisk(tmp_path: Path) -> None:
    (tmp_path / "instance.json").write_text(json.dumps({"pid": os.getpid(), "sip_port": 1, "http_port": 2}))
    made = Asterisk(tmp_path)
    assert not made._adopted()
    assert made.pid is None


def test_a_folder_whose_socket_would_be_cut_short_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instance, "fetched", lambda: tmp_path)
    with pytest.raises(instance.NotReady, match="shorter path"):
        Asterisk(tmp_path / ("long" * 25)).start()


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        ("URIs: http://one.example/debian\nSuites: bookworm\n", "http://one.example/debian"),
        ("deb [signed-by=/x] http://two.example/debian bookworm main\n", "http://two.example/debian"),
        ("deb http://security.example/debian-security x main\ndeb http://three.example/d x main\n", "http://three"),
    ],
)
def test_the_mirror_is_the_one_of_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sources: str, expected: str
) -> None:
    (tmp_path / "sources").write_text(sources)
    monkeypatch.setattr(packages, "SOURCES", (tmp_path / "nowhere", tmp_path / "sources"))
    assert packages.mirror().startswith(expected)


def test_what_is_missing_is_said_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(packages, "SOURCES", ())
    monkeypatch.setattr("doenda.app.asterisk.packages.shutil.which", lambda _: "/usr/bin/apt-get")
    monkeypatch.setattr(packages, "KEYRING", tmp_path)
    with pytest.raises(NoAsterisk, match=r"^apt's sources name no Debian mirror[^\n]*$"):
        packages.fetched()
    monkeypatch.setattr(packages, "KEYRING", tmp_path / "nowhere")
    with pytest.raises(NoAsterisk, match=r"^fetching Asterisk needs Debian's apt and keyring[^\n]*$"):
        packages.fetched()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoAsterisk, match=r"^dpkg-deb is missing[^\n]*$"):
        packages._run(["dpkg-deb"])
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(NoAsterisk, match="XDG_CACHE_HOME"):
        packages.fetched()

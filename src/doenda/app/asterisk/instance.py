"""One Asterisk: its configuration in a folder of its own, started or adopted, waited for, stopped. Loopback only."""

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from doenda.app import leash
from doenda.app.asterisk import dialplan, sounds
from doenda.app.asterisk.packages import fetched
from doenda.kernel import clock, net
from doenda.kernel.randomness import token_bytes

READY_WITHIN = 20.0
STOPS_WITHIN = 10.0
RTP_PORTS = 4000
_LEASH = [sys.executable, "-I", "-S", leash.__file__, "exec"]
_LONGEST_SOCKET = 100  # bytes of sun_path; Asterisk cuts a longer path short without a word


class NotReady(RuntimeError):
    """Asterisk did not start; the message holds the end of what it printed."""


@dataclass
class Asterisk:
    """An Asterisk in `folder`, whose SIP, ARI and media are on 127.0.0.1. `trunk`: where calls to numbers are sent;
    `agent`: the telephone of the endpoint `PJSIP/agent`.

    `app` and `user` are ARI's; the password is made once and kept in the folder. Prompts elsewhere are named by their
    whole path, so none need be known here. One folder has one Asterisk, however many processes ask for it.
    """

    folder: Path
    app: str = "doenda"
    user: str = "doenda"
    trunk: str = "127.0.0.1:5070"
    agent: str = "127.0.1.1:5080"
    sip_port: int = 0
    http_port: int = 0
    rtp_from: int = 20000
    pid: int | None = field(default=None, init=False)
    _process: "subprocess.Popen[bytes] | None" = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        self.folder = self.folder.resolve()

    @property
    def url(self) -> str:
        """Where ARI answers."""
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def password(self) -> str:
        kept = self.folder / "ari.secret"
        if not kept.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            kept.touch(mode=0o600)
            kept.write_text(token_bytes(18).hex(), encoding="utf-8")
        return kept.read_text(encoding="utf-8")

    def start(self, *, leashed: bool = True) -> "Asterisk":
        """Adopt the Asterisk that runs in the folder, or start one; wait until ARI answers. Raises NoAsterisk,
        NotReady.

        One that is started `leashed` ends with the thread that started it, however that dies: start it from the main
        thread. An adopted one keeps its ports, and whatever it was told.
        """
        home = fetched()
        if len(os.fsencode(self.folder / "run/asterisk.ctl")) > _LONGEST_SOCKET:
            raise NotReady(f"{self.folder}: a folder for Asterisk needs a shorter path")
        for name in ("etc", "lib", "db", "keys", "data/moh", "spool/recording", "run", "log", "data/sounds"):
            (self.folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._alone():
            if not self._adopted():
                self._begin(home, leashed=leashed)
            self._wait()
        return self

    def stop(self) -> None:
        """Calls end with it."""
        if self.pid is not None:
            leash.end(self.pid, signal.SIGTERM, STOPS_WITHIN, reap=self._reap)
        self._forget()

    def kill(self) -> None:
        """As a crash would."""
        if self.pid is not None:
            leash.end(self.pid, signal.SIGKILL, STOPS_WITHIN, reap=self._reap)
        self._forget()

    def lives(self) -> bool:
        self._reap()
        return self.pid is not None and leash.alive(self.pid)

    def ask(self, command: str) -> str:
        """What Asterisk's own console answers ("core show channels")."""
        argv = [str(fetched() / "run-asterisk"), "-C", str(self._etc("asterisk")), "-rx", command]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=10, check=False)  # noqa: S603 - our own
        return done.stdout

    def __enter__(self) -> "Asterisk":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    # --- starting

    def _begin(self, home: Path, *, leashed: bool) -> None:
        self.sip_port = self.sip_port or _free(socket.SOCK_DGRAM)
        self.http_port = self.http_port or _free(socket.SOCK_STREAM)
        self._write(home / "root/usr")
        argv = [str(home / "run-asterisk"), "-C", str(self._etc("asterisk")), "-f"]
        with (self.folder / "console.log").open("wb") as console:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [*_LEASH, str(os.getpid()), *argv] if leashed else argv,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.pid = self._process.pid
        kept = {"pid": self.pid, "sip_port": self.sip_port, "http_port": self.http_port}
        (self.folder / "instance.json").write_text(json.dumps(kept), encoding="ascii")

    def _adopted(self) -> bool:
        """Does the Asterisk of this folder live? A process id alone proves nothing: it must have our configuration."""
        try:
            kept = json.loads((self.folder / "instance.json").read_text(encoding="ascii"))
            line = Path(f"/proc/{kept['pid']}/cmdline").read_bytes().split(b"\0")
        except (OSError, ValueError, KeyError):
            return False
        if os.fsencode(self._etc("asterisk")) not in line:
            return False
        self.pid, self.sip_port, self.http_port = kept["pid"], kept["sip_port"], kept["http_port"]
        return True

    def _wait(self) -> None:
        deadline = clock.monotonic() + READY_WITHIN
        while not self._answers():
            if not self.lives() or clock.monotonic() > deadline:
                said = self._console()[-1500:]
                self.stop()
                raise NotReady(f"Asterisk did not start: {said or 'it said nothing'}")
            clock.sleep(0.05)

    def _answers(self) -> bool:
        word = b64encode(f"{self.user}:{self.password}".encode()).decode()
        told = {"Authorization": f"Basic {word}"}
        try:
            answer = net.call("asterisk", "GET", f"{self.url}/ari/asterisk/info", headers=told, timeout=1)
        except (net.NotSent, net.NoAnswer):
            return False
        return answer.status == 200 and "Asterisk Ready" in self._console()

    def _console(self) -> str:
        return (self.folder / "console.log").read_text(errors="replace")

    def _reap(self) -> None:
        if self._process is not None:
            self._process.poll()

    def _forget(self) -> None:
        self._reap()
        self.pid = self._process = None

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    # --- what it is told

    def _etc(self, name: str) -> Path:
        return self.folder / "etc" / f"{name}.conf"

    def _write(self, unpacked: Path) -> None:
        documentation = self.folder / "data/documentation"
        documentation.unlink(missing_ok=True)
        documentation.symlink_to(unpacked / "share/asterisk/documentation")  # modules refuse to load without it
        sounds.make(self.folder / "data")
        told = dialplan.Told(
            folder=self.folder,
            modules=next((unpacked / "lib").glob("*/asterisk/modules")),
            app=self.app,
            user=self.user,
            password=self.password,
            trunk=self.trunk,
            agent=self.agent,
            sip_port=self.sip_port,
            http_port=self.http_port,
            rtp=(self.rtp_from, self.rtp_from + RTP_PORTS - 1),
        )
        for name, text in dialplan.files(told).items():
            path = self.folder / "etc" / name
            path.touch(mode=0o600)
            path.write_text(text, encoding="utf-8")


def _free(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as made:
        made.bind(("127.0.0.1", 0))
        return int(made.getsockname()[1])

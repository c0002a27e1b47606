"""The supervisor, run as a process of its own and treated badly."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from doenda.app import leash, supervisor
from doenda.app.supervisor import Service, Supervisor, free_port
from doenda.kernel.embedded import postmaster

SLEEPER = "import time; time.sleep(600)"
WITH_CHILD = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', '{SLEEPER}']); time.sleep(600)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); {SLEEPER}"
PROGRAM = """
import sys
from pathlib import Path
from doenda.app import supervisor
from doenda.app.supervisor import Service, Supervisor
data = Path(sys.argv[1])
python = lambda name, body, **more: Service(name, [sys.executable, "-c", body], **more)
{prelude}
boss = Supervisor([{services}], data=data)
sys.exit(boss.run(lambda: print("all ready", flush=True)))
"""


class Boss:
    """A supervisor's process and what it has said."""

    def __init__(self, data: Path, services: str, prelude: str = "") -> None:
        self.data = data
        self.said = data.parent / "said"
        program = PROGRAM.format(services=services, prelude=prelude)
        with self.said.open("ab") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-c", program, str(data)], stdout=said, stderr=said, start_new_session=True
            )

    def text(self) -> str:
        return self.said.read_text()

    def pids(self) -> dict[str, int]:
        try:
            found: dict[str, int] = json.loads((self.data / "run.json").read_text())
        except FileNotFoundError:
            return {}
        return found

    def until(self, text: str) -> None:
        wait_for(lambda: text in self.text() or self.process.poll() is not None)
        assert text in self.text(), self.text()

    def end(self, signum: int = signal.SIGINT) -> int:
        self.process.send_signal(signum)
        return self.process.wait(20)


@pytest.fixture
def data() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="doenda-test-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder / "data"
    shutil.rmtree(folder)


@pytest.fixture
def boss(data: Path) -> Iterator[Callable[..., Boss]]:
    made: list[Boss] = []

    def start(services: str, prelude: str = "") -> Boss:
        made.append(Boss(data, services, prelude))
        return made[-1]

    yield start
    for one in made:
        if one.process.poll() is None:
            one.end()


def wait_for(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.05)


def group_gone(pid: int) -> bool:
    """Nothing of the process's group lives; those that nobody has waited for yet do not count."""
    listed = subprocess.run(["ps", "-eo", "pgid=,stat="], capture_output=True, text=True, check=True).stdout
    rows = (line.split() for line in listed.splitlines())
    return not any(int(group) == pid and not state.startswith("Z") for group, state in rows)


def test_services_start_in_order_of_what_they_depend_on_and_stop_in_reverse(boss: Callable[..., Boss]) -> None:
    services = (
        "python('first', SLEEPER, ready=lambda: (data / 'go').exists() or not (data / 'go').touch()), "
        "python('second', SLEEPER, depends=['first']), python('third', SLEEPER)"
    )
    one = boss(services, f"SLEEPER = {SLEEPER!r}")
    one.until("all ready")
    assert one.text().index("first: ready") < one.text().index("second: starting")
    assert set(one.pids()) == {"supervisor", "first", "second", "third"}
    assert one.pids()["supervisor"] == one.process.pid
    pids = one.pids()
    assert one.end() == 0
    said = one.text()
    assert said.index("third: stopping") < said.index("second: stopping") < said.index("first: stopping")
    assert all(group_gone(pid) for name, pid in pids.items() if name != "supervisor")
    assert not (one.data / "run.json").exists()


def test_a_killed_child_is_started_again_with_what_its_own_children_held_freed(boss: Callable[..., Boss]) -> None:
    one = boss(f"python('web', {WITH_CHILD!r})")
    one.until("all ready")
    before = one.pids()["web"]
    os.kill(before, signal.SIGKILL)
    one.until("web: ended by SIGKILL; again in 0.2 s")
    wait_for(lambda: one.pids().get("web", before) != before)
    assert group_gone(before)
    assert leash.alive(one.pids()["web"])


def test_one_that_keeps_dying_is_tried_ever_more_rarely_and_its_last_words_are_told(boss: Callable[..., Boss]) -> None:
    one = boss("python('bad', 'raise SystemExit(\"no disk\")')")
    one.until("again in 1.6 s")
    said = one.text()
    assert "bad: ended with 1; again in 0.2 s\n    no disk" in said
    assert [said.index(f"again in {delay} s") for delay in ("0.2", "0.4", "0.8", "1.6")] == sorted(
        said.index(f"again in {delay} s") for delay in ("0.2", "0.4", "0.8", "1.6")
    )
    assert one.end(signal.SIGTERM) == 0


def test_the_delay_has_an_upper_end_and_falls_back_after_a_healthy_time(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    boss = Supervisor([Service("web", ["true"])], data=Path("/nonexistent"), say=said.append)
    monkeypatch.setattr(boss, "_write_run_file", lambda: None)
    now = [1000.0]
    monkeypatch.setattr(supervisor, "monotonic", lambda: now[0])
    run = boss._runs["web"]
    for _ in range(9):
        run.state, run.ready_at = "ready", now[0]
        boss._ended(run, 1)
    assert [line.split("again in ")[1] for line in said][-4:] == ["6.4 s", "10.0 s", "10.0 s", "10.0 s"]
    run.state, run.ready_at = "ready", now[0]
    now[0] += 31
    boss._ended(run, 1)
    assert said[-1] == "web: ended with 1; again in 0.2 s"


def test_one_that_does_not_listen_is_killed_with_its_group(boss: Callable[..., Boss]) -> None:
    one = boss(f"python('deaf', {STUBBORN!r})", "supervisor.leash.GRACE_SECONDS = 0.5")
    one.until("all ready")
    wait_for(lambda: "up" in (one.data / "logs" / "deaf.log").read_text())
    pid = one.pids()["deaf"]
    assert one.end() == 0
    assert "deaf: did not stop in 0.5 s and was killed" in one.text()
    assert group_gone(pid)


@pytest.mark.parametrize("body", [SLEEPER, WITH_CHILD])
def test_a_killed_supervisor_leaves_no_orphan(boss: Callable[..., Boss], body: str) -> None:
    one = boss(f"python('web', {body!r}), python('worker', {SLEEPER!r})")
    one.until("all ready")
    pids = one.pids()
    one.end(signal.SIGKILL)
    wait_for(lambda: group_gone(pids["web"]) and group_gone(pids["worker"]), 10)


def test_after_a_killed_supervisor_the_next_waits_for_the_guard_and_then_runs(boss: Callable[..., Boss]) -> None:
    one = boss(f"python('deaf', {STUBBORN!r})", "supervisor.leash.GRACE_SECONDS = 1.5")
    one.until("all ready")
    wait_for(lambda: "up" in (one.data / "logs" / "deaf.log").read_text())
    old = one.pids()["deaf"]
    one.end(signal.SIGKILL)
    next_one = boss(f"python('deaf', {SLEEPER!r})")
    next_one.until("waiting for the services of a killed supervisor to end")
    wait_for(lambda: next_one.pids().get("deaf", old) != old)
    assert group_gone(old)
    assert (next_one.data / "logs" / "deaf.log.1").read_text() == "up\n"


def test_a_second_supervisor_on_the_same_folder_is_refused(boss: Callable[..., Boss]) -> None:
    one = boss(f"python('web', {SLEEPER!r})")
    one.until("all ready")
    second = boss(f"python('web', {SLEEPER!r})")
    assert second.process.wait(20) == 1
    assert f"AlreadyRunning: Doenda already runs on {one.data}" in second.text()
    assert leash.alive(one.pids()["web"])


def test_a_task_is_ready_when_it_is_done_and_one_that_fails_stops_everything(boss: Callable[..., Boss]) -> None:
    tasks = "python('migrate', 'import time; time.sleep(0.3)', restart=False), python('web', W, depends=['migrate'])"
    one = boss(tasks, f"W = {SLEEPER!r}")
    one.until("all ready")
    assert one.text().index("migrate: done") < one.text().index("web: starting")
    assert one.end() == 0
    failing = boss(f"python('web', {SLEEPER!r}), python('migrate', 'raise SystemExit(3)', restart=False)")
    assert failing.process.wait(20) == 1
    assert "migrate: ended with 3" in failing.text()
    assert "web: stopping" in failing.text()


def test_one_that_never_gets_ready_is_ended_and_started_again(boss: Callable[..., Boss]) -> None:
    one = boss(f"python('slow', {SLEEPER!r}, ready=lambda: 1 / 0, patience=0.5)")
    one.until("slow: not ready after 0.5 s: division by zero; again in 0.2 s")
    one.until("again in 0.4 s")
    assert "all ready" not in one.text()


def test_a_program_that_does_not_exist_is_told(boss: Callable[..., Boss]) -> None:
    one = boss("Service('web', ['/no/such/program'])")
    one.until("cannot run /no/such/program: No such file or directory")


def test_an_embedded_server_is_kept_stopped_and_never_left_behind(boss: Callable[..., Boss]) -> None:
    services = f"supervisor.postgres(data), python('web', {SLEEPER!r}, depends=['postgres'])"
    one = boss(services)
    one.until("all ready")
    before = one.pids()["postgres"]
    cluster = one.data / "postgres"
    os.kill(before, signal.SIGKILL)
    wait_for(lambda: one.pids().get("postgres", before) != before)
    assert postmaster.find(cluster)
    one.end(signal.SIGKILL)
    wait_for(lambda: postmaster.find(cluster) is None)
    again = boss(services)
    wait_for(lambda: again.text().count("all ready") == 2)
    assert again.end(signal.SIGTERM) == 0
    assert postmaster.find(cluster) is None
    assert "was shut down" in (one.data / "logs" / "postgres.log").read_text().rsplit("starting PostgreSQL", 1)[1]


def test_a_service_list_that_makes_no_sense_is_refused() -> None:
    for services, complaint in [
        ([Service("web", ["true"]), Service("web", ["true"])], "plain word of its own"),
        ([Service("a b", ["true"])], "plain word of its own"),
        ([Service("supervisor", ["true"])], "plain word of its own"),
        ([Service("web", ["true"], depends=["db"]), Service("db", ["true"])], "not listed before it: db"),
        ([Service("web")], "either an argv or a keep"),
    ]:
        with pytest.raises(ValueError, match=complaint):
            Supervisor(services, data=Path("/nonexistent"))


def test_a_free_port_is_the_preferred_one_or_a_near_one() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        found = free_port(port)
    assert found != port
    assert free_port(found) == found

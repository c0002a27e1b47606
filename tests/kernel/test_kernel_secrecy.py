"""What no log line holds, and that the watch over all logs of a test run really finds what it is there to find."""

import base64
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from tests import planted

from doenda.channels.web.secrecy import unkeyed
from doenda.kernel import secrecy

CARD, KEY = "4000056655665556", "sk_test_notPlanted0123456789"
ROOT = Path(planted.__file__).parents[1]
SUB_CONFTEST = """
import pytest
from tests import planted

@pytest.fixture(scope="session", autouse=True)
def watched_log(tmp_path_factory):
    yield from planted.watching(tmp_path_factory.mktemp("watched"))
"""


PREFIXED = [key for key in planted.KEYS if key.startswith(("test_", "live_", "whsec_", "sk_"))]


@pytest.mark.parametrize("value", [*planted.CARDS, *planted.ACCOUNTS, *PREFIXED])
def test_no_planted_value_is_left_in_a_line(value: str) -> None:
    for spelt in planted._spellings(value) - {base64.b64encode(f"{value}:".encode()).decode()}:
        for line in (f"charged {spelt} today", f"{{'number': '{spelt}'}}", f"({spelt})", spelt):
            assert spelt not in secrecy.masked(line), line


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("Not Found: /p/ABCDEFGHIJKLMNOPQRSTUVWXYZ/x?y", "Not Found: /p/***/x?y"),
        ("POST http://h:80/s/ABCDEFGHIJ 500", "POST http://h:80/s/*** 500"),
        ("{'Authorization': 'Basic dGVzdF9zazo='}", "{'Authorization': 'Basic ***'}"),
        ("Authorization: PortOne abcdef123456", "Authorization: PortOne ***"),
        ("Bearer eyJhbGciOi.J9.x-y_z refused", "Bearer *** refused"),
        ('{"secret": "ps_abcdefgh", "n": 1}', '{"secret": "***", "n": 1}'),
        ("webhook_secret=abcdefgh; next", "webhook_secret=***; next"),
        ("postgresql://app:hunter22@db/doenda", "postgresql://***@db/doenda"),
        ("card 4000 0566 5566 5556 refused", "card ***5556 refused"),
        ("from 110-123-456789", "from ***89"),
        ("Key (number)=(110123456789) already exists", "Key (number)=(***) already exists"),
        ("DETAIL: Failing row contains (1, 김민수, 52300).", "DETAIL: Failing row contains (***)."),
    ],
)
def test_a_secret_is_cut_out_and_the_rest_of_the_line_stays(line: str, told: str) -> None:
    assert secrecy.masked(line) == told


@pytest.mark.parametrize(
    "line",
    [
        "2014-10-22 12:00:00,123 ERROR x",
        "attempt AGRAJOPDNJ3IBHBRAZEKXG6YD4 needs a person",
        "01a204b9-e36a-7680-9c31-064812345678 is locked",
        "01020304-1234-7123-8123-123456789012",
        "52300 KRW of 300000, 4 tries in 12.345678901234 s",
        "S1-2014-000001",
        "https://api.tosspayments.com/v1/payments/confirm 200",
    ],
)
def test_what_is_no_secret_stays_readable(line: str) -> None:
    assert secrecy.masked(line) == line


def test_the_keys_that_we_run_on_are_known_whatever_they_look_like() -> None:
    """A key without a telling beginning is recognised only by being ours."""
    settings = {
        "portone": {"api_secret": "dear-old-password", "url": "http://shop"},
        "other": {"keys": ["k" * 9, "ab"]},
        "LINK_KEYS": {"1": "a link's own key"},
    }
    try:
        secrecy.know(secrecy.secrets_in(settings))
        assert secrecy.masked("PUT dear-old-password, kkkkkkkkk to http://shop ab") == "PUT ***, *** to http://shop ab"
        assert secrecy.masked("a link's own key!") == "***!"
    finally:
        secrecy.know([])
    assert secrecy.masked("dear-old-password") == "dear-old-password"


def test_the_channels_own_filter_and_this_one_agree() -> None:
    line = "GET /p/ABCDEFGHIJKLMNOPQRSTUVWXYZ?lang=en 404"
    assert secrecy.link(line) == unkeyed(line)


@pytest.fixture
def installed() -> Iterator[tuple[logging.Logger, StringIO]]:
    """The factory of masked records, and a logger whose handler knows nothing of it."""
    before, hooks = logging.getLogRecordFactory(), (sys.excepthook, threading.excepthook)
    told = StringIO()
    logger = logging.Logger("alone")  # not in the tree: the watch of this run need not hear it
    handler = logging.StreamHandler(told)
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    logger.addHandler(handler)
    secrecy.install()
    yield logger, told
    logging.setLogRecordFactory(before)
    sys.excepthook, threading.excepthook = hooks


def test_every_record_of_a_process_is_masked(installed: tuple[logging.Logger, StringIO]) -> None:
    logger, told = installed
    logger.error("card %s with %r", CARD, {"key": KEY})
    try:
        raise ValueError(f"no such card: {CARD}")
    except ValueError:
        logger.exception("it failed for %s", CARD)
    logger.error("%d of them", CARD + "x")
    text = told.getvalue()
    assert CARD not in text
    assert KEY not in text
    assert "no such card: ***5556" in text
    assert "Traceback" in text
    assert "its arguments do not fit" in text


def test_what_nobody_caught_is_printed_masked(
    installed: tuple[logging.Logger, StringIO], capsys: pytest.CaptureFixture[str]
) -> None:
    error = ValueError(f"{CARD} and {KEY}")
    secrecy._uncaught(ValueError, error, None)
    secrecy._uncaught_in_thread(threading.ExceptHookArgs([ValueError, error, None, threading.current_thread()]))
    said = capsys.readouterr().err
    assert "***5556 and ***" in said
    assert CARD not in said
    assert KEY not in said


def run_of_its_own(folder: Path, test: str, *options: str) -> subprocess.CompletedProcess[str]:
    """A test run in a folder of its own, watched like this one and apart from it."""
    (folder / "conftest.py").write_text(SUB_CONFTEST)
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "test_it.py").write_text("import logging, subprocess, sys\nfrom tests import planted\n" + test)
    dropped = {planted.WATCH, "PYTHONPATH", "DJANGO_SETTINGS_MODULE", "PYTEST_XDIST_WORKER", "PYTEST_ADDOPTS"}
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:django", *options, str(folder)]
    env = kept | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(argv, cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=120)


LEAKS = {
    "a log line": "logging.getLogger('a.b').error('charged %s', HERE)",
    "a logger that passes nothing on": "log = logging.getLogger('c'); log.propagate = False; log.error(HERE)",
    "a line that no handler shows": "logging.getLogger('quiet').info('key %s', HERE)",
    "an exception's text": """
    try: raise ValueError(HERE)
    except ValueError: logging.exception('no')""",
    "arguments that do not fit": """
    logging.raiseExceptions = False
    logging.error('%d', HERE)""",
    "a basic header": "import base64; logging.error(base64.b64encode((HERE + ':').encode()).decode())",
    "a process's log": "run('import logging; logging.error(HERE)', HERE)",
    "a process's standard error": "run('import sys; sys.stderr.write(HERE)', HERE)",
    "a process's print": "run('print(HERE)', HERE)",
    "a process that dies of it": "run('raise ValueError(HERE)', HERE)",
}
RUN = """
def run(code, value):
    subprocess.run([sys.executable, "-c", f"HERE = {value!r}\\n" + code], capture_output=True)

"""


def leaking(place: int, name: str) -> str:
    """A test that tells a value of its own in this way."""
    value = f"a-secret-of-{place:02}-told"
    return f"def test_{place}():\n    HERE = planted.plant({name!r}, {value!r})\n    {LEAKS[name]}\n\n"


def test_a_run_that_tells_a_planted_value_fails_whichever_way_it_told(tmp_path: Path) -> None:
    tests = "".join(leaking(place, name) for place, name in enumerate(LEAKS))
    tests += "def test_card():\n    logging.error('4242 ' * 4)\n    logging.error('GET /p/' + 'Q2' * 13)\n"
    said = run_of_its_own(tmp_path, RUN + tests)
    assert said.returncode == 1, said.stdout
    assert f"{len(LEAKS) + 1} passed, 1 error" in said.stdout
    told = said.stdout.partition("tell a secret")[2]
    for name in (*LEAKS, "card 0", "a customer's link"):
        assert f"{name} in:" in told, name
    assert "a-secret-of" not in said.stdout.partition("short test summary")[2]


@pytest.mark.parametrize("leak", ["a log line", "a process that dies of it"])
def test_a_run_over_several_workers_fails_as_well(tmp_path: Path, leak: str) -> None:
    said = run_of_its_own(tmp_path, RUN + leaking(1, leak) + "def test_other():\n    pass\n", "-n", "2")
    assert said.returncode == 1, said.stdout


@pytest.mark.parametrize("options", [(), ("-n", "2")])
def test_a_run_in_which_nothing_was_told_passes(tmp_path: Path, options: tuple[str, ...]) -> None:
    quiet = "def test_it():\n    logging.error('charged ***%s', planted.CARDS[0][-4:])\n    run('print(1)', '')\n"
    assert run_of_its_own(tmp_path, RUN + quiet, *options).returncode == 0


def test_this_run_is_watched(watched_log: Path) -> None:
    logging.getLogger("doenda.tests").info("watched: %s", "this line")
    assert "watched: this line" in watched_log.read_text()
    assert os.environ[planted.WATCH] == str(watched_log)

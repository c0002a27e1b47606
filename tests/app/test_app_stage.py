"""A system that is started for a drill or a test ends with whoever started it."""

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from doenda.app import leash

STARTS = """
import os, time
os.environ["DJANGO_SETTINGS_MODULE"] = "doenda.app.settings"
import django
django.setup()
from doenda.app import stage
with stage.stage(fast=True) as made:
    print(made.data, flush=True)
    time.sleep(600)
"""
WITHIN = 60.0


def test_a_killed_drill_leaves_no_system_running() -> None:
    with subprocess.Popen([sys.executable, "-c", STARTS], stdout=subprocess.PIPE, text=True) as drill:
        assert drill.stdout is not None
        data = Path(drill.stdout.readline().strip())
        pids = [each for each in _of(data) if each]
        assert pids
        drill.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + WITHIN
    while left := [each for each in pids if leash.alive(each)]:
        assert time.monotonic() < deadline, f"{left} still run"
        time.sleep(0.2)
    shutil.rmtree(data)


def _of(data: Path) -> list[int]:
    """Every process whose command line names the data folder."""
    found = []
    for each in Path("/proc").iterdir():
        try:
            told = (each / "cmdline").read_bytes() if each.name.isdigit() else b""
            if str(data).encode() in told:
                found.append(int(each.name))
        except OSError:
            continue
    return found

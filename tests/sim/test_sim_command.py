"""`doenda simulate`: processes of its own, figures, and a seed that a second process plays the same."""

import json
import os
import subprocess
import sys


def test_the_command_plays_in_two_processes_and_prints_its_figures() -> None:
    env = {
        name: value for name, value in os.environ.items() if not name.startswith(("DATABASE_", "DOENDA_", "DJANGO_"))
    }
    argv = [sys.executable, "-m", "doenda.app.cli", "simulate", "--schedules", "2", "--seed", "20", "--json"]
    done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=240, check=False)
    told = json.loads(done.stdout)
    assert told["ok"], told["failures"]
    assert done.returncode == 0
    figures = told["figures"]
    assert figures["schedules"] == 2
    assert figures["violations"] == 0
    assert figures["replayed"] == figures["replay_identical"] == 2
    assert figures["steps"] >= 24
    assert figures["edges"] >= figures["edges_taken"] > 0

"""The bench of calls counts what SIPp saw, and is not good because nobody called."""

import sys
from pathlib import Path
from subprocess import Popen

import pytest

from doenda.app.benches.calls import run, sipp
from doenda.app.result import Result


def ended(folder: Path, *, code: int, calls: int, rtts: list[float]) -> sipp.Run:
    lines = ["Date_ms;response_time_ms;rtd_no", *(f"1;{each};setup" for each in rtts)]
    (folder / "caller_1_rtt.csv").write_text("\n".join(lines) + "\n")
    return sipp.Run(folder, Popen([sys.executable, "-c", f"raise SystemExit({code})"]), calls)


def test_every_call_must_have_been_answered_and_have_ended_well(tmp_path: Path) -> None:
    good = ended(tmp_path, code=0, calls=3, rtts=[4.0, 8.0, 4.0])
    assert good.wait(20)
    assert sorted(good.setups) == [4.0, 4.0, 8.0]


@pytest.mark.parametrize(("code", "calls"), [(1, 2), (0, 3)])
def test_a_failed_or_a_missing_call_is_told(tmp_path: Path, code: int, calls: int) -> None:
    assert not ended(tmp_path, code=code, calls=calls, rtts=[4.0, 8.0]).wait(20)


def test_callers_who_never_end_are_ended(tmp_path: Path) -> None:
    stuck = sipp.Run(tmp_path, Popen([sys.executable, "-c", "import time; time.sleep(60)"]), 1)
    assert not stuck.wait(0.2)
    assert stuck.process.poll() is not None


def figures(**told: float) -> Result:
    result = Result()
    result.figures = {name.replace("_at_", "."): value for name, value in told.items()}
    run._conclude(result, [25, 50], 4.0)
    return result


def test_the_highest_clean_and_quick_rate_counts() -> None:
    quick = figures(failed_at_25=0, failed_at_50=0, setup_p95_ms_at_25=4.0, setup_p95_ms_at_50=8.0)
    assert (quick.figures["calls_per_second"], quick.figures["ratio"]) == (50, 2.0)
    slow = figures(failed_at_25=0, failed_at_50=0, setup_p95_ms_at_25=4.0, setup_p95_ms_at_50=80.0)
    assert (slow.figures["calls_per_second"], slow.figures["calls_per_second_clean"]) == (25, 50)
    lost = figures(failed_at_25=1, failed_at_50=3, setup_p95_ms_at_25=4.0, setup_p95_ms_at_50=8.0)
    assert not lost.ok
    assert lost.figures["calls_per_second"] == 0


def test_a_scenario_waits_only_where_it_is_told_to() -> None:
    assert "Signal=0" in sipp.scenario(stays_ms=10, waits=True)
    assert "Signal=0" not in sipp.scenario(stays_ms=10, waits=False)

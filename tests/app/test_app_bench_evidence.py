"""`doenda bench evidence`: outcomes in, decisions out, guidance read beside; its figures are what they say."""

import pytest

from doenda.app.benches.evidence import run
from doenda.app.benches.evidence.run import Sent


def test_a_decision_is_timed_from_the_commit_of_the_failure_before_it_was_seen() -> None:
    sent = Sent(failures={"a": [(1.0, 1.2), (2.0, 2.3), (9.0, 9.1)], "b": [(5.0, 5.5)]})
    assert run._delays(sent, {"a": 2.4, "b": 5.4, "nobody": 1.0}) == pytest.approx([0.1, 0.0])


def test_the_bench_counts_what_it_sent_and_sees_what_was_decided() -> None:
    result = run.run(4.0, ways=20, say=lambda line: None)
    figures = result.figures
    assert figures["rows_per_second"] > 0
    assert figures["floor_rows_per_second"] > figures["rows_per_second"]
    assert 0 < figures["ratio"] < 1
    assert figures["reads_per_second"] > 0
    assert figures["ways"] == 20
    assert figures["decisions"] >= 1, "ways that fail for good are withdrawn"

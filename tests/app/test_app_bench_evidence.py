"""`doenda bench evidence`: what it sends is recorded and decided, and its delays are what they say."""

import pytest

from doenda.app.benches.evidence import run
from doenda.app.benches.evidence.run import Sent
from doenda.assurance import evidence
from doenda.assurance.models import Evidence, Way
from doenda.kernel.db import atomic
from doenda.kernel.randomness import stream


def test_a_decision_is_timed_from_the_commit_of_the_failure_before_it_was_seen() -> None:
    sent = Sent(failures={"a": [(1.0, 1.2), (2.0, 2.3), (9.0, 9.1)], "b": [(5.0, 5.5)]})
    assert run._delays(sent, {"a": 2.4, "b": 5.4, "nobody": 1.0}) == pytest.approx([0.1, 0.0])


def test_what_it_sends_is_recorded_and_a_way_that_fails_for_good_is_withdrawn(committed_db: str) -> None:
    slugs = run._ways(5)
    with atomic():
        evidence.record_many([run._outcome(slug, [], stream(slug)) for slug in slugs for _ in range(5)])
    sent = run._send(slugs, 4.0, stream(2), breaks=True)
    assert Evidence.objects.count() == sent.rows + 25
    assert Way.objects.get(pk=slugs[0]).standing == "withdrawn"
    assert sent.failures[slugs[0]]

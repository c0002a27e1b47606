"""The bench of detection: its traffic, and others' rules at the figures that their makers give."""

import pytest

from doenda.app.benches.detection import others, ours, traces
from doenda.app.benches.detection.traces import FAULTS, Seen
from doenda.kernel import randomness


def until_down(name: str, *, walk: bool, every: float, most: int = 500) -> int | None:
    """Failures in a row after a hundred good ones, until the rule says so."""
    rule = others.rules()[name]
    for number in range(100):
        rule.see(Seen(number * every, number * every, walk=walk, ok=True, proves=True))
    assert not rule.down
    for number in range(1, most + 1):
        at = (99 + number) * every
        rule.see(Seen(at, at, walk=walk, ok=False, proves=False))
        if rule.down:
            return number
    return None


@pytest.mark.parametrize(
    ("name", "walk", "failures"),
    [
        ("gatus", True, 3),
        ("uptime_kuma", True, 1),
        ("envoy", False, 5),
        ("pybreaker", False, 5),
        ("resilience4j", False, 50),
        ("hyperswitch_elimination", False, 59),
    ],
)
def test_others_rules_notice_after_as_many_failures_as_documented(name: str, walk: bool, failures: int) -> None:
    assert until_down(name, walk=walk, every=12.0) == failures


@pytest.mark.parametrize("name", ["gatus", "uptime_kuma"])
def test_a_monitor_sees_no_customers(name: str) -> None:
    assert until_down(name, walk=False, every=12.0) is None


def test_delivery_times_are_judged_some_minutes_late() -> None:
    failures = until_down("notify", walk=False, every=12.0)
    assert failures is not None
    assert 5 * 60 < failures * 12 < 9 * 60


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_trace_is_healthy_before_its_fault_and_comes_in_order(fault: traces.Fault) -> None:
    seen = list(traces.trace(fault, randomness.stream("t")))
    assert [one.began for one in seen] == sorted(one.began for one in seen)
    before = [one for one in seen if one.began < 0]
    tries = [one for one in before if not one.walk]
    assert 0.8 < len(tries) / (fault.a_minute * traces.WARM_UP / 60) < 1.25
    assert sum(not one.ok for one in tries) / len(tries) < 0.15
    assert len(before) - len(tries) == pytest.approx(traces.WARM_UP / traces.EVERY, abs=1)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_our_rule_notices_every_fault_within_the_quarter_of_an_hour(fault: traces.Fault) -> None:
    for trial in range(5):
        seen = traces.trace(fault, randomness.stream(f"{fault.name}{trial}"))
        noticed = ours.noticed(fault, seen, randomness.stream(trial))
        assert noticed is None or 0 < noticed < 900


def test_a_healthy_way_is_seldom_withdrawn() -> None:
    assert ours.false_alarms(0.2, randomness.stream("healthy")) <= 8

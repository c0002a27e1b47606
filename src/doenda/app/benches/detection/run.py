"""`doenda bench detection`: every fault many times, years of healthy traffic, and rows beside the pure rule."""

from collections.abc import Callable, Iterable
from statistics import median

from doenda.app.benches.detection import others, ours, rows, traces
from doenda.app.benches.detection.traces import Fault, Seen
from doenda.app.result import Result
from doenda.kernel import clock, randomness

OTHERS_YEARS = 0.5
ROWS = 400
GOALS = {"total": (27, 45), "hang": (60, 75), "half": (75, 260), "monitor_dead": (130, 130)}
"""Seconds: median and 99th percentile."""
FALSE_GOAL = 12.0


def run(trials: int, years: float, database: str | None, *, say: Callable[[str], None]) -> Result:
    """The whole bench. Figures: FAULT.median_s and .p99_s, false_per_way_year, and the same of others by name."""
    result = Result()
    for fault in traces.FAULTS:
        _fault(result, fault, trials)
        say(f"{fault.name}: {result.figures[f'{fault.name}.median_s']} s")
    begun = clock.monotonic()
    found = ours.false_alarms(years, randomness.stream("healthy"))
    say(f"{years:g} healthy years: {found} withdrawals, in {clock.monotonic() - begun:.0f} s")
    result.figures["way_years"] = years
    result.figures["false_per_way_year"] = round(found / years, 2)
    result.expect(found / years <= FALSE_GOAL, f"more than {FALSE_GOAL:g} false withdrawals a way and year")
    for name, count in _others_false(OTHERS_YEARS).items():
        result.figures[f"peers.{name}.false_per_way_year"] = round(count / OTHERS_YEARS, 1)
    _compare(result)
    differ = rows.differ(ROWS, database)
    result.figures |= {"rows_compared": ROWS, "rows_differ": len(differ)}
    result.failures += differ[:3]
    return result


def _fault(result: Result, fault: Fault, trials: int) -> None:
    """Our delays and others', trial by trial on the same trace."""
    delays: dict[str, list[float]] = {"": [], **{name: [] for name in others.rules()}}
    for trial in range(trials):
        seen = list(traces.trace(fault, randomness.stream(f"{fault.name}:{trial}")))
        mine = ours.noticed(fault, iter(seen), randomness.stream(f"{fault.name}:{trial}:confirms"))
        if mine is not None:
            delays[""].append(mine)
        for name, delay in _others_noticed(seen).items():
            if delay is not None:
                delays[name].append(delay)
    for name, found in delays.items():
        prefix = f"peers.{name}.{fault.name}" if name else fault.name
        found = sorted(found) or [traces.LONGEST]  # noqa: PLW2901
        result.figures[f"{prefix}.median_s"] = round(median(found), 1)
        result.figures[f"{prefix}.p99_s"] = round(found[min(len(found) - 1, int(len(found) * 0.99))], 1)
    if fault.name in GOALS:
        for word, goal in zip(("median", "p99"), GOALS[fault.name], strict=True):
            seconds = result.figures[f"{fault.name}.{word}_s"]
            result.expect(seconds <= goal, f"{fault.name}: {word} {seconds} s, wanted {goal} s")


def _others_noticed(seen: Iterable[Seen]) -> dict[str, float | None]:
    """When each first says "down" after the fault; None where it said so when the fault began."""
    rules, found = others.rules(), dict.fromkeys(others.rules(), traces.LONGEST)
    before: set[str] = set()
    for one in sorted(seen, key=lambda each: each.known):
        for name, rule in rules.items():
            if found[name] != traces.LONGEST:
                continue
            if one.known >= 0 and name not in before and rule.down and found[name] == traces.LONGEST:
                found[name] = 0.0  # down already: by chance, and no notice of this fault
            rule.see(one)
            before.add(name)
            if one.known >= 0 and rule.down:
                found[name] = one.known
    return {name: delay or None for name, delay in found.items()}


def _others_false(years: float) -> dict[str, int]:
    """How often each says "down" of healthy traffic."""
    healthy = Fault("healthy", 5, real=traces.REAL_FAIL, walks=traces.WALK_FLAKE)
    rules = others.rules()
    found = dict.fromkeys(rules, 0)
    for seen in traces.trace(healthy, randomness.stream("others"), begins=0.0, ends=years * traces.YEAR):
        for name, rule in rules.items():
            was = rule.down
            rule.see(seen)
            found[name] += rule.down and not was
    return found


def _compare(result: Result) -> None:
    """Whoever notices some fault sooner than we do and raises no more false alarms is named."""
    figures, mine = result.figures, result.figures["false_per_way_year"]
    for name in others.rules():
        quiet = figures[f"peers.{name}.false_per_way_year"] <= mine
        sooner = [
            fault.name
            for fault in traces.FAULTS
            if figures[f"peers.{name}.{fault.name}.median_s"] < figures[f"{fault.name}.median_s"]
        ]
        if sooner:
            words = "with no more false alarms" if quiet else "with more false alarms"
            result.notes.append(f"{name} notices sooner, {words}: {', '.join(sooner)}")

"""`doenda bench queue`: every case with its callers, our estimates beside others', and what must never happen."""

from collections.abc import Callable

from doenda.app.result import Result
from doenda.kernel import clock, randomness
from doenda.sim.centre.cases import CASES, Case
from doenda.sim.centre.centre import Centre
from doenda.sim.centre.score import OURS, Score, rms

OTHERS = ("ql", "les", "hol", "asterisk")
NEAR = 1.02
"""Ours is the lowest error of each case, or within 2 % of it."""
COVERED = 0.8
_NEVER = ("violations", "callbacks_jumped", "callbacks_lost", "over_dialled", "raised")


def run(calls: int, seed: str, *, say: Callable[[str], None]) -> Result:
    """Figures: rmse.CASE.PREDICTOR in seconds and coverage.CASE (served by the end of the range told at entry) of those
    who never give up, the same of all who were served, order_violations, and more of callbacks and later tellings."""
    result = Result()
    scores: list[Score] = []
    for case in CASES:
        begun = clock.monotonic()
        score = Centre(case, randomness.stream(f"{seed}:{case.name}")).run(calls)
        scores.append(score)
        _figures(result, case, score)
        say(f"{case.name}: {score.steady.count} and {score.served.count} judged, {clock.monotonic() - begun:.1f} s")
    for name, parts in (("", [one.steady for one in scores]), ("served_", [one.served for one in scores])):
        told = max(1, sum(part.count for part in parts))
        result.figures[f"{name}coverage"] = round(sum(part.within for part in parts) / told, 3)
        result.figures[f"{name}before_the_range"] = round(sum(part.early for part in parts) / told, 3)
    for name in ("services", "callbacks", "callbacks_to_desk"):
        result.figures[name] = sum(getattr(one, name) for one in scores)
    for name in _NEVER:
        found = sum(getattr(one, name) for one in scores)
        result.figures[name if name != "violations" else "order_violations"] = found
        result.expect(found == 0, f"{name}: {found}, wanted none")
    result.expect(result.figures["callbacks"] > 0, "nobody was called back")
    return result


def _figures(result: Result, case: Case, score: Score) -> None:
    result.expect(score.steady.count >= 100, f"{case.name}: only {score.steady.count} callers waited")
    for prefix, part in (("", score.steady), ("served_", score.served)):
        if not part.count:
            continue
        for name in (OURS, *OTHERS):
            result.figures[f"{prefix}rmse.{case.name}.{name}"] = round(part.rmse(name), 1)
        result.figures[f"{prefix}bias.{case.name}"] = round(part.bias / part.count, 1)
        result.figures[f"{prefix}mean_wait.{case.name}"] = round(part.waited / part.count, 1)
        covered = part.within / part.count
        result.figures[f"{prefix}coverage.{case.name}"] = round(covered, 3)
        result.expect(covered >= COVERED, f"{prefix}{case.name}: {covered:.1%} within the said range")
    ours, best = score.steady.rmse(OURS), min(score.steady.rmse(name) for name in OTHERS)
    result.expect(ours <= best * NEAR, f"{case.name}: RMSE {ours:.1f} s, another's {best:.1f} s")
    if score.retold:
        _retold(result, case, score)
    if score.held:
        held = sorted(score.held)
        result.figures[f"callback_held_p95_s.{case.name}"] = round(held[int(len(held) * 0.95)], 1)


def _retold(result: Result, case: Case, score: Score) -> None:
    """What is told anew every minute: its error, how often no number was honest, and who heard it rise."""
    for name, squares in score.retold.items():
        result.figures[f"rmse.{case.name}.retold.{name}"] = round(rms(squares), 1)
    tellings = score.no_number + score.retold_ranges
    result.figures[f"coverage.{case.name}.retold"] = round(score.retold_within / max(1, score.retold_ranges), 3)
    result.figures[f"no_number.{case.name}.retold"] = round(score.no_number / max(1, tellings), 3)
    result.figures[f"asterisk_rises.{case.name}"] = round(score.asterisk_raised / max(1, score.many_told), 3)

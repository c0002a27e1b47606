"""What the processes saw, added up: the figures of `doenda simulate`, and what is to be printed of violations."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from doenda.payments.states import EDGES
from doenda.sim.fleet import Seen
from doenda.sim.points import Point

_DECLARED = {(str(source), str(target)) for source, target in EDGES}
_BY_DESIGN = {(source, target) for source, target in _DECLARED if "at_provider" in (source, target)}
"""No provider here moves money on its page (`Moves.AT_REDIRECT`)."""
_UNWRITTEN = {("needs_redirect", "refused"), ("unknown", "closed")} & _DECLARED
"""Declared, and no code of the house writes them: a page only expires or is closed, what is unknown is never closed."""
SELDOM = (
    *("bars", "restores", "unknowns", "debits_returned", "deposits_taken_back", "refunds_done"),
    *("credit_refunds_done", "forged_letters"),
)
"""What so many schedules must have come to, or the invariants say little."""
MANY = 500


@dataclass
class Report:
    """Filled as the processes tell. `stories`: of every violation; `notes`: what people read beside the figures."""

    schedules: int = 0
    steps: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    providers: Counter[str] = field(default_factory=Counter)
    happened: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    stories: list[str] = field(default_factory=list)
    moves: set[tuple[str, str]] = field(default_factory=set)
    swept: Counter[str] = field(default_factory=Counter)
    planted: Counter[str] = field(default_factory=Counter)
    interleaved: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    first: dict[int, str] = field(default_factory=dict)
    second: dict[int, str] = field(default_factory=dict)

    def take(self, seen: Seen) -> None:
        """One more line from a process."""
        match seen.kind:
            case "played":
                self._played(seen)
            case "again":
                self.second[seen.seed] = seen.fingerprint
            case "swept":
                self.swept.update(worlds=1, points=seen.points, covered=seen.covered, violations=len(seen.violations))
                self._wrong(seen)
            case "planted":
                self.planted.update(planted=1, found=seen.covered)
                self.notes.append(seen.story)
                self.violations += seen.violations
                if not seen.covered:
                    self.violations.append(f"a planted bug lives on: {seen.story}")
            case "interleaved":
                self.interleaved.update(scenarios=1, run=seen.covered, possible=seen.points)
                self.notes.append(seen.story)
                self.violations += seen.violations
        self.moves |= {(source, target) for source, target in seen.moves}
        self.kinds.update(seen.kinds)

    def _played(self, seen: Seen) -> None:
        self.schedules += 1
        self.steps += seen.steps
        self.faults.update(seen.faults)
        self.providers.update(seen.providers)
        self.happened.update(seen.happened)
        self.first[seen.seed] = seen.fingerprint
        self._wrong(seen)

    def _wrong(self, seen: Seen) -> None:
        where = f"seed {seen.seed}: " if seen.kind == "played" else ""
        self.violations += [f"{where}{each}" for each in seen.violations]
        if seen.story:
            self.stories.append(seen.story)

    def not_identical(self) -> list[int]:
        """Seeds that two processes played, and played differently."""
        return [seed for seed, print_ in sorted(self.second.items()) if self.first.get(seed) != print_]

    def not_reached(self) -> list[str]:
        """What many schedules never came to."""
        return [name for name in SELDOM if not self.happened[name]] if self.schedules >= MANY else []

    def figures(self, seconds: float) -> dict[str, float | int]:
        """By the names of the contract."""
        taken = {move for move in self.moves if move in _DECLARED}
        found: dict[str, float | int] = {
            "schedules": self.schedules,
            "steps": self.steps,
            "violations": len(self.violations),
            "seconds": round(seconds, 1),
            "schedules_per_second": round(self.schedules / seconds, 2) if seconds else 0,
            "faults": sum(self.faults.values()),
            **{f"faults.{name}": count for name, count in sorted(self.faults.items())},
            **{f"happened.{name}": count for name, count in sorted(self.happened.items())},
            "crash_worlds": self.swept["worlds"],
            "crash_points": self.swept["points"],
            "crash_points_covered": self.swept["covered"],
            "crash_violations": self.swept["violations"],
            "planted": self.planted["planted"],
            "planted_found": self.planted["found"],
            "scenarios": self.interleaved["scenarios"],
            "interleavings": self.interleaved["run"],
            "interleavings_possible": self.interleaved["possible"],
            "edges": len(_DECLARED),
            "edges_taken": len(taken),
            "replayed": len(self.second),
            "replay_identical": len(self.second) - len(self.not_identical()),
        }
        return found

    def more(self) -> Iterator[str]:
        """What people want to know beside the figures."""
        yield from self.notes
        missing = [str(kind) for kind in Point if not self.kinds[kind]]
        if missing:
            yield f"no process passed a point of the kind: {', '.join(missing)}"
        if self.schedules:
            yield "worlds by provider: " + ", ".join(
                f"{name} {count}" for name, count in sorted(self.providers.items())
            )
            never = _DECLARED - self.moves
            for words, edges in (
                ("edges never taken", never - _BY_DESIGN - _UNWRITTEN),
                ("edges that no provider here has (money that moves on a page)", never & _BY_DESIGN),
                ("edges that are declared, and that no code of the house writes", never & _UNWRITTEN),
            ):
                if edges:
                    yield f"{words}: " + ", ".join(f"{source} > {target}" for source, target in sorted(edges))

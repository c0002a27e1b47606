"""Walking a journey: from a state and an outcome to the next state, and nothing else.

Pure. Whether an answer is stale, who may give it and what an action did are the session's matter.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from doenda.journeys.steps import End, Journey, Outcome, Step

NOTE = "note"
"""The key of what the next page says once ("that way has just stopped"): kept through actions, gone after one page."""


class NotAnOutcome(ValueError):
    """The step does not have this outcome; `possible` lists those it has."""

    def __init__(self, journey: Journey, step: Step, outcome: str) -> None:
        self.possible = tuple(step.then)
        listed = ", ".join(self.possible) or "nothing: it is an end"
        super().__init__(f"{journey.name}.{step.name} has no outcome {outcome!r}; possible: {listed}")


class NotHeld(ValueError):
    """An end was about to be shown without what it must hold (a promise without its date)."""


@dataclass(frozen=True, slots=True)
class State:
    """Where one customer stands: the step, what was learnt on the way (strings only), and how many moves were made."""

    step: str
    data: Mapping[str, str] = field(default_factory=dict)
    version: int = 0


def begin(journey: Journey, entry: str | None = None, data: Mapping[str, str] | None = None) -> State:
    """The state at the journey's start, or at another of its entries (ValueError if it is none)."""
    step = entry or journey.start
    if step not in journey.starts:
        raise ValueError(f"{journey.name} cannot be entered at {step!r}; entries: {', '.join(journey.starts)}")
    return State(step, dict(data or {}))


def advance(journey: Journey, state: State, outcome: Outcome, values: Mapping[str, str] | None = None) -> State:
    """The state after `outcome`, with `values` (of a form or an action) and the step's own constants kept.

    An empty value removes its key. Raises `NotAnOutcome`, or `NotHeld` if an end would lack what it must hold.
    """
    step = journey[state.step]
    if outcome not in step.then:
        raise NotAnOutcome(journey, step, outcome)
    kept = {key: value for key, value in state.data.items() if key != NOTE or not step.stops}
    merged = {**kept, **(values or {}), **step.sets.get(outcome, {})}
    data = {key: value for key, value in merged.items() if value}
    target = journey[step.then[outcome]]
    if isinstance(target, End) and (lacking := sorted(target.holds - data.keys())):
        raise NotHeld(f"{journey.name}.{step.name} --{outcome}--> {target.name} lacks {', '.join(lacking)}")
    return State(target.name, data, state.version + 1)


def possible(journey: Journey, state: State) -> tuple[Outcome, ...]:
    """Every outcome that the step has, whoever decides it."""
    return tuple(journey[state.step].then)

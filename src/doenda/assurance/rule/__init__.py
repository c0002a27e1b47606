"""The rule of standing: when a way may be named, when it is withdrawn, and when it comes back. Pure and replayable.

Layer 0 is the lease: a proof (an outcome that reached the last step) counts for `lease` seconds and no longer. Layer 1
is a Bernoulli CUSUM over real outcomes, layer 2 adds synthetic walks to the same score. A withdrawn way returns by a
sequential test, slower than it went. The figures are those of Wald's tests for 5 % against 50 % failures; the delays
and false alarms that follow from them are stated with the benches.

Closed is not failing. While its calendar (or a person) has a way closed, that is its standing whatever its points, a
failure of a try in closed hours weighs nothing, and silence is nobody's fault: walks and customers stay away. The lease
is not stretched by it, though. After a short closure a proof from before it may still count; after one longer than what
was left of the lease the way is unproven until it is walked, which the prober does within seconds of the opening.

Time moves in two ways: `judge` takes in one outcome, `tick` lets time pass. Both are total and have no side effect.
"""

from doenda.assurance.rule.judging import Change, judge, restored, successes, tick, with_proof, withdrawn
from doenda.assurance.rule.memory import WayState
from doenda.assurance.rule.reading import closed_until, failing, leased, onset, standing
from doenda.assurance.rule.reporting import doubted
from doenda.assurance.rule.weights import WITHDRAW_AT
from doenda.assurance.rule.words import FAILURES, NAMED, Event, Name, Outcome

__all__ = [
    "FAILURES",
    "NAMED",
    "WITHDRAW_AT",
    "Change",
    "Event",
    "Name",
    "Outcome",
    "WayState",
    "closed_until",
    "doubted",
    "failing",
    "judge",
    "leased",
    "onset",
    "restored",
    "standing",
    "successes",
    "tick",
    "with_proof",
    "withdrawn",
]

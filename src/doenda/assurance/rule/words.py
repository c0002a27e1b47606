"""The words of the rule: what a try showed, and how a way stands."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Outcome(StrEnum):
    """What a try of a way showed. Only `worked` is a proof, only the two failures count against the way; what a person
    says (`reported`) puts it in doubt."""

    WORKED = "worked"
    FAILED_BY_US = "failed_by_us"
    FAILED_BY_PROVIDER = "failed_by_provider"
    FAILED_BY_CUSTOMER = "failed_by_customer"
    PENDING = "pending"
    REPORTED = "reported"


FAILURES = frozenset({Outcome.FAILED_BY_US, Outcome.FAILED_BY_PROVIDER})


class Name(StrEnum):
    """The words for a way's standing."""

    UNPROVEN = "unproven"
    PROVEN = "proven"
    SUSPECT = "suspect"
    WITHDRAWN = "withdrawn"
    HALF_OPEN = "half_open"
    DEGRADED = "degraded"
    CLOSED = "closed"
    RETIRED = "retired"


NAMED = (Name.PROVEN, Name.DEGRADED)
"""In which a way may be named to anybody, best first."""


@dataclass(frozen=True, slots=True)
class Event:
    """One outcome: `at` when it happened, `now` when it is judged."""

    outcome: Outcome
    at: datetime
    now: datetime
    synthetic: bool

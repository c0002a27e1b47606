"""The words of collections: a case's stages, what is barred, what stops the clock."""

from enum import StrEnum


class Stage(StrEnum):
    """A case's place on the ladder. It rises one step at a time."""

    WATCHING = "watching"
    REMINDED = "reminded"
    NOTICED = "noticed"
    OUTGOING_BARRED = "outgoing_barred"
    FULLY_BARRED = "fully_barred"

    @property
    def barred(self) -> bool:
        return self in {Stage.OUTGOING_BARRED, Stage.FULLY_BARRED}


class Bar(StrEnum):
    """What a line may not do, mildest first."""

    NONE = "none"
    OUTGOING = "outgoing"
    BOTH = "both"

    @property
    def severity(self) -> int:
        return list(Bar).index(self)


class HoldKind(StrEnum):
    """Why a case's clock stands still."""

    PROMISE = "promise"
    UNKNOWN = "unknown"
    OUR_FAULT = "our_fault"
    DISPUTE = "dispute"
    CLAIM = "claim"
    TICKET = "ticket"
    NO_WAY = "no_way"
    REPORT = "report"
    MANUAL = "manual"
    EXPOSURE = "exposure"


class Whose(StrEnum):
    """A promise is the customer's to pay, or ours to mend."""

    CUSTOMER = "customer"
    OURS = "ours"


STAGE_OF = {Bar.OUTGOING: Stage.OUTGOING_BARRED, Bar.BOTH: Stage.FULLY_BARRED}

SUSPENSIONS = ("suspension_notice", "full_suspension_notice")
REMINDERS = ("reminder_before", "reminder")
ASKING = (*REMINDERS, "promise_due", "late_fee")
"""Kinds of notices: those that announce a bar; those without which a bill bears no late fee; those that ask for money
and announce none."""

"""The life of an attempt: its states and the only moves between them.

`IN_FLIGHT` are the states in which money may move without a further act of ours: at most one such attempt a bill, over
all channels (design rule 2). The table is also a table of the database, and every move refers to it.
"""

from enum import StrEnum


class State(StrEnum):
    CREATED = "created"  # decided here, the provider does not know of it
    NEEDS_REDIRECT = "needs_redirect"  # registered; the customer is on the provider's page
    SENT = "sent"  # the charge is on its way, or was when we last lived
    UNKNOWN = "unknown"  # asked, and not answered in time: money may have moved
    PAID = "paid"
    REFUSED = "refused"  # certainly no money
    OUR_FAULT = "our_fault"  # certainly no money, and not the customer's doing
    EXPIRED = "expired"  # the customer did not come back in time; certainly no money
    CLOSED = "closed"  # another way was chosen or another attempt paid; certainly no money
    REVERSED = "reversed"  # was paid, and given back


S = State
IN_FLIGHT = frozenset({S.SENT, S.UNKNOWN})
WAITING = frozenset({S.CREATED, S.NEEDS_REDIRECT})
OVER = frozenset({S.REFUSED, S.OUR_FAULT, S.EXPIRED, S.CLOSED, S.REVERSED})

EDGES: frozenset[tuple[State, State]] = frozenset(
    {
        (S.CREATED, S.NEEDS_REDIRECT),
        (S.CREATED, S.REFUSED),
        (S.CREATED, S.OUR_FAULT),
        (S.CREATED, S.EXPIRED),
        (S.CREATED, S.CLOSED),
        (S.NEEDS_REDIRECT, S.SENT),
        (S.NEEDS_REDIRECT, S.REFUSED),
        (S.NEEDS_REDIRECT, S.EXPIRED),
        (S.NEEDS_REDIRECT, S.CLOSED),
        (S.SENT, S.PAID),
        (S.SENT, S.REFUSED),
        (S.SENT, S.OUR_FAULT),
        (S.SENT, S.UNKNOWN),
        (S.UNKNOWN, S.PAID),
        (S.UNKNOWN, S.REFUSED),
        (S.PAID, S.REVERSED),
        # Money that a provider took after all, whatever we had concluded: it is booked, never denied.
        *((over, S.PAID) for over in (S.CREATED, S.NEEDS_REDIRECT, S.REFUSED, S.OUR_FAULT, S.EXPIRED, S.CLOSED)),
    }
)


class NotAMove(ValueError):
    """The attempt cannot go from where it is to there."""


def check(source: str, target: str) -> None:
    if (State(source), State(target)) not in EDGES:
        raise NotAMove(f"an attempt does not go from {source} to {target}")

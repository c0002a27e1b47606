"""The life of an attempt: its states and the only moves between them.

`IN_FLIGHT` are the states in which money may move without a further act of ours: at most one such attempt a bill, over
all channels (design rule 2). The table is also a table of the database, and every move refers to it.
"""

from enum import StrEnum


class State(StrEnum):
    CREATED = "created"  # decided here, the provider does not know of it
    NEEDS_REDIRECT = "needs_redirect"  # registered; the customer is on the provider's page, where no money moves
    AT_PROVIDER = "at_provider"  # the customer is on the provider's page, and money may move there
    NEEDS_DEPOSIT = "needs_deposit"  # an account or a slip waits for the customer's own act
    INSTRUCTED = "instructed"  # a debit that is, or will be, in a file to the bank
    SENT = "sent"  # the charge is on its way, or was when we last lived
    UNKNOWN = "unknown"  # asked, and not answered in time: money may have moved
    PAID = "paid"
    REFUSED = "refused"  # certainly no money
    OUR_FAULT = "our_fault"  # certainly no money, and not the customer's doing
    EXPIRED = "expired"  # the customer did not come back in time; certainly no money
    CLOSED = "closed"  # another way was chosen or another attempt paid; certainly no money
    REVERSED = "reversed"  # was paid, and given back by us
    UNDONE = "undone"  # was paid, and taken back by the payer's bank


S = State
IN_FLIGHT = frozenset({S.SENT, S.UNKNOWN, S.AT_PROVIDER})
WAITING = frozenset({S.CREATED, S.NEEDS_REDIRECT, S.NEEDS_DEPOSIT, S.INSTRUCTED})
"""Begun and not in flight: closed when something else pays, as far as that can be done."""
DATED = frozenset({S.CREATED, S.NEEDS_REDIRECT, S.AT_PROVIDER, S.NEEDS_DEPOSIT})
"""What is asked about once its `expires_at` is over."""
OVER = frozenset({S.REFUSED, S.OUR_FAULT, S.EXPIRED, S.CLOSED, S.REVERSED, S.UNDONE})

_CERTAINLY_NOT = (S.REFUSED, S.OUR_FAULT, S.EXPIRED, S.CLOSED)

EDGES: frozenset[tuple[State, State]] = frozenset(
    {
        (S.CREATED, S.NEEDS_REDIRECT),
        (S.CREATED, S.AT_PROVIDER),
        (S.CREATED, S.NEEDS_DEPOSIT),
        (S.CREATED, S.INSTRUCTED),
        (S.CREATED, S.SENT),  # a kept key is charged: nobody has to come back from anywhere
        *((S.CREATED, none) for none in _CERTAINLY_NOT),
        (S.NEEDS_REDIRECT, S.SENT),
        (S.NEEDS_REDIRECT, S.REFUSED),
        (S.NEEDS_REDIRECT, S.EXPIRED),
        (S.NEEDS_REDIRECT, S.CLOSED),
        (S.AT_PROVIDER, S.UNKNOWN),
        *((S.AT_PROVIDER, none) for none in _CERTAINLY_NOT),
        (S.NEEDS_DEPOSIT, S.REFUSED),
        (S.NEEDS_DEPOSIT, S.EXPIRED),
        (S.NEEDS_DEPOSIT, S.CLOSED),
        (S.INSTRUCTED, S.REFUSED),
        (S.INSTRUCTED, S.OUR_FAULT),
        (S.INSTRUCTED, S.CLOSED),
        (S.SENT, S.PAID),
        (S.SENT, S.REFUSED),
        (S.SENT, S.OUR_FAULT),
        (S.SENT, S.UNKNOWN),
        (S.UNKNOWN, S.PAID),
        (S.UNKNOWN, S.REFUSED),
        (S.UNKNOWN, S.CLOSED),
        (S.AT_PROVIDER, S.PAID),
        (S.NEEDS_DEPOSIT, S.PAID),
        (S.INSTRUCTED, S.PAID),
        (S.PAID, S.REVERSED),
        (S.PAID, S.UNDONE),
        (S.PAID, S.NEEDS_DEPOSIT),  # a deposit that the bank took back: the account waits again
        # Money that a provider took after all, whatever we had concluded: it is booked, never denied.
        *((over, S.PAID) for over in (S.CREATED, S.NEEDS_REDIRECT, S.UNDONE, *_CERTAINLY_NOT)),
    }
)


class NotAMove(ValueError):
    """The attempt cannot go from where it is to there."""


def check(source: str, target: str) -> None:
    if (State(source), State(target)) not in EDGES:
        raise NotAMove(f"an attempt does not go from {source} to {target}")

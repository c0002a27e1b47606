"""I7, I9: no attempt is unknown for ever, and nothing is where it could not have come to."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from doenda.payments.states import EDGES, State
from doenda.sim.invariants import memory
from doenda.sim.invariants.asking import Violation, rows
from doenda.sim.invariants.house import House

if TYPE_CHECKING:
    from doenda.sim.world import World


def none_unknown(world: "World", house: House) -> Iterator[Violation]:
    """I7, at rest. Where the peer never answers a person owns it; a peer that answers leaves nothing unknown."""
    for tried in house.attempts.values():
        if tried.in_flight and not (tried.owned and tried.provider in world.down):
            owner = "a person owns it, though its provider answers" if tried.owned else "nobody owns it"
            yield Violation("I7", f"at rest {tried} is still {tried.state}, and {owner}")


_MOVES = """
    SELECT m.attempt_id, array_agg(m.source || '>' || m.target ORDER BY m.created_at, m.id)
    FROM payments_attemptmove m GROUP BY m.attempt_id
"""
_DECLARED = {f"{source}>{target}" for source, target in EDGES}


def declared_moves(house: House) -> Iterator[Violation]:
    """I9 of attempts: each move is a declared edge, they follow each other, and the last is where the row stands."""
    last = dict.fromkeys(house.attempts, str(State.CREATED))
    for attempt_id, moves in rows(_MOVES):
        tried, at = house.attempts[attempt_id], str(State.CREATED)
        for each in moves:
            source, _, target = str(each).partition(">")
            if each not in _DECLARED:
                yield Violation("I9", f"{tried} went from {source} to {target}, which is not declared")
            if source != at:
                yield Violation("I9", f"{tried} left {source}, where it was not: it was {at}")
            at = target
        last[attempt_id] = at
    for attempt_id, at in last.items():
        tried = house.attempts[attempt_id]
        if tried.state != at:
            yield Violation("I9", f"{tried} is {tried.state}, and its moves end at {at}")


# From where each row may go, as the rooms' docstrings say; what is not named here goes nowhere.
NEXT: Mapping[str, Mapping[str, frozenset[str]]] = {
    "deposit line": {
        "stored": frozenset({"posted", "parked", "noted"}),
        "parked": frozenset({"stored", "posted", "noted", "sending_back"}),
        "sending_back": frozenset({"sent_back", "parked"}),
    },
    "debit": {
        "waiting": frozenset({"filed", "recalled", "refused"}),
        "filed": frozenset({"paid", "refused", "waiting"}),  # waiting again: a refund of a file that was refused
        "paid": frozenset({"returned"}),
    },
    "debit file": {"built": frozenset({"accepted", "refused"})},
    "mandate": {"requested": frozenset({"active", "refused", "cancelled"}), "active": frozenset({"cancelled"})},
    "refund": {"open": frozenset({"done", "failed"})},
    "case of too much": {"open": frozenset({"closed"})},
    "line's command": {"due": frozenset({"sent", "superseded"}), "sent": frozenset({"confirmed", "superseded"})},
    "notice": {
        "due": frozenset({"held", "sent", "failed", "cancelled"}),
        "held": frozenset({"due", "failed", "cancelled"}),
        "sent": frozenset({"delivered", "failed"}),
    },
}

_STATES = """
    SELECT 'deposit line', id::text, state FROM payments_depositline
    UNION ALL SELECT 'debit', id::text, state FROM payments_debititem
    UNION ALL SELECT 'debit file', id::text, state FROM payments_debitfile
    UNION ALL SELECT 'mandate', id::text, state FROM payments_mandate
    UNION ALL SELECT 'refund', id::text, CASE WHEN done_at IS NOT NULL THEN 'done' WHEN failed_at IS NOT NULL
        THEN 'failed' ELSE 'open' END FROM payments_refund
    UNION ALL SELECT 'case of too much', id::text, CASE WHEN closed_at IS NULL THEN 'open' ELSE 'closed' END
        FROM payments_refundcase
    UNION ALL SELECT 'line''s command', id::text, state FROM dunning_linecommand
    UNION ALL SELECT 'notice', id::text, state FROM notices_notice
"""


def declared_states(world: "World") -> Iterator[Violation]:
    """I9 of what keeps no list of its moves: where it stands now can be reached from where it stood a step ago."""
    before = memory.of(world).states
    for kind, ident, state in rows(_STATES):
        was = before.get((kind, ident), state)
        if was != state and state not in reach(kind, was):
            yield Violation("I9", f"the {kind} {ident} went from {was} to {state}, which is not declared")
        before[kind, ident] = state


# Open is what still owes, which the database holds to; taken back, or settled, is what happened to it last.
_BILLS = """
    SELECT b.number, b.state, COALESCE(e.kind, 'nothing') FROM billing_bill b LEFT JOIN LATERAL (
        SELECT kind FROM billing_billevent WHERE bill_id = b.id AND kind IN ('cancelled', 'corrected')
        ORDER BY created_at DESC, id DESC LIMIT 1
    ) e ON true
    WHERE (b.state = 'cancelled') <> (COALESCE(e.kind, '') = 'cancelled')
"""


def bills_as_told() -> Iterator[Violation]:
    """I9 of bills: one is cancelled while the biller's last word was that it is."""
    for number, state, last in rows(_BILLS):
        yield Violation("I9", f"bill {number} is {state}, and {last} is the last that the biller did to it")


def reach(kind: str, state: str) -> frozenset[str]:
    """Where a row can come to in any number of moves."""
    found: set[str] = set()
    edge = {state}
    while edge:
        edge = {after for each in edge for after in NEXT[kind].get(each, ())} - found
        found |= edge
    return frozenset(found)

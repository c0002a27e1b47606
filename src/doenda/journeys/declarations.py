"""What every action and every wait may answer, with what it needs up and with that down: all the checker knows of them.

The same declarations are held against the real actions: a test that breaks the real dependency and sees an outcome
outside `Action.possible` has found the proof wrong, not only the code.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

type Payment = Literal["none", "unknown", "paid"]
"""The bill's money as all channels together see it: nothing in flight, something that may move or have moved, paid."""

PAYMENTS: tuple[Payment, ...] = ("none", "unknown", "paid")
DEPENDENCIES = ("card", "transfer", "inquiry", "webhook", "redirect_page", "switch", "message_gateway", "prober")
PROVIDER = "provider"
"""In `needs`: the dependency of the way that the customer has chosen, which bears the way's name."""

UNTIL = "until"
"""The key of the state's data under which an action leaves the date of a promise."""
ATTEMPT = "attempt"
"""The key under which an action leaves which attempt is meant, for whoever asks later what became of it."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What is true of the world once an action has had an outcome.

    `payment`: the values that it may have (None: as before). `stops_clock`: the action's own transaction stopped the
    collections clock. `gives`: keys that the session's data now holds. `counts`: a refusal or a wrong code more.
    """

    payment: tuple[Payment, ...] | None = None
    stops_clock: bool = False
    gives: frozenset[str] = frozenset()
    counts: bool = False


NOTHING = Effect()
PROMISE = Effect(stops_clock=True, gives=frozenset({UNTIL}))


@dataclass(frozen=True, slots=True)
class Action:
    """An action of ours (`Do.action`) or something waited for (`Wait.on`).

    `up` and `down`: the outcomes possible in each state of the bill's money while everything in `needs` works, and
    while any of it does not. Each lists what *may* happen: the customer must get through whichever it is. `down` is
    left out where nothing is needed. `charges`: outcomes that mean that a new charge was asked for. `takes`: keys of
    the state's data that it cannot do without.
    """

    name: str
    up: Mapping[Payment, frozenset[str]]
    down: Mapping[Payment, frozenset[str]] = field(default_factory=dict)
    needs: frozenset[str] = frozenset()
    effects: Mapping[str, Effect] = field(default_factory=dict)
    charges: frozenset[str] = frozenset()
    takes: frozenset[str] = frozenset()

    @property
    def outcomes(self) -> frozenset[str]:
        """Every outcome that the action has in any state of the world."""
        return frozenset().union(*self.up.values(), *self.down.values())

    def possible(self, payment: Payment, failed: Collection[str] = (), way: str | None = None) -> frozenset[str]:
        """The outcomes that may happen with these dependencies failed; `way` is the chosen one ("card")."""
        needed = {way if need == PROVIDER else need for need in self.needs}
        return (self.down if needed & set(failed) else self.up)[payment]

    def effect(self, outcome: str) -> Effect:
        return self.effects.get(outcome, NOTHING)


def _each(**by_payment: str) -> dict[Payment, frozenset[str]]:
    return {payment: frozenset(by_payment[payment].split()) for payment in PAYMENTS}


def _always(outcomes: str) -> dict[Payment, frozenset[str]]:
    return _each(none=outcomes, unknown=outcomes, paid=outcomes)


def _money(*, refused: bool = False) -> dict[str, Effect]:
    """What answers about money mean: each is an answer to *this* bill, and only `unknown` leaves anything open."""
    nothing_moved = Effect(payment=("none",))
    return {
        "paid": Effect(payment=("paid",)),
        "refused": Effect(payment=("none",), counts=refused),
        "unknown": Effect(payment=("unknown",), gives=frozenset({ATTEMPT})),
        "our_fault": nothing_moved,
        "certain_failure": nothing_moved,
        "expired": nothing_moved,
        "free": nothing_moved,
    }


def _promising(name: str, up: Mapping[Payment, frozenset[str]]) -> Action:
    """Our own database only. `done` means: the clock was stopped and the date written, in one transaction."""
    return Action(name, up, effects={"done": PROMISE})


_OURS = (
    _promising("make_promise", _each(none="done not_allowed", unknown="done not_allowed", paid="nothing_due")),
    _promising("claim_paid", _each(none="done", unknown="done", paid="nothing_due")),
    _promising("open_dispute", _always("done")),
    _promising("open_ticket", _always("done")),
    _promising("stop_clock", _each(none="done person", unknown="done person", paid="nothing_due")),
    _promising("stop_clock_for_fault", _always("done")),
    _promising("open_callback", _always("done")),
)

_MONEY = (
    Action(
        "start_attempt",
        needs=frozenset({PROVIDER}),
        up=_each(
            none="redirect paid refused unknown our_fault certain_failure",
            unknown="busy",  # one attempt in flight a bill: a unique index says so, whatever the provider does
            paid="nothing_due",
        ),
        down=_each(none="unknown our_fault certain_failure", unknown="busy", paid="nothing_due"),
        # Some providers move money on their own page, others only when we confirm: both are reckoned with.
        effects={
            **_money(refused=True),
            "redirect": Effect(payment=("none", "unknown"), gives=frozenset({ATTEMPT})),
            "busy": Effect(gives=frozenset({ATTEMPT})),
        },
        charges=frozenset({"redirect", "paid", "refused", "unknown", "our_fault", "certain_failure"}),
    ),
    Action(
        "confirm_attempt",
        takes=frozenset({ATTEMPT}),
        needs=frozenset({PROVIDER}),
        up=_each(
            none="paid refused unknown our_fault expired",
            unknown="paid refused unknown our_fault expired busy",
            paid="paid",
        ),
        down=_each(none="unknown our_fault", unknown="unknown busy", paid="paid"),
        effects=_money(refused=True),
    ),
    Action(
        "close_attempt",
        needs=frozenset({"inquiry"}),
        up=_each(none="free", unknown="free paid unknown", paid="paid"),
        down=_each(none="free", unknown="unknown", paid="paid"),
        effects=_money(),
    ),
    Action(
        "attempt_settled",
        takes=frozenset({ATTEMPT}),
        needs=frozenset({"inquiry"}),
        up=_each(none="refused", unknown="paid refused person_owns", paid="paid"),
        down=_each(none="refused", unknown="person_owns", paid="paid"),
        effects=_money(refused=True),
    ),
    Action(
        "watch_attempt",
        _each(none="refused", unknown="done", paid="paid"),
        takes=frozenset({ATTEMPT}),
        effects={**_money(), "done": PROMISE},
    ),
    Action(
        "customer_returns",
        needs=frozenset({"redirect_page"}),
        up=_always("returned cancelled expired"),
        down=_always("expired"),
    ),
)
"""`close_attempt` closes at the provider whatever may still move, and asks what has; unreachable, it says `unknown`.
A webhook is not needed anywhere: it only makes us ask sooner."""

_HELP = (
    Action(
        "report_fault",
        _always("held held_before"),
        effects={"held": PROMISE},
    ),
    Action("report_entry", _always("done")),
    Action(
        "send_link",
        needs=frozenset({"message_gateway"}),
        up=_always("done"),
        down=_always("done cannot"),  # a gateway may fail before anybody knows it
    ),
)

ACTIONS: Mapping[str, Action] = {action.name: action for action in (*_OURS, *_MONEY, *_HELP)}

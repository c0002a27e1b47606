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
METHODS = ("card", "transfer", "deposit", "store", "debit")
"""The methods of paying, each a dependency of that name: whoever takes the money by it."""
DEPENDENCIES = (
    *METHODS,
    *("inquiry", "webhook", "redirect_page", "scripts", "switch", "message_gateway", "prober"),
)
"""What may fail outside the house; `scripts`: that the customer's device runs a provider's script."""
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
    the state's data that it cannot do without. `only`: outcomes that some methods alone can have.
    """

    name: str
    up: Mapping[Payment, frozenset[str]]
    down: Mapping[Payment, frozenset[str]] = field(default_factory=dict)
    needs: frozenset[str] = frozenset()
    effects: Mapping[str, Effect] = field(default_factory=dict)
    charges: frozenset[str] = frozenset()
    takes: frozenset[str] = frozenset()
    only: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def outcomes(self) -> frozenset[str]:
        """Every outcome that the action has in any state of the world."""
        return frozenset().union(*self.up.values(), *self.down.values())

    def possible(self, payment: Payment, failed: Collection[str] = (), way: str | None = None) -> frozenset[str]:
        """The outcomes that may happen with these dependencies failed; `way` is the chosen one ("card")."""
        needed = {way if need == PROVIDER else need for need in self.needs}
        found = (self.down if needed & set(failed) else self.up)[payment]
        return frozenset(outcome for outcome in found if self.has(outcome, way))

    def has(self, outcome: str, way: str | None) -> bool:
        """Can the outcome come of this method at all?"""
        return not way or way in self.only.get(outcome, METHODS)

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
    Action(
        "stop_clock",
        _each(none="done closed person", unknown="done closed person", paid="nothing_due"),
        effects={"done": PROMISE, "closed": PROMISE},
    ),
    _promising("stop_clock_for_fault", _always("done")),
    _promising("open_callback", _always("done")),
    Action("sign_mandate", _always("signed again")),
)

_MONEY = (
    Action(
        "start_attempt",
        needs=frozenset({PROVIDER}),
        up=_each(
            none="redirect script deposit instructed needs_mandate paid refused unknown our_fault certain_failure",
            unknown="busy",  # one attempt in flight a bill: a unique index says so, whatever the provider does
            paid="nothing_due",
        ),
        # A debit is instructed in our own database: the bank may be closed, or away, meanwhile.
        down=_each(
            none="instructed needs_mandate unknown our_fault certain_failure", unknown="busy", paid="nothing_due"
        ),
        # Some providers move money on their own page, others only when we confirm: both are reckoned with.
        effects={
            **_money(refused=True),
            "redirect": Effect(payment=("none", "unknown"), gives=frozenset({ATTEMPT})),
            "script": Effect(payment=("none", "unknown"), gives=frozenset({ATTEMPT})),
            "deposit": Effect(payment=("none",), gives=frozenset({ATTEMPT})),
            # Nothing is in flight, so other channels go on: before the next step they may have paid.
            "instructed": Effect(payment=PAYMENTS, gives=frozenset({ATTEMPT})),
            "needs_mandate": Effect(payment=("none",)),
            "busy": Effect(gives=frozenset({ATTEMPT})),
        },
        charges=frozenset(
            {"redirect", "script", "deposit", "instructed", "paid", "refused", "unknown", "our_fault"}
            | {"certain_failure"}
        ),
        only={
            "redirect": frozenset({"card", "transfer"}),
            "script": frozenset({"card", "transfer"}),
            "deposit": frozenset({"deposit", "store"}),
            "instructed": frozenset({"debit"}),
            "needs_mandate": frozenset({"debit"}),
        },
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
    Action(
        "script_returns",
        needs=frozenset({"redirect_page", "scripts"}),
        up=_always("returned cancelled expired"),
        down=_always("expired"),
    ),
)
"""`close_attempt` closes at the provider whatever may still move, and asks what has; unreachable, it says `unknown`.
A webhook is not needed anywhere: it only makes us ask sooner."""

_OWN_ACT = (
    Action(
        "deposit_arrives",
        _each(none="paid expired", unknown="moving expired", paid="paid"),
        takes=frozenset({ATTEMPT}),
        effects={"paid": Effect(payment=("paid",)), "moving": Effect(gives=frozenset({ATTEMPT}))},
    ),
    Action(
        "look_account",
        needs=frozenset({"inquiry"}),
        up=_each(none="waits paid gone", unknown="unknown", paid="paid"),
        down=_each(none="waits gone", unknown="unknown", paid="paid"),
        takes=frozenset({ATTEMPT}),
        effects={**_money(), "waits": Effect(payment=("none",)), "gone": Effect(payment=("none",))},
    ),
    Action(
        "promise_account",
        _each(none="done not_allowed gone", unknown="unknown", paid="paid"),
        takes=frozenset({ATTEMPT}),
        effects={**_money(), "done": PROMISE, "gone": Effect(payment=("none",))},
    ),
    Action(
        "watch_debit",
        _each(none="done refused", unknown="done unknown", paid="paid"),
        takes=frozenset({ATTEMPT}),
        effects={**_money(refused=True), "done": PROMISE},
    ),
)
"""What waits for the payer's own act, or for the bank's: nothing of it is in flight, and another way may pay first."""

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

ACTIONS: Mapping[str, Action] = {action.name: action for action in (*_OURS, *_MONEY, *_OWN_ACT, *_HELP)}

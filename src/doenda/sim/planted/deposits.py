"""Mistakes about deposits: a line that counts twice, a number that changed hands, money sent back twice."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from unittest import mock

from doenda.kernel.ids import new_id, outside
from doenda.payments.deposits import arrivals, rules, storing
from doenda.payments.deposits.rules import NEVER_LEASED, Held
from doenda.payments.providers.contract import Answer, BackTo, Charge
from doenda.payments.providers.deposit.client import Page
from doenda.payments.providers.deposit.provider import Deposit
from doenda.sim.planted import scenes
from doenda.sim.planted.hunting import Hunt, Planted


@contextmanager
def _line_known_otherwise() -> Iterator[None]:
    real = arrivals._checked

    def checked(page: Page, mark: int) -> None:
        again = [replace(each, ident=f"{each.ident}+") for each in page.movements]
        real(replace(page, movements=again), mark)

    with mock.patch.object(arrivals, "_checked", checked):
        yield


@contextmanager
def _next_holder() -> Iterator[None]:
    def holder(
        leases: Sequence[Held], at: datetime, *, order_id: str = "", day_only: bool = False, skew: timedelta
    ) -> Held | str:
        return max(leases, key=lambda each: each.since)

    with mock.patch.object(storing, "holder", holder):
        yield


@contextmanager
def _nobody_s_unless_named() -> Iterator[None]:
    real = rules.holder

    def holder(
        leases: Sequence[Held], at: datetime, *, order_id: str = "", day_only: bool = False, skew: timedelta
    ) -> Held | str:
        return real(leases, at, order_id=order_id, day_only=day_only, skew=skew) if order_id else NEVER_LEASED

    with mock.patch.object(storing, "holder", holder):
        yield


@contextmanager
def _key_of_its_own() -> Iterator[None]:
    real = Deposit.refund

    def refund(
        self: Deposit, charge: Charge, *, amount: int, key: str, reason: str, back_to: BackTo | None = None
    ) -> Answer:
        return real(self, charge, amount=amount, key=f"{key}-{outside(new_id())}", reason=reason, back_to=back_to)

    with mock.patch.object(Deposit, "refund", refund):
        yield


_ASKS = scenes.named("first_asks", scenes.asks("deposit"))
_OTHER_ASKS = scenes.named("second_asks", scenes.asks("deposit", at=1))
_PAYS = scenes.named("first_pays", scenes.pays_one("sandbox"))
_BRINGS = scenes.named("brings", scenes.brings())
_TOO_MUCH = scenes.named("brings_too_much", scenes.brings(700))
_QUARTER = scenes.named("quarter_of_an_hour", scenes.later(minutes=15))
_MONTH = scenes.named("month", scenes.later(days=31))
_WEEKS = scenes.named("two_weeks", scenes.later(days=14))
_NOT_LISTED = scenes.named(
    "not_listed_for_long", scenes.ill("deposit", {"fault": "hidden", "seconds": 40 * 86_400.0, "remaining": 1})
)
_NOT_TOLD = scenes.named(
    "sent_back_untold", scenes.ill("deposit", {"fault": "timeout_after", "on": ["return"], "remaining": 1})
)

PLANTED = (
    Planted(
        "line known otherwise",
        "a line of the bank's list that is read again has another key, and is booked again",
        _line_known_otherwise,
        Hunt(
            ("deposit",),
            ("first_asks", "brings", "worker_money", "quarter_of_an_hour", "worker_money"),
            extra=(_ASKS, _BRINGS, _QUARTER),
        ),
        frozenset({"I3"}),
    ),
    Planted(
        "deposit to the next holder",
        "money to an old number goes to whoever has the number now",
        _next_holder,
        Hunt(
            ("deposit", "sandbox"),
            (
                *("first_asks", "first_pays", "worker_money", "not_listed_for_long", "brings", "month"),
                *("worker_money", "second_asks", "two_weeks", "worker_money"),
            ),
            customers=2,
            numbers=1,
            extra=(_ASKS, _OTHER_ASKS, _PAYS, _BRINGS, _NOT_LISTED, _MONTH, _WEEKS),
        ),
        frozenset({"I3"}),
    ),
    Planted(
        "nobody's unless it is named",
        "a deposit for which the bank names no order counts as nobody's, whoever had the number",
        _nobody_s_unless_named,
        Hunt(
            ("deposit", "sandbox"),
            ("first_asks", "first_pays", "worker_outbox", "brings", "worker_money"),
            extra=(_ASKS, _PAYS, _BRINGS),
        ),
        frozenset({"I3"}),
    ),
    Planted(
        "refund under a new key",
        "each try of a refund has a key of its own, so a lost answer sends the money back twice",
        _key_of_its_own,
        Hunt(
            ("deposit",),
            (
                *("first_asks", "brings_too_much", "sent_back_untold", "worker_money"),
                *("quarter_of_an_hour", "worker_outbox"),
            ),
            extra=(_ASKS, _TOO_MUCH, _NOT_TOLD, _QUARTER),
        ),
        frozenset({"I3"}),
    ),
)

"""A provider whose truth a test writes down: each order has an outcome, and every call is remembered."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar
from unittest import mock

from django.test import override_settings

from doenda.kernel import clock
from doenda.payments import providers
from doenda.payments.providers.contract import (
    Answer,
    BackTo,
    Charge,
    Moves,
    Outcome,
    PayInto,
    Provider,
    Returned,
    Ring,
)

O = Outcome  # noqa: E741 - read in tables of outcomes


@dataclass
class Truth:
    """What is so at the provider. `said`: what a question is answered; `voids`: what a void is answered."""

    said: dict[str, Answer] = field(default_factory=dict)
    starts: Outcome = O.NEEDS_REDIRECT
    voids: Answer = field(default_factory=lambda: Answer(O.GIVEN_BACK, "VOIDED"))
    refunds: Answer = field(default_factory=lambda: Answer(O.GIVEN_BACK, "REFUNDED"))
    calls: list[tuple[str, str]] = field(default_factory=list)
    refunded: dict[str, int] = field(default_factory=dict)
    ring: Ring = field(default_factory=lambda: Ring("t", "", genuine=False))


TRUTH = Truth()


class Scripted(Provider):
    name = "scripted"
    merchant = "m"
    methods: ClassVar = {
        "card": Moves.AT_CONFIRM,
        "redirect": Moves.AT_REDIRECT,
        "deposit": Moves.AT_DEPOSIT,
        "debit": Moves.AT_INSTRUCTION,
        "cash": Moves.AT_ONCE,
    }
    pauses: ClassVar = (100, 1000)
    a_person_after = timedelta(hours=6)
    exact = False
    source_unknown: ClassVar = frozenset({"deposit"})

    def __init__(self, config: Mapping[str, Any]) -> None:
        pass

    def start(self, charge: Charge) -> Answer:
        TRUTH.calls.append(("start", charge.order_id))
        into = PayInto("004", "110-22-333", "M", clock.now() + timedelta(days=3))
        return Answer(
            TRUTH.starts,
            ref=f"ref-{charge.order_id}",
            redirect_url="https://provider.example/page" if TRUTH.starts is O.NEEDS_REDIRECT else "",
            order_id=charge.order_id,
            amount=charge.amount,
            currency=charge.currency,
            merchant="m",
            pay_into=into if TRUTH.starts is O.NEEDS_DEPOSIT else None,
            secret="s3cret" if TRUTH.starts is O.NEEDS_DEPOSIT else "",
            due_at=clock.now() + timedelta(hours=30) if TRUTH.starts is O.INSTRUCTED else None,
        )

    def returned(self, query: Mapping[str, str]) -> Returned:
        return Returned()

    def inquire(self, charge: Charge) -> Answer:
        TRUTH.calls.append(("inquire", charge.order_id))
        said = TRUTH.said.get(charge.order_id, Answer(O.PENDING, "READY"))
        return replace(
            said,
            ref=said.ref or charge.ref,
            order_id=charge.order_id,
            amount=charge.amount if said.amount is None else said.amount,
            currency=charge.currency,
            merchant="m",
        )

    def confirm(self, charge: Charge, *, first_try: bool) -> Answer:
        TRUTH.calls.append(("confirm", charge.order_id))
        return self.inquire(charge)

    def void(self, charge: Charge) -> Answer:
        TRUTH.calls.append(("void", charge.order_id))
        if TRUTH.voids.outcome is O.GIVEN_BACK and charge.order_id not in TRUTH.said:
            TRUTH.said[charge.order_id] = Answer(O.GIVEN_BACK, "VOIDED")
        return TRUTH.voids

    def refund(self, charge: Charge, *, amount: int, key: str, reason: str, back_to: BackTo | None = None) -> Answer:
        TRUTH.calls.append(("refund", charge.order_id))
        if TRUTH.refunds.outcome is O.GIVEN_BACK:
            TRUTH.refunded[key] = amount
        return TRUTH.refunds

    def ring(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Ring:
        return TRUTH.ring


@contextmanager
def scripted() -> Iterator[Truth]:
    """The house with this provider beside the sandbox."""
    from django.conf import settings

    fresh = Truth()
    classes = {"scripted": f"{__name__}.Scripted"}
    entries = {**settings.DOENDA_PROVIDERS, "scripted": {}}
    with (
        mock.patch.dict(providers._CLASSES, classes),
        override_settings(DOENDA_PROVIDERS=entries),
        mock.patch(f"{__name__}.TRUTH", fresh),
    ):
        providers.get.cache_clear()
        try:
            yield fresh
        finally:
            providers.get.cache_clear()

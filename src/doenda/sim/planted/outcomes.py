"""Mistakes about what an answer means: a charge's outcome, an unknown, a late or a stale one."""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING
from unittest import mock
from uuid import UUID

from django.db import connections

from doenda.billing.models import Account
from doenda.kernel import clock, outbox
from doenda.kernel.db import atomic, durable
from doenda.kernel.ids import inside
from doenda.kernel.models import OutboxRow
from doenda.payments import attempts, charge, doorbells, inquiry, moves, outcomes, refunds
from doenda.payments.models import Attempt
from doenda.payments.providers.contract import Answer, Outcome
from doenda.payments.states import OVER, State
from doenda.sim.line import Bell
from doenda.sim.planted import scenes
from doenda.sim.planted.hunting import Hunt, Planted, bent
from doenda.sim.schedule import Rates

if TYPE_CHECKING:
    from doenda.sim.world import World

NO_ANSWER = {"fault": "timeout_after", "on": ["confirm"], "remaining": 1}
SILENT = {"fault": "inquiry_down"}
MINUTE = scenes.named("a_minute", scenes.later(seconds=65))
PAYS = scenes.named("pays", scenes.pays_one("sandbox"))
ASKED = scenes.named("inquiries", scenes.runs("inquiries"))


@contextmanager
def _timeout_means_failed() -> Iterator[None]:
    def failed(attempt: Attempt, answer: Answer) -> None:
        outcomes.refuse(attempt, Answer(Outcome.OUR_FAULT, answer.code))

    with mock.patch.object(outcomes, "_unknown", failed):
        yield


@contextmanager
def _unknown_decays() -> Iterator[None]:
    real = inquiry._conclusion

    def concluded(attempt: Attempt, answer: Answer, *, leaving: bool) -> Outcome:
        said = real(attempt, answer, leaving=leaving)
        last = attempt.state == State.UNKNOWN and attempt.asked >= 3
        return Outcome.REFUSED if said is Outcome.UNKNOWN and last else said

    with mock.patch.object(inquiry, "_conclusion", concluded):
        yield


@contextmanager
def _not_found_believed() -> Iterator[None]:
    real = inquiry._conclusion

    def concluded(attempt: Attempt, answer: Answer, *, leaving: bool) -> Outcome:
        gone = answer.outcome is Outcome.NOT_FOUND and attempt.state == State.UNKNOWN
        return Outcome.REFUSED if gone else real(attempt, answer, leaving=leaving)

    with mock.patch.object(inquiry, "_conclusion", concluded):
        yield


@contextmanager
def _webhook_believed() -> Iterator[None]:
    real = doorbells.ring

    def ring(provider: str, headers: Mapping[str, str], body: bytes) -> bool:
        heard = real(provider, headers, body)
        said = json.loads(body).get("data", {}) if heard else {}
        if said.get("status") == "DONE":
            with atomic(), mock.patch.object(outcomes, "_matches", return_value=True):
                account, attempt = moves.locked(inside(said["order_id"]))
                told = Answer(Outcome.PAID, "WEBHOOK", attempt.provider_ref or "", amount=int(said["amount"]))
                outcomes.settle(account, attempt, told, "webhook")
        return heard

    with mock.patch.object(doorbells, "ring", ring):
        yield


@contextmanager
def _late_money_dropped() -> Iterator[None]:
    real = outcomes.settle

    def settle(account: Account, attempt: Attempt, answer: Answer, cause: str) -> None:
        if attempt.state not in OVER:
            real(account, attempt, answer, cause)

    with mock.patch.object(outcomes, "settle", settle):
        yield


@contextmanager
def _excess_dropped() -> Iterator[None]:
    real = outcomes._spread

    def spread(parts: list[tuple[UUID, int]], amount: int) -> tuple[list[tuple[UUID, int]], int]:
        return real(parts, amount)[0], 0

    with mock.patch.object(outcomes, "_spread", spread):
        yield


@contextmanager
def _case_not_opened() -> Iterator[None]:
    with mock.patch.object(refunds, "open_case"):
        yield


@contextmanager
def _stale_answer() -> Iterator[None]:
    def apply(attempt: Attempt, answer: Answer, cause: str, *, row: OutboxRow | None = None) -> None:
        asked_in = attempt.state

        def work() -> None:
            account = moves.lock(attempt)
            outcomes.bring(account, attempt, answer, cause, fresh=True, asked_in=asked_in, row=row)
            if row is not None:
                outbox.finish(row)

        durable(work)

    with mock.patch.object(inquiry, "apply", apply):
        yield


@contextmanager
def _settled_again() -> Iterator[None]:
    """What was read before the transaction is trusted in it, and each time money comes it is another fact."""

    def apply(attempt: Attempt, answer: Answer, cause: str, *, row: OutboxRow | None = None) -> None:
        asked_in = attempt.state

        def work() -> None:
            account = moves.lock(attempt)
            attempt.state = asked_in
            outcomes.bring(account, attempt, answer, cause, fresh=True, asked_in=asked_in, row=row)
            if row is not None:
                outbox.finish(row)

        durable(work)

    with ExitStack() as stack:
        for module in (inquiry, outcomes, charge):
            stack.enter_context(mock.patch.object(module, "apply", apply))
        yield


@contextmanager
def _second_while_unknown() -> Iterator[None]:
    """Nobody asks whether another attempt is in flight, and the index that would refuse it was forgotten."""
    with mock.patch.object(attempts, "in_flight", return_value=None):
        _as_owner("DROP INDEX bill_one_attempt_in_flight")
        try:
            yield
        finally:
            _as_owner(
                "CREATE UNIQUE INDEX bill_one_attempt_in_flight ON payments_attemptbill (bill_id) WHERE in_flight"
            )


def _as_owner(statement: str) -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute(statement)
    connections["owner"].close()


def _letter_of_more(world: "World") -> None:
    """Somebody who has the secret rings about more money than was taken."""
    world.post.collect()
    for letter in world.post.bag:
        amount = json.loads(letter.body).get("data", {}).get("amount")
        if amount:
            driver = world.drivers[letter.provider]
            body = driver.other_amount(letter.body, amount)
            bell = driver.signed(Bell(letter.headers, letter.body), body, clock.now())
            said = world.post.deliver(replace(letter, headers=dict(bell.headers), body=body))
            world.say(f"{letter.provider} rang, telling of 1,000 won more: {said}")
            return


_DARK = scenes.named("no_answer", scenes.ill("sandbox", NO_ANSWER))
_DARKER = scenes.named("no_answer_and_silence", scenes.ill("sandbox", NO_ANSWER, SILENT))
_HIDDEN = scenes.named("carried_out_later", scenes.ill("sandbox", {"fault": "hidden", "seconds": 500, "remaining": 1}))
_NUMBER = scenes.named("asks_for_number", scenes.asks("toss"))
_PAYS_TOSS = scenes.named("pays_by_card", scenes.pays_one("toss"))
_BRINGS = scenes.named("brings", scenes.brings())
_TOO_MUCH = scenes.named("brings_too_much", scenes.brings(700))
_LEASED = scenes.named("asks_for_lease", scenes.asks("deposit"))


def _brings_and_is_heard(world: "World") -> None:
    _BRINGS(world)
    scenes.everybody_is_heard(world)


_HEARD = scenes.named("brings_and_is_heard", _brings_and_is_heard)
_ABOUT = scenes.named("asked_about", scenes.asked_about)
_MORE = scenes.named("letter_of_more", _letter_of_more)

_SANDBOX = Hunt(("sandbox",), (), extra=(_DARK, _DARKER, _HIDDEN, PAYS, MINUTE, ASKED, _MORE))
_TOSS = Hunt(("toss",), (), extra=(_NUMBER, _PAYS_TOSS, _BRINGS, _HEARD, _ABOUT))
_BANK = Hunt(("deposit",), (), extra=(_LEASED, _TOO_MUCH))

PLANTED = (
    Planted(
        "timeout means failed",
        "a charge that was not answered counts as failed (a naive shop)",
        _timeout_means_failed,
        bent(_SANDBOX, story=("no_answer", "pays")),
        frozenset({"I2", "I3"}),
    ),
    Planted(
        "unknown decays",
        "an unknown that was asked about in vain three times becomes a refusal (Hyperswitch's payment_sync)",
        _unknown_decays,
        bent(_SANDBOX, story=("no_answer_and_silence", "pays", *("a_minute", "inquiries") * 5)),
        frozenset({"I2", "I3"}),
    ),
    Planted(
        "not found believed",
        "a provider that does not know the charge yet is believed at once (GOV.UK Pay)",
        _not_found_believed,
        bent(_SANDBOX, story=("carried_out_later", "pays", "a_minute", "inquiries")),
        frozenset({"I3"}),
    ),
    Planted(
        "webhook believed",
        "the amount in a webhook is booked (CVE-2026-9189)",
        _webhook_believed,
        bent(_SANDBOX, story=("no_answer", "pays", "letter_of_more")),
        frozenset({"I2", "I3"}),
    ),
    Planted(
        "late money dropped",
        "money for an attempt that is over here is not booked any more",
        _late_money_dropped,
        bent(_TOSS, story=("asks_for_number", "pays_by_card", "brings")),
        frozenset({"I3"}),
    ),
    Planted(
        "excess dropped",
        "what was paid beyond the bill is booked nowhere",
        _excess_dropped,
        bent(_BANK, story=("asks_for_lease", "brings_too_much", "worker_money")),
        frozenset({"I3"}),
    ),
    Planted(
        "excess without a case",
        "what was paid too much becomes credit, and nobody has to give it back",
        _case_not_opened,
        bent(_BANK, story=("asks_for_lease", "brings_too_much", "worker_money")),
        frozenset({"I2"}),
    ),
    Planted(
        "stale answer overrides",
        "an answer that is older than what was concluded since is applied all the same (a paused worker)",
        _stale_answer,
        bent(
            _TOSS,
            story=("asks_for_number", "asked_about"),
            first=1,
            rates=Rates(between=0.5, trouble=0.0),
            beside={"brings_and_is_heard": 1.0},
        ),
        frozenset({"I3"}),
    ),
    Planted(
        "settled again",
        "a lost acknowledgement of the commit settles a second time: each settlement is a fact of its own",
        _settled_again,
        bent(_SANDBOX, story=("pays",), rates=Rates(lost=0.25, trouble=0.0)),
        frozenset({"I2", "I3", "I9"}),
    ),
    Planted(
        "second attempt while unknown",
        "another attempt may be charged while one is unknown",
        _second_while_unknown,
        bent(_SANDBOX, story=("no_answer_and_silence", "pays", "pays")),
        frozenset({"I2", "I4"}),
    ),
)

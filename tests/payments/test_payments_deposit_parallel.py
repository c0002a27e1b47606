"""Fifty payers at once by web, deposit and counter for one bill, while a debit of it is instructed."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from cryptography.fernet import Fernet
from django.conf import settings
from django.test import override_settings
from tests.payments.test_payments_deposit import DepositWorld, deposit_world
from tests.worlds import overdue_bill

from doenda.app.drills import parallel_pay
from doenda.app.result import Result
from doenda.billing.models import Bill
from doenda.kernel import clock, net, sweeps
from doenda.payments import providers
from doenda.payments.models import Attempt
from doenda.payments.states import State

DEBIT = {"url": "http://clearing.test", "key": "k", "proofs": ["p"], "institution": "9912345678", "branch": "0040000",
         "deposit": "1234567890"}  # fmt: skip


@contextmanager
def whole_world() -> Iterator[DepositWorld]:
    with deposit_world() as made:
        more = {**settings.DOENDA_PROVIDERS, "counter": {"merchant": "counter"}, "debit": DEBIT}
        with override_settings(DOENDA_PROVIDERS=more, DOENDA_SEALING_KEYS=[Fernet.generate_key().decode()]):
            providers.get.cache_clear()
            yield made


def scene_of(world: DepositWorld, bill: Bill) -> parallel_pay.Scene:
    def bring(number: str, amount: int, late: bool) -> bool:
        body = {"number": number, "amount": amount, "remitter": "김민수", "late": late}
        asked = net.Request("x", "POST", "http://127.0.0.1:8120/_control/deposits", {}, json.dumps(body).encode())
        return world.transport(asked).status == 200

    def truth(peer: str) -> Any:
        return world.books() if peer == "bank" else world.control(world.pool, "GET", "books")

    return parallel_pay.Scene(bill, parallel_pay.open_till(), bring, truth)


def come_to_rest(noon: clock.Frozen) -> None:
    for _ in range(4):
        sweeps.run_all()
        noon.advance(timedelta(seconds=21))


def test_fifty_at_once_pay_a_bill_exactly_once_and_the_excess_is_credit_with_a_case(
    committed_db: str, noon: clock.Frozen
) -> None:
    with whole_world() as world:
        bill = overdue_bill(88000)
        scene = scene_of(world, bill)
        debit = parallel_pay.instruct(bill)
        assert Attempt.objects.get(pk=debit).state == State.INSTRUCTED
        told = parallel_pay.storm(scene, 50)
        come_to_rest(noon)
        result = Result()
        parallel_pay.check(result, scene, debit, told)
        assert result.ok, (result.failures, result.notes)
        assert result.figures["payers"] == 50
        assert result.figures["postings_of_the_bill"] == 1
        assert result.figures["cases"] == result.figures["payments"] - 1 >= 2


def test_the_check_itself_sees_what_must_not_be(committed_db: str, noon: clock.Frozen) -> None:
    """A bill that nobody paid, a debit that still waits: the drill must not call that good."""
    with whole_world() as world:
        bill = overdue_bill(88000)
        scene = scene_of(world, bill)
        result = Result()
        parallel_pay.check(result, scene, parallel_pay.instruct(bill), Counter({"web: error X": 1}))
        assert len(result.failures) >= 4

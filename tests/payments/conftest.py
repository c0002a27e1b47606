"""Houses for whoever attacks them: each with the fakes of one way of money."""

from collections.abc import Iterator
from datetime import date

import pytest
from django.conf import LazySettings
from tests.payments import test_payments_refunds as of_refunds
from tests.payments.debit_tools import (
    DebitWorld,
    debit_world,
)
from tests.payments.payments_scripted import Truth, scripted
from tests.payments.test_payments_deposit import DepositWorld, deposit_world
from tests.worlds import World, world

from doenda.kernel import clock
from doenda.payments import providers

KIM, LEE, BOSS = "clerk:kim", "clerk:lee", "operator:park"


@pytest.fixture
def house(db: None, settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    settings.DOENDA_PROVIDERS = {**settings.DOENDA_PROVIDERS, "deposit": {}}
    monkeypatch.setitem(providers._CLASSES, "deposit", f"{of_refunds.__name__}.Fake")
    providers.get.cache_clear()
    with world() as made:
        yield made
    providers.get.cache_clear()


@pytest.fixture
def clearing(db: None, settings: LazySettings, noon: clock.Frozen) -> Iterator[DebitWorld]:
    noon.set(clock.at(date(2014, 10, 26), 12))
    with debit_world(settings) as made:
        yield made


@pytest.fixture
def pool(db: None, noon: clock.Frozen) -> Iterator[DepositWorld]:
    with deposit_world() as made:
        yield made


@pytest.fixture
def truth(db: None) -> Iterator[Truth]:
    with world(), scripted() as made:
        yield made


@pytest.fixture
def shop(db: None) -> Iterator[World]:
    with world() as made:
        yield made

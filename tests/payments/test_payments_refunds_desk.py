"""The desk: what waits for a person, with owner, deadline and age, and the commands by which a named person decides."""

import io
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from tests.payments import test_payments_refunds as world_of_refunds
from tests.payments.test_payments_refunds import BOSS, CHOI, HAN, LARGE, arrives, asked, begun, credit_of, paid
from tests.planted import ACCOUNTS
from tests.worlds import World, overdue_bill, world

from doenda.kernel import clock, sweeps
from doenda.kernel.db import atomic
from doenda.kernel.models import OutboxRow
from doenda.payments import desk, providers
from doenda.payments.counter import lists
from doenda.payments.models import Attempt
from doenda.payments.owned import to_a_person
from doenda.payments.refunds import NotAllowed
from doenda.payments.states import State


@pytest.fixture
def house(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    settings.DOENDA_PROVIDERS = {**settings.DOENDA_PROVIDERS, "deposit": {}}
    monkeypatch.setitem(providers._CLASSES, "deposit", f"{world_of_refunds.__name__}.Fake")
    providers.get.cache_clear()
    with world() as made:
        yield made
    providers.get.cache_clear()


def test_the_desk_lists_what_waits_with_owner_deadline_and_age(db: None, house: World, noon: clock.Frozen) -> None:
    attempt = paid(LARGE)
    arrives(begun(overdue_bill(number="B-3", phone="+821000001236")), 60_000)
    with atomic():
        to_a_person(attempt, "MISMATCH")
        asked(attempt)
        unknown = begun(overdue_bill(number="B-2", phone="+821000001235"))
        Attempt.objects.filter(pk=unknown.pk).update(
            state=State.UNKNOWN, in_flight=True, person_owns_at=clock.now(), reason="NO_ANSWER"
        )
        OutboxRow.objects.create(kind="close", key="x", parked_at=clock.now(), reason="never")
    noon.advance(timedelta(hours=2))
    found = desk.waiting()
    assert found["payouts"] == found["drawers"] == [], lists.__doc__
    for name in ("unknown", "attention", "cases", "approvals", "parked"):
        (item,) = found[name]
        assert item.age == timedelta(hours=2), name
        assert item.owner == "desk"
        assert not item.late or name == "unknown"
    with pytest.raises(NotAllowed, match="until it is known"):
        desk.seen_to(unknown.pk, by=BOSS, words="surely nothing")
    noon.advance(timedelta(days=4))
    assert all(item.late for items in desk.waiting().values() for item in items)


def told(*args: str) -> dict[str, Any]:
    out = io.StringIO()
    call_command(*args, "--json", stdout=out)
    said: dict[str, Any] = json.loads(out.getvalue())
    return said


def test_the_commands_list_and_act_by_a_named_person(
    db: None, house: World, monkeypatch: pytest.MonkeyPatch, noon: clock.Frozen
) -> None:
    attempt = paid(over=LARGE)
    assert told("desk", "--list", "cases")["figures"] == {"waiting": 1, "late": 0, "cases": 1}
    (row,) = told("refunds", "list")["refunds"]
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{ACCOUNTS[0]}\n"))
    call_command("refunds", "to-account", row["id"], "--by", CHOI, "--bank", "004", "--holder", "김민수")
    (row,) = told("refunds", "list")["refunds"]
    assert row["list"] == "approvals"
    with pytest.raises(CommandError, match="may not"):
        call_command("refunds", "approve", row["id"], "--by", CHOI)
    call_command("refunds", "refuse", row["id"], "--by", HAN, "--words", "wrong account")
    (row,) = told("refunds", "list")["refunds"]
    call_command("refunds", "to-source", row["id"], "--by", CHOI)
    (row,) = told("refunds", "list")["refunds"]
    call_command("refunds", "approve", row["id"], "--by", HAN)
    sweeps.run("outbox")
    assert credit_of(attempt) == 0
    assert told("refunds", "list")["refunds"] == []
    noon.advance(timedelta(days=9))
    assert told("desk")["ok"]


@pytest.mark.parametrize(
    "args",
    [
        ("refunds", "approve", "nonsense", "--by", HAN),
        ("refunds", "approve", "A" * 26, "--by", HAN),
        ("refunds", "refuse", "A" * 26, "--by", HAN, "--words", "x"),
        ("refunds", "to-source", "A" * 26, "--by", HAN),
        ("desk", "--list", "nothing"),
        ("desk", "--seen-to", "A" * 26, "--by", HAN, "--words", "x"),
    ],
)
def test_what_does_not_exist_is_named_and_changes_nothing(db: None, house: World, args: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        call_command(*args)


def test_a_late_thing_makes_the_command_fail(db: None, house: World, noon: clock.Frozen) -> None:
    paid(over=7_700)
    noon.advance(timedelta(days=4))
    with pytest.raises(SystemExit):
        call_command("desk", stdout=io.StringIO())

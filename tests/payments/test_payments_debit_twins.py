"""The set-based paths do what the rules and the single paths do: the same bills chosen, the same rows written."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from tests.payments.debit_tools import (
    KEYS,
    TUESDAY,
    DebitWorld,
    attempt_of,
    by_hand,
    customer,
    debit_world,
    item_of,
    more_bill,
    number_of,
    results,
    to_cut_off,
)

from doenda.assurance.models import Evidence, Way
from doenda.billing.models import Account, Bill, ExternalFact, Posting
from doenda.kernel import clock
from doenda.kernel.ids import new_id
from doenda.kernel.models import FactRow, OutboxRow
from doenda.notices.models import Notice
from doenda.payments import bulk
from doenda.payments.debit import instruct, policy, rules
from doenda.payments.debit.models import DebitItem, Mandate
from doenda.payments.models import Attempt, AttemptBill, AttemptMove
from doenda.payments.providers.debit.codes import AGAIN, NOT_COUNTED, WORDS
from doenda.payments.states import State

pytestmark = pytest.mark.django_db
KR = policy.in_force("KRW", TUESDAY)


@pytest.fixture
def world(db: None, noon: clock.Frozen, settings: Any) -> Iterator[DebitWorld]:
    with debit_world(settings) as made:
        noon.set(clock.at(date(2014, 10, 27), 9))
        yield made


# --- results: bulk against outcomes.apply

OF_OTHERS = {"id", "created_at", "external_id", "fact_id", "key", "account_id", "bill_id", "attempt_id", "party_id"}


def rows_of(bill: Bill) -> list[Any]:
    """Everything that an outcome wrote about the bill's account, without ids; ids inside texts are named."""
    attempt = attempt_of(bill)
    names = {str(attempt.pk): "ATTEMPT", attempt.provider_ref or "-": "REF", str(bill.account_id): "ACCOUNT"}
    names |= {str(each.pk): "MANDATE" for each in Mandate.objects.filter(account=bill.account_id)}
    names |= {str(each): f"BILL{n}" for n, each in enumerate(bills_of(bill))}
    account = {"account_id": bill.account_id}
    found: list[Any] = [list(Attempt.objects.filter(pk=attempt.pk).values())]
    found += [list(AttemptMove.objects.filter(attempt=attempt).order_by("created_at", "pk").values())]
    found += [list(Bill.objects.filter(**account).order_by("number").values())]
    found += [list(Posting.objects.filter(**account, fact_kind="payment").order_by("fact_id", "leg").values())]
    found += [list(ExternalFact.objects.filter(**account, kind="payment").values())]
    found += [list(Evidence.objects.filter(**account).values())]
    found += [list(Notice.objects.filter(**account).order_by("pk").values())]
    found += [list(OutboxRow.objects.filter(**account, kind="notice").values("kind", "due_at", "account_id"))]
    facts = FactRow.objects.filter(**account).exclude(kind="billing.bill_imported").order_by("kind", "created_at")
    found += [list(facts.values("kind", "data", "account_id"))]
    found += [list(DebitItem.objects.filter(**account).values("state", "code", "amount", "day", "result_at"))]
    found += [list(Mandate.objects.filter(**account).values("state", "reason", "ended_at"))]
    return [[{key: plain(key, value, names) for key, value in row.items()} for row in rows] for rows in found]


def bills_of(bill: Bill) -> list[UUID]:
    return list(Bill.objects.filter(account=bill.account_id).order_by("number").values_list("pk", flat=True))


def plain(key: str, value: Any, names: dict[str, str]) -> Any:
    if key in {"id", "number", "mandate_id", "party_id"}:
        return "-"
    text = repr(value) if isinstance(value, dict | list) else str(value)
    for ident, name in names.items():
        text = text.replace(ident, name)
    return text


@pytest.fixture
def one_by_one(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From here on nothing is plain: every result goes through `outcomes.apply`."""

    def turn() -> None:
        monkeypatch.setattr(bulk, "plain", lambda ids, states: set())
        monkeypatch.setattr(bulk, "REFUSALS", frozenset())

    return turn


@pytest.mark.parametrize(
    ("balance", "state", "word"),
    [(90_000, "open", "PAID"), (100, "open", "NO_FUNDS"), (90_000, "closed", "CLOSED_ACCOUNT")],
)
def test_a_result_writes_the_same_rows_in_bulk_and_one_by_one(
    world: DebitWorld,
    noon: clock.Frozen,
    one_by_one: Callable[[], None],
    balance: int,
    state: str,
    word: str,
) -> None:
    Way.objects.get_or_create(slug="web/debit/debit", channel="web", method="debit", provider="debit")
    seen = []
    for turn in (1, 101):
        noon.set(clock.at(date(2014, 10, 27), 9))
        bill = customer(turn)
        more_bill(bill, f"B-{turn}b", 700)
        world.money(number_of(turn), balance, state=state)
        if turn == 101:
            one_by_one()
        file_day(world, noon, turn)
        seen.append(rows_of(bill))
        assert item_of(bill).code == word
        assert item_of(bill).home_at is not None
    for bulk_rows, single_rows in zip(*seen, strict=True):
        assert bulk_rows == single_rows


def file_day(world: DebitWorld, noon: clock.Frozen, turn: int) -> None:
    """A cycle of the first day; the second turn has that day for itself again, its earlier file being put aside."""
    from doenda.payments.debit.models import DebitAnswer, DebitFile

    if turn == 101:
        DebitFile.objects.update(day=date(2001, 1, 1), name="OLD")
        DebitAnswer.objects.update(name="OLD", sha256="0" * 64)
        world.house.state.files.clear()
        world.house.state.done.clear()
    to_cut_off(noon)
    results(world, noon)


def test_what_is_not_plain_goes_one_by_one_and_comes_out_right(world: DebitWorld, noon: clock.Frozen) -> None:
    from doenda.billing import accounts, books, post
    from doenda.kernel.db import atomic

    plain_one, probe, double, part = (customer(index) for index in range(1, 5))
    for index in range(1, 5):
        world.money(number_of(index), 60_000)
    noon.set(clock.at(date(2014, 10, 27), 12))
    instruct.run("KRW")
    Account.objects.filter(pk=probe.account_id).update(probe=True)
    Attempt.objects.filter(pk=attempt_of(probe).pk).update(synthetic=True)
    to_cut_off(noon)
    for bill, amount in ((double, 52_300), (part, 300)):
        with atomic():
            held = accounts.lock(bill.account_id)
            post.deposit(held, amount, provider="elsewhere", fact_kind="deposit", fact_id=str(bill.pk), at=clock.now())
    results(world, noon)
    assert {attempt_of(each).state for each in (plain_one, probe, double, part)} == {"paid"}
    assert books.credit(double.account_id) + books.credit(part.account_id) == 0  # set aside for their refunds
    assert books.trial().ok
    assert not DebitItem.objects.filter(home_at=None)


# --- instruction: the query against rules.instructed_now

TRIED_WORDS = ["NO_FUNDS", "LIMIT", "CLOSED_ACCOUNT", "FILE_REFUSED", "PAID"]
tried = st.one_of(
    st.none(),
    st.lists(
        st.tuples(
            st.integers(-20, -1), st.sampled_from(["NO_FUNDS", "LIMIT", "CLOSED_ACCOUNT", "FILE_REFUSED", "PAID"])
        ),
        min_size=1,
        max_size=4,
    ),
)


def item(bill: Bill, day: date, word: str) -> None:
    attempt = Attempt.objects.create(
        account=bill.account, provider="debit", method="debit", channel="web", amount=1, currency="KRW", state="refused"
    )
    AttemptBill.objects.create(attempt=attempt, bill=bill, amount=1)
    DebitItem.objects.create(
        id=new_id(),
        attempt=attempt,
        account=bill.account,
        mandate=Mandate.objects.get(account=bill.account),
        scheme="cms",
        day=day,
        amount=1,
        state="refused",
        code=word,
    )


def expected(due: date, before: list[tuple[int, str]], today: date, terms: policy.Policy) -> date | None:
    counted = [
        (today + timedelta(days=ago), n, word) for n, (ago, word) in enumerate(before) if word not in NOT_COUNTED
    ]
    counted.sort()
    found = rules.Tried()
    if counted:
        found = rules.Tried(len(counted), counted[-1][0], counted[-1][2] in AGAIN)
    return rules.instructed_now(terms, due, found, clock.now())


_made = iter(range(1, 1_000_000))


@hypothesis_settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(due=0, before=[(-5, "NO_FUNDS"), (-5, "CLOSED_ACCOUNT")], today=9, days=())  # two on one day: the later counts
@given(due=st.integers(-40, 20), before=tried, today=st.integers(0, 25), days=st.sampled_from([(), (5, 15, 25), (28,)]))
def test_the_query_chooses_the_bills_that_the_rule_chooses(
    due: int, before: list[tuple[int, str]] | None, today: int, days: tuple[int, ...], settings: Any
) -> None:
    settings.DOENDA_SEALING_KEYS = KEYS

    with clock.freeze(clock.at(date(2014, 9, 29) + timedelta(days=today), 12)):
        now = clock.today()
        bill = customer(next(_made), days=-due)
        for ago, word in before or []:
            item(bill, now + timedelta(days=ago), word)
        terms = replace(KR, debit_days=days)
        day = rules.window(terms, clock.now())
        wanted = expected(now + timedelta(days=due), before or [], now, terms)
        chosen = bool(day and instruct.due_bills(terms, day, [bill.account_id]))
        assert chosen == (wanted is not None), (due, before, days, now)


def test_instructing_in_bulk_writes_what_one_customers_choice_writes(world: DebitWorld, noon: clock.Frozen) -> None:
    noon.set(clock.at(date(2014, 10, 27), 12))
    chosen, bulky = customer(1), customer(2)
    assert by_hand(chosen).outcome == "instructed"
    assert instruct.run("KRW").debits == 1
    seen = []
    for bill in (chosen, bulky):
        names = {str(attempt_of(bill).pk): "ATTEMPT"}
        rows: list[Any] = list(Attempt.objects.filter(pk=attempt_of(bill).pk).values())
        rows += list(AttemptMove.objects.filter(attempt=attempt_of(bill)).values())
        rows += list(AttemptBill.objects.filter(attempt=attempt_of(bill)).values("amount", "in_flight"))
        rows += list(DebitItem.objects.filter(attempt=attempt_of(bill)).values())
        told = FactRow.objects.filter(account_id=bill.account_id, kind="payments.instructed")
        rows += list(told.values("kind", "data"))
        unlike = {"id", "provider_ref", "account_id", "attempt_id", "mandate_id", "created_at"}
        seen.append([{k: plain(k, v, names) for k, v in row.items() if k not in unlike} for row in rows])
    assert seen[0] == seen[1]


def test_every_word_of_the_code_table_is_a_move_that_the_state_table_allows() -> None:
    from doenda.payments.providers.contract import Outcome
    from doenda.payments.states import EDGES

    target = {
        Outcome.PAID: (State.INSTRUCTED, State.PAID),
        Outcome.REFUSED: (State.INSTRUCTED, State.REFUSED),
        Outcome.OUR_FAULT: (State.INSTRUCTED, State.OUR_FAULT),
        Outcome.UNDONE: (State.PAID, State.UNDONE),
    }
    assert {target[code.outcome] for code in WORDS.values()} <= EDGES

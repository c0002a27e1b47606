"""The sample carrier."""

import json
from collections import Counter
from datetime import date

import pytest
from django.core.management import CommandError, call_command

from doenda.billing import books, owed
from doenda.billing.models import Account, AccountRole, Bill, ImportFile, Line, Party
from doenda.demo import carrier, people, sample
from doenda.kernel import clock, net
from doenda.kernel.ids import outside

ON = date(2014, 10, 22)


class FakeSwitch:
    """Remembers what was registered."""

    def __init__(self) -> None:
        self.ids: set[str] = set()

    def __call__(self, request: net.Request) -> net.Reply:
        self.ids |= set(json.loads(request.content)["ids"])
        return net.Reply(200, {}, b"{}")


def test_the_same_numbers_give_the_same_files() -> None:
    first, again = carrier.carrier(80, 7, ON), carrier.carrier(80, 7, ON)
    assert carrier.bills_csv(first) == carrier.bills_csv(again)
    assert carrier.bills_csv(first) != carrier.bills_csv(carrier.carrier(80, 8, ON))


@pytest.mark.parametrize("on", [date(2014, 1, 1), date(2014, 3, 1), date(2016, 2, 29), date(2026, 12, 31)])
def test_dates_fit_on_every_day_of_the_year(on: date) -> None:
    made = carrier.carrier(300, 1, on)
    for customer in made.customers:
        dues = [bill.due for bill in customer.bills]
        assert dues == sorted(set(dues))
        for bill in customer.bills:
            assert bill.paid_on is None or bill.paid_on < on
            assert bill.bill_date <= bill.due
    hero = made.customers[0]
    assert [bill.due < on for bill in hero.bills] == [True, True]
    assert (hero.bills[1].amount, hero.bills[1].paid_on) == (52_300, None)


def test_about_one_in_seven_is_overdue_at_many_ages() -> None:
    made = carrier.carrier(1000, 2014, ON)
    late = [bill for c in made.customers for bill in c.bills if bill.paid_on is None and bill.due < ON]
    accounts = {c.account for c in made.customers for bill in c.bills if bill in late}
    assert 120 <= len(accounts) <= 180
    assert len({(ON - bill.due).days for bill in late}) >= 8
    assert len({number for c in made.customers for number in c.lines}) == sum(len(c.lines) for c in made.customers)


def test_nobody_gets_a_number_that_somebody_could_have() -> None:
    assert people.phone(51_234) == "010-0005-1234"
    assert all(n.startswith("010-0") for c in carrier.carrier(200, 3, ON).customers for n in c.lines)
    with pytest.raises(ValueError, match="ten million"):
        people.phone(10_000_000)


def test_the_sample_goes_through_the_import_and_the_books_agree(db: None, noon: clock.Frozen) -> None:
    switch, said = FakeSwitch(), list[str]()
    with net.using(switch):
        loaded = sample.load(60, 5, say=said.append)
    assert (loaded.accounts, loaded.again) == (60, False)
    assert Account.objects.count() == 60
    assert loaded.bills == Bill.objects.count() >= 60
    assert loaded.payments == Bill.objects.filter(state="settled").count() > 10
    assert switch.ids == {outside(pk) for pk in Line.objects.values_list("pk", flat=True)}
    assert books.trial().ok
    assert len(said) == 3
    hero = Account.objects.get(number="D0000001")
    assert [bill.remaining for bill in owed.overdue(hero.pk, ON)] == [52_300]
    assert Party.objects.get(name="김민수").phone == "+821000001234"


def test_a_second_load_does_nothing(db: None, noon: clock.Frozen) -> None:
    with net.using(FakeSwitch()):
        sample.load(20, 5)
        before = [model.objects.count() for model in (Account, Bill, Line, AccountRole, Party)]
        again = sample.load(500, 6, date(2020, 1, 1))
    assert again.again
    assert again.accounts == 20
    assert [model.objects.count() for model in (Account, Bill, Line, AccountRole, Party)] == before
    assert ImportFile.objects.filter(accepted=False).count() == 0


def test_a_load_that_stopped_halfway_is_finished(db: None, noon: clock.Frozen) -> None:
    made = carrier.carrier(20, 5, ON)
    sample._import(carrier.bills_csv(made), "bills", f"{sample.NAME} 20 5 {ON}")
    switch = FakeSwitch()
    with net.using(switch):
        loaded = sample.load()
    assert loaded.payments == Bill.objects.filter(state="settled").count() > 0
    assert len(switch.ids) == Line.objects.count()


def test_a_parent_pays_for_a_child_and_a_company_has_five_lines(db: None, noon: clock.Frozen) -> None:
    with net.using(FakeSwitch()):
        sample.load(10)
    child = Party.objects.get(name="박하준")
    use = AccountRole.objects.get(party=child)
    assert (use.role, use.line and use.line.number) == ("user", "+821000003002")
    roles = Counter(AccountRole.objects.filter(account=use.account).values_list("role", flat=True))
    assert roles == {"holder": 1, "payer": 1, "legal_rep": 1, "user": 1}
    assert Line.objects.filter(account__number="D0000004").count() == 5


def test_without_a_switch_the_sample_is_loaded_all_the_same(
    db: None, noon: clock.Frozen, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(request: net.Request) -> net.Reply:
        raise net.NotSent("refused")

    monkeypatch.setattr(sample, "SWITCH_PATIENCE", -1.0)
    said = list[str]()
    with net.using(nobody):
        assert sample.load(10, say=said.append).registered is None
    assert "does not answer" in said[-1]
    assert Account.objects.count() == 10


def test_the_command_works_in_the_demo_only(db: None) -> None:
    with pytest.raises(CommandError, match="DOENDA_DEMO"):
        call_command("demo_sample")

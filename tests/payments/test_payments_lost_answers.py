"""The answer to COMMIT is lost: what is done says so, and nobody is told that it was not allowed, or was a copy."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.payments.recon_tools import bill as bill_of
from tests.payments.recon_tools import camt, entry, statement
from tests.payments.test_payments_deposit import DepositWorld, agree, begin, deposit_world, number_of, run
from tests.payments.test_payments_deposit_statements import line as bank_line
from tests.payments.test_payments_deposit_statements import write
from tests.worlds import overdue_bill

from doenda.billing.models import ImportFile
from doenda.kernel import clock
from doenda.kernel.database import seam
from doenda.payments.deposits import arrivals, desk, posting, statements
from doenda.payments.deposits.models import DepositLine
from doenda.payments.reconciliation import queue
from doenda.payments.reconciliation.models import ReconLine
from doenda.payments.reconciliation.statements import take

KIM = "agent:kim"


@pytest.fixture
def bank(committed_db: str, noon: clock.Frozen) -> Iterator[DepositWorld]:
    with deposit_world() as made:
        yield made


def test_a_deposit_that_a_person_gave_to_its_account_was_given(bank: DepositWorld) -> None:
    bill = overdue_bill()
    for amount in (52300, 700):
        bank.deposit("088900000099", amount, late=True)
    run()
    mine, other = desk.parked()
    with seam.unacknowledged():
        desk.assign(mine.line_id, bill.account_id, by=KIM)
    with seam.unacknowledged():
        assert desk.send_back(other.line_id, by=KIM)
    run()
    bill.refresh_from_db()
    assert (bill.state, bank.at_pool()) == ("settled", 52300)
    agree(bank)


def test_deposits_that_were_posted_are_counted(bank: DepositWorld) -> None:
    bank.deposit(number_of(begin(overdue_bill())), 52300)
    arrivals.sweep(0)
    with seam.unacknowledged():
        assert posting.post(10) == 1
    assert DepositLine.objects.get().state == "posted"


@pytest.mark.parametrize("good", [True, False])
def test_a_statement_of_deposits_is_taken_or_refused_once(bank: DepositWorld, tmp_path: Path, good: bool) -> None:
    path = write(tmp_path, bank_line("088900000099", amount="700" if good else "seven"))
    with seam.unacknowledged():
        taken = statements.take_in(path, "shinhan")
    assert (taken.ok, taken.again) == (good, False)
    assert ImportFile.objects.get().pk == taken.file.pk


@pytest.mark.parametrize("good", [True, False])
def test_a_statement_is_taken_or_refused_once(
    committed_db: str, noon: clock.Frozen, tmp_path: Path, good: bool
) -> None:
    path = camt(tmp_path / "s.xml", statement(entry(), closing=52300 if good else 1))
    with seam.unacknowledged():
        taken = take(path)
    assert (taken.ok, taken.again, len(taken.runs)) == (good, False, int(good))
    assert ImportFile.objects.get().pk == taken.file.pk


def test_a_line_that_a_person_accepted_was_accepted(committed_db: str, noon: clock.Frozen, tmp_path: Path) -> None:
    owed = bill_of("B-000001")
    take(camt(tmp_path / "s.xml", statement(entry(text="B-000001"), closing=52300)))
    with seam.unacknowledged():
        assert queue.accept(ReconLine.objects.get().pk, by=KIM).posted == 52300
    owed.refresh_from_db()
    assert owed.state == "settled"

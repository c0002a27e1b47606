"""The bench of deposits, without its clock: every line comes home, and the check tells when one did not."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from doenda.app.benches import cpu, deposit_check, deposit_rows, pay_rows
from doenda.app.result import Result
from doenda.assurance.ways import ensure_ways
from doenda.kernel import sweeps
from doenda.kernel.db import atomic
from doenda.payments.deposits import bulk, statements
from doenda.payments.deposits.models import DepositLine
from doenda.payments.models import Refund


@pytest.fixture
def quiet_bank(committed_db: str) -> Iterator[None]:
    with deposit_rows.quiet_bank():
        ensure_ways()
        pay_rows.prove_way(deposit_rows.WAY)
        yield


def test_a_statement_of_many_deposits_comes_home_with_everything_that_belongs_to_it(
    quiet_bank: None, tmp_path: Path
) -> None:
    payers = deposit_rows.stock("TEST", 60, 3, tmp_path)
    assert statements.take_in(payers.statement, deposit_rows.MAPPING).ok
    assert sweeps.run("deposits") == 60
    result = Result()
    deposit_check.check(result, payers)
    assert result.ok, result.failures
    assert Refund.objects.filter(of_credit=True).count() == 3, "what was too much is on its way back"


def test_the_check_tells_a_line_that_did_not_come_home(
    quiet_bank: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    payers = deposit_rows.stock("TEST", bulk.FROM + 1, 0, tmp_path)
    statements.take_in(payers.statement, deposit_rows.MAPPING)
    lost = DepositLine.objects.order_by("pk").first()
    assert lost is not None
    with atomic():
        DepositLine.objects.filter(pk=lost.pk).update(state=DepositLine.State.NOTED)
    sweeps.run("deposits")
    result = Result()
    deposit_check.check(result, payers)
    assert f"{payers.count} lines posted should be there, {bulk.FROM} are (TEST)" in result.failures


def test_the_peak_of_memory_is_of_what_happened_since() -> None:
    before = cpu.Memory().peak_mb
    memory = cpu.Memory()
    held = bytearray(64 * 1024 * 1024)
    assert memory.peak_mb > before + 50 or not before
    del held

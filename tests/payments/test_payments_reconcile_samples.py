"""Statement files that others made: each is taken in with its totals proven, or refused for a reason that holds."""

from pathlib import Path

import pytest

from doenda.billing.models import ImportFile
from doenda.kernel import clock
from doenda.payments.models import ReconLine, ReconRun
from doenda.payments.reconciliation import statements

SAMPLES = Path(__file__).parent / "samples"
EXPECTED: dict[str, tuple[int, int] | str] = {
    "mock_bank/camt.053.001.08-query-farm.xml": (1, 1),
    "mock_bank/camt.053.001.08-sepa-statement.xml": "row 1, Stmt[1]/Bal: opening 125000000 and 2 lines come to",
    "mock_bank/camt.054.001.08-notification.xml": "row 1, Ntfctn[1]: one statement of one account has one cur",
    "mock_bank/camt.054.001.08-query-farm.xml": "row 1, Ntfctn[1]/Ntry[1]/BookgDt: is missing in a booked e",
    "mt940/betterplace/amount_formats.sta": "row 1, line: belongs to no field of a statement",
    "mt940/betterplace/currency_in_25.sta": "row 1, line: belongs to no field of a statement",
    "mt940/betterplace/empty_86.sta": "row 1, line: belongs to no field of a statement",
    "mt940/betterplace/empty_entry_date.sta": "row 1, line: belongs to no field of a statement",
    "mt940/betterplace/empty_line.sta": "row 2, :25:: is missing: the statement is not whole",
    "mt940/betterplace/missing_crlf_at_end.sta": "row 1, line: belongs to no field of a statement",
    "mt940/betterplace/sepa_mt9401.sta": (26, 97),
    "mt940/betterplace/sepa_snippet.sta": "row 55, :62F:: opening -197043187 and 7 lines come to -447",
    "mt940/betterplace/sepa_snippet_broken.sta": "row 6, :25:: stands in this statement already, in line 2",
    "mt940/betterplace/with_binary_character.sta": (2, 4),
    "mt940/cmxl/account_balance_credit.sta": "row 1, line: belongs to no field of a statement",
    "mt940/cmxl/account_balance_debit.sta": "row 1, line: belongs to no field of a statement",
    "mt940/cmxl/account_identification_iban.sta": "row 1, line: belongs to no field of a statement",
    "mt940/cmxl/account_identification_legacy.sta": "row 1, line: belongs to no field of a statement",
    "mt940/cmxl/available_balance.sta": "row 1, line: belongs to no field of a statement",
    "mt940/cmxl/closing_balance.sta": "row 1, line: belongs to no field of a statement",
    "mt940/cmxl/mt940.sta": (3, 16),
    "mt940/cmxl/reference.sta": "row 1, :25:: is missing: the statement is not whole",
    "mt940/cmxl/statement_details.sta": "row 1, line: belongs to no field of a statement",
    "mt940/cmxl/statement_line.sta": "row 1, line: belongs to no field of a statement",
    "mt940/cmxl/statement_number.sta": "row 1, line: belongs to no field of a statement",
    "mt940/jejik/abnamro.sta": "row 27, :62F:: opening 323628 and 8 lines come to 291484,",
    "mt940/jejik/generic.sta": (2, 2),
    "mt940/jejik/ing.sta": "row 26, :62F:: opening 0 and 7 lines come to -4559, in min",
    "mt940/jejik/knab.sta": "row 20, :62F:: opening 305898 and 2 lines come to -370102,",
    "mt940/jejik/postfinance.sta": "row 27, :62F:: opening 22920 and 2 lines come to 15940, in",
    "mt940/jejik/rabobank-iban.sta": (2, 4),
    "mt940/jejik/rabobank.sta": "row 11, :62F:: opening 47317 and 1 lines come to -74011, i",
    "mt940/jejik/sns.sta": (2, 2),
    "mt940/jejik/triodos.sta": "row 12, :62F:: opening 497509 and 2 lines come to 425939,",
    "mt940/mBank/mt940.sta": (1, 3),
    "mt940/mBank/mt942.sta": "row 7, :61:: stands before the opening balance",
    "mt940/mBank/with_newline_in_tnr.sta": "row 19, :62F:: opening 46 and 2 lines come to 8946, in min",
    "mt940/sberbank/171011_01234945.sta": (1, 3),
    "mt940/self-provided/details_60-63.sta": "row 12, :62F:: opening 1234512 and 1 lines come to 1211197",
    "mt940/self-provided/empty_non_swift.sta": "row 1, file: the form of this file cannot be seen",
    "mt940/self-provided/february_30.sta": (1, 1),
    "mt940/self-provided/gv_codes.sta": "row 7, :62F: or :62M:: is missing: the statement is not wh",
    "mt940/self-provided/invalid_statement.sta": "row 1, file: the form of this file cannot be seen",
    "mt940/self-provided/long_statement_number.sta": (1, 0),
    "mt940/self-provided/malformed_details.sta": "row 15, :62F:: opening 1234512 and 1 lines come to 1211197",
    "mt940/self-provided/mt942.sta": "row 7, :61:: stands before the opening balance",
    "mt940/self-provided/overly_long_details.sta": "row 15, :62F:: opening 1234512 and 1 lines come to 1211197",
    "mt940/self-provided/raiffeisen-cmi.sta": "row 40, :62F:: opening 2517063710 and 7 lines come to 2415",
    "mt940/self-provided/raphaelm.sta": "row 27, :62M:: not a currency code of ISO 4217",
    "mt940/self-provided/sparkassen.sta": "row 1, line: belongs to no field of a statement",
    "mt940/self-provided/transaction_details_wrapped.sta": (1, 1),
    "mt940/self-provided/whitespace.sta": "row 9, :62F:: opening 1234512 and 1 lines come to 1211197,",
    "mt940/self-provided/wrapped_timestamp.sta": (1, 1),
    "mt940js/test-with-NS.mt940x": (2, 4),
    "mt940js/test1.mt940": "row 2, statement 2: it opens with 305898 (minor units), bu",
    "mt940js/test2.mt940x": (2, 4),
    "mt940js/testX.mt940": "row 13, line: belongs to no field of a statement",
    "okane/test1.xml": "row 1, Stmt[1]/TxsSummry/TtlDbtNtries/Sum: booked entries",
    "okane/test2.xml": "row 1, Stmt[1]/Bal: opening 100000 and 6 lines come to 300",
}
"""By file: statements and lines; or why it is refused."""


def test_every_file_is_known_here() -> None:
    files = {each.relative_to(SAMPLES).as_posix() for each in SAMPLES.rglob("*") if each.is_file()}
    assert {each for each in files if not each.rpartition("/")[2].startswith(("LICENSE", "README", "."))} == set(
        EXPECTED
    )


@pytest.mark.django_db
@pytest.mark.parametrize("name", EXPECTED)
def test_a_file_of_others_is_accounted_for_to_its_last_line(name: str, noon: clock.Frozen) -> None:
    expected = EXPECTED[name]
    taken = statements.take(SAMPLES / name)
    if isinstance(expected, str):
        assert not taken.ok
        first = taken.report.problems[0]
        assert f"row {first.row}, {first.column}: {first.reason}".startswith(expected)
        assert not ReconLine.objects.exists()
        assert not ReconRun.objects.exists()
        assert ImportFile.objects.get(accepted=False).report["problems"]
        return
    assert taken.ok, taken.report.problems
    assert (len(taken.runs), sum(run.lines for run in taken.runs)) == expected
    lines = list(ReconLine.objects.all())
    assert len(lines) == expected[1]
    assert all(line.state == "parked" and line.reason and line.owner and line.due_at for line in lines)
    for run in taken.runs:
        mine = [line for line in lines if line.run_id == run.pk]
        total = sum(line.amount if line.kind == "in" else -line.amount for line in mine)
        assert total == run.their_total == run.difference
        if run.closing is not None:
            assert run.opening is not None
            assert run.opening + total == run.closing
    assert statements.take(SAMPLES / name).again, "the very same file once more is ignored whole"
    assert ReconLine.objects.count() == expected[1]


@pytest.mark.django_db
def test_no_account_number_of_others_is_kept_in_clear(noon: clock.Frozen) -> None:
    statements.take(SAMPLES / "mt940/mBank/mt940.sta")
    told = "".join(str(line.told) + line.reference for line in ReconLine.objects.all())
    assert "56114010810000267002001001" not in told
    assert "…1001" in told

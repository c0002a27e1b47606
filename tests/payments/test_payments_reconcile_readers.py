"""Our own statement files, good and broken: what is wrong refuses the whole, and names its place."""

from datetime import date
from pathlib import Path

import pytest
from tests.payments.recon_tools import DAY, balance, camt, entry, mt940, part, statement

from doenda.billing.imports import decode
from doenda.billing.imports.report import Refused
from doenda.payments.reconciliation.lines import Statement
from doenda.payments.reconciliation.readers import camt as camts
from doenda.payments.reconciliation.readers import mt940 as mts
from doenda.payments.reconciliation.readers import table

HEAD = "at,in,out,balance,account,id,name,text\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "statement"


def one(path: Path) -> Statement:
    (found,) = camts.read(path)
    return found


def wrong(path: Path) -> str:
    with pytest.raises(Refused) as refused:
        camts.read(path)
    first = refused.value.report.problems[0]
    return f"{first.column}: {first.reason}"


def mt(path: Path) -> list[Statement]:
    return mts.read(decode.inspect(path, 10**7))


def mt_wrong(path: Path) -> str:
    with pytest.raises(Refused) as refused:
        mt(path)
    return str(refused.value.report.problems[0])


def test_a_batch_is_a_line_for_each_transaction(file: Path) -> None:
    details = part("52300", e2e="A1111") + part("40000", e2e="B2222") + part("2300", e2e="C3333", side="DBIT")
    found = one(camt(file, statement(entry("90000", ref="R1", details=details), closing=90000)))
    assert [(line.kind, line.amount, line.reference) for line in found.lines] == [
        ("in", 52300, "A1111"),
        ("in", 40000, "B2222"),
        ("out", 2300, "C3333"),
    ]
    assert len({line.ident for line in found.lines}) == 3


def test_a_batch_that_does_not_come_to_its_entry_is_refused(file: Path) -> None:
    made = camt(file, statement(entry("90000", details=part("52300") + part("40000")), closing=90000))
    assert wrong(made) == "Stmt[1]/Ntry[1]/NtryDtls: the transactions do not come to 90000"


def test_what_the_bank_kept_leaves_a_batch_as_one_line(file: Path) -> None:
    details = (
        part("52300")
        + part("40000")
        + "<TxDtls><Chrgs><TtlChrgsAndTaxAmt Ccy='KRW'>300</TtlChrgsAndTaxAmt></Chrgs></TxDtls>"
    )
    found = one(camt(file, statement(entry("92000", details=details), closing=92000)))
    assert [(line.amount, line.told["batch"]) for line in found.lines] == [(92000, 3)]


def test_what_is_pending_is_not_booked_and_is_counted(file: Path) -> None:
    pending = entry("700", status="PDNG")
    found = one(camt(file, statement(entry(), pending, closing=52300)))
    assert (len(found.lines), found.pending) == (1, 1)
    assert "off by 700" in wrong(camt(file, statement(entry(), pending, closing=53000)))


def test_a_reversal_goes_the_other_way_and_says_so(file: Path) -> None:
    found = one(camt(file, statement(entry(), entry(side="DBIT", reversal="true"), closing=0)))
    assert [(line.kind, line.undoes) for line in found.lines] == [("in", False), ("out", True)]


def test_the_same_amount_twice_on_a_day_is_two_lines(file: Path) -> None:
    twins = [entry(e2e="NOTPROVIDED"), entry(e2e="NOTPROVIDED"), entry(ref="SAME"), entry(ref="SAME")]
    found = one(camt(file, statement(*twins, closing=209200)))
    assert len({line.ident for line in found.lines}) == 4


def test_several_statements_of_several_accounts_and_currencies_in_one_file(file: Path) -> None:
    cents = statement(entry("12.34", code="EUR"), closing=0, code="EUR", account="X2").replace(
        balance("CLBD", 0, "EUR"), balance("CLBD", 0, "EUR").replace(">0<", ">12.34<")
    )
    dinar = statement(entry("1.234", code="JOD"), closing=0, code="JOD", account="X3").replace(
        balance("CLBD", 0, "JOD"), balance("CLBD", 0, "JOD").replace(">0<", ">1.234<")
    )
    found = camts.read(camt(file, statement(entry(), closing=52300), cents, dinar))
    assert [(each.currency, each.total) for each in found] == [("KRW", 52300), ("EUR", 1234), ("JOD", 1234)]


def test_the_second_statement_follows_on_the_first(file: Path) -> None:
    first = statement(entry(), closing=52300)
    second = statement(entry("700"), opening=52300, closing=53000, ident="S-2", number=2)
    assert len(camts.read(camt(file, first, second))) == 2
    later = statement(entry("700"), opening=60000, closing=60700, ident="S-4", number=4)
    assert "closed with 52300: number 2 and what follows is missing" in wrong(camt(file, first, later))
    assert "stands in this file twice" in wrong(camt(file, first, first))


@pytest.mark.parametrize("version", ["053.001.02", "053.001.04", "053.001.08", "053.001.13"])
def test_every_version_is_read(file: Path, version: str) -> None:
    made = statement(entry(), closing=52300).replace("<Sts>BOOK</Sts>", "<Sts><Cd>BOOK</Cd></Sts>")
    assert one(camt(file, made, version=version)).lines[0].amount == 52300


BOMB = """<?xml version='1.0'?><!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;">]>"""
GOOD = statement(entry(), closing=52300)


def amounts_to(said: str) -> str:
    return statement(entry(said), closing=52300)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD.replace(">52300<", ">52300.5<", 1), "not a whole amount of KRW"),
        (
            amounts_to("52300.5"),
            "whole",
        ),
        (
            amounts_to("52,300"),
            "not an amount",
        ),
        (
            amounts_to("5e4"),
            "not an amount",
        ),
        (
            amounts_to("-52300"),
            "less than nothing",
        ),
        (GOOD.replace("BOOK", "MAYBE"), "no status"),
        (GOOD.replace("<CdtDbtInd>CRDT</CdtDbtInd><Sts>", "<Sts>"), "neither CRDT nor DBIT"),
        (GOOD.replace(f"<BookgDt><Dt>{DAY}</Dt></BookgDt>", ""), "missing in a booked entry"),
        (GOOD.replace(f"<BookgDt><Dt>{DAY}</Dt>", "<BookgDt><Dt>2014-02-30</Dt>"), "no date"),
        (GOOD.replace("CLBD", "XPCD"), "no balance CLBD"),
        (GOOD.replace("<Id>S-1</Id>", ""), "is missing"),
        (statement(entry(), entry("1", code="USD"), closing=52300), "one currency"),
        (
            statement(
                entry(), closing=52300, more="<TxsSummry><TtlNtries><NbOfNtries>2</NbOfNtries></TtlNtries></TxsSummry>"
            ),
            "there are 1",
        ),
        (
            statement(
                entry(), closing=52300, more="<TxsSummry><TtlCdtNtries><Sum>52301</Sum></TtlCdtNtries></TxsSummry>"
            ),
            "come to 52300",
        ),
        (
            statement(entry(), closing=52300, more="<StmtPgntn><PgNb>2</PgNb><LastPgInd>true</LastPgInd></StmtPgntn>"),
            "one page of several",
        ),
        ("", "holds no statement"),
    ],
)
def test_a_message_that_does_not_hold_is_refused(file: Path, text: str, said: str) -> None:
    assert said in wrong(camt(file, text))


def test_documents_types_truncated_and_foreign_files_are_refused(file: Path) -> None:
    assert "DTDForbidden" in wrong(camt(file, GOOD, head=BOMB))
    whole = camt(file, GOOD).read_bytes()
    for cut in range(150, len(whole), 97):
        file.write_bytes(whole[:cut])
        assert "ParseError" in wrong(file)
    file.write_bytes(b"<Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.052.001.02'/>")
    assert "neither camt.053 nor camt.054" in wrong(file)
    file.write_bytes(whole.replace(b"KR1234500099", b"\xff\xfe"))
    assert "ParseError" in wrong(file)


def test_a_message_in_another_encoding_and_with_a_mark_before_it_is_read(file: Path) -> None:
    made = statement(entry(name="MÜLLER"), closing=52300)
    camt(file, made)
    text = file.read_text(encoding="utf-8")
    file.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert one(file).lines[0].name == "MÜLLER"
    file.write_bytes(text.replace("UTF-8", "ISO-8859-1").encode("latin-1"))
    assert one(file).lines[0].name == "MÜLLER"


def test_mt940_by_line_ends_marks_and_signs(file: Path) -> None:
    rows = [
        ":61:1410221022C52300,NTRFA1111//B1",
        ":86:thanks",
        ":61:141022RC300,NTRFNONREF",
        ":61:1410221022D2000,00NMSCNONREF",
    ]
    for end in ("\r\n", "\n", "\r"):
        for bom in ("", "\ufeff"):
            (found,) = mt(mt940(file, rows, closing="C141022KRW50000,", end=end, bom=bom))
            assert [(line.kind, line.amount, line.undoes) for line in found.lines] == [
                ("in", 52300, False),
                ("out", 300, True),
                ("out", 2000, False),
            ]
            assert found.lines[0].references[:1] == ("thanks",)


@pytest.mark.parametrize(
    ("row", "booked", "value"),
    [
        (":61:1412310102C1,NTRFNONREF", date(2015, 1, 2), date(2014, 12, 31)),
        (":61:1501021231C1,NTRFNONREF", date(2014, 12, 31), date(2015, 1, 2)),
        (":61:141231C1,NTRFNONREF", date(2014, 12, 31), date(2014, 12, 31)),
        (":61:9912311231C1,NTRFNONREF", date(2099, 12, 31), date(2099, 12, 31)),
    ],
)
def test_an_entry_date_over_new_year_is_of_the_right_year(file: Path, row: str, booked: date, value: date) -> None:
    (found,) = mt(mt940(file, [row], closing="C150102KRW1,"))
    assert (found.lines[0].booked_on, found.lines[0].value_on) == (booked, value)


def test_one_reference_of_two_statements_is_no_duplicate(file: Path) -> None:
    first = mt940(file, [":61:141022C5,NTRFNONREF", ":61:141022C5,NTRFNONREF"], closing="C141022KRW10,").read_bytes()
    second = mt940(file, [":61:141023C5,NTRFNONREF"], opening="C141022KRW10,", closing="C141023KRW15,").read_bytes()
    file.write_bytes(first + second)
    found = mt(file)
    assert len({line.ident for each in found for line in each.lines}) == 3


@pytest.mark.parametrize(
    ("rows", "more", "said"),
    [
        ([":61:141022C5,NTRFNONREF"], {"closing": ""}, ":62F: or :62M:: is missing"),
        ([":61:141022C5,NTRFNONREF"], {"closing": "C141022KRW6,"}, "off by 1"),
        ([":61:141022C5.5NTRFNONREF"], {}, "no type follows the amount"),
        ([":61:141022C5,5NTRFNONREF"], {}, "not a whole amount of KRW"),
        ([":61:141022C1,000,NTRFNONREF"], {}, "not an amount"),
        ([":61:14102"], {}, "not of the form"),
        ([":61:141322C5,NTRFNONREF"], {}, "month must be"),
        ([":61:141022C0,NTRFNONREF"], {}, "more than nothing"),
        (["not a field"], {}, "belongs to no field"),
        ([":99:what"], {}, "no field of this form"),
        ([":25:other"], {}, "stands in this statement already"),
        ([":61:141022C5,NTRFNONREF"], {"closing": "C141022USD5,"}, "opened in KRW"),
        ([":61:141022C5,NTRFNONREF", ":90C:2KRW5,"], {"closing": "C141022KRW5,"}, "there are 1 lines"),
        ([":61:141022C5,NTRFNONREF\x07"], {}, "control character"),
    ],
)
def test_mt940_that_does_not_hold_is_refused_by_its_line(
    file: Path, rows: list[str], more: dict[str, str], said: str
) -> None:
    assert said in mt_wrong(mt940(file, rows, **more))


def test_pages_of_mt940_follow_each_other(file: Path) -> None:
    def page(opening: str, closing: str) -> bytes:
        return mt940(file, [":61:141022C5,NTRFNONREF"], opening=opening, closing=closing).read_bytes()

    first = page("C141021KRW0,", "C141022KRW5,").replace(b":62F:", b":62M:")
    second = page("C141022KRW5,", "C141022KRW10,").replace(b":60F:", b":60M:").replace(b"1/1", b"1/2")
    file.write_bytes(first + second)
    assert [each.total for each in mt(file)] == [5, 5]
    file.write_bytes(first)
    assert "the page that follows it is missing" in mt_wrong(file)
    file.write_bytes(second)
    assert "the page before it is missing" in mt_wrong(file)


def test_a_banks_own_list_proves_itself_by_its_balance(file: Path) -> None:
    rows = ["2014-10-22T09:00:00,52300,,52300,110-1,A1,김민수,B-1", '2014-10-22T09:00:01,,"2,300",50000,110-1,A2,,fee']
    file.write_text(HEAD + "\n".join(rows), encoding="utf-8")
    (found,) = table.read(decode.inspect(file, 10**6), "plain")
    assert [(line.ident, line.kind, line.amount) for line in found.lines] == [("A1", "in", 52300), ("A2", "out", 2300)]
    assert (found.opening, found.closing) == (0, 50000)
    for bad, said in (
        ([rows[0], rows[1].replace("50000", "50001")], "come to 50000"),
        ([rows[0], rows[1].replace("110-1", "110-2")], "another account"),
        ([rows[0].replace("52300,,", "52300,1,"), rows[1]], "either this or out"),
        ([rows[0].replace("52300,,52300", "52.3,,52300"), rows[1]], "not a whole amount"),
        ([rows[0].replace("09:00:00", "9 o'clock"), rows[1]], "not of the form"),
        ([rows[0] + ",more", rows[1]], "9 fields where the header has 8"),
        ([], "holds no movement"),
    ):
        file.write_text(HEAD + "\n".join(bad), encoding="utf-8")
        with pytest.raises(Refused, match=said):
            table.read(decode.inspect(file, 10**6), "plain")


def test_a_korean_list_newest_first_without_numbers_of_its_rows(file: Path) -> None:
    head = "거래일자,거래시간,적요,출금(원),입금(원),내용,잔액(원),거래점,계좌번호\n"
    rows = [
        '2014-10-22,09:00:01,이체,0,"52,300",김민수,"104,600",본점,110-123-456789',
        '2014-10-22,09:00:01,이체,0,"52,300",김민수,"52,300",본점,110-123-456789',
    ]
    file.write_text(head + "\n".join(rows), encoding="cp949")
    (found,) = table.read(decode.inspect(file, 10**6), "account-list")
    assert (found.total, found.account, len({line.ident for line in found.lines})) == (104600, "110123456789", 2)

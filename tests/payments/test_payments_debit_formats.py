"""The record table and the files made of it; SEPA's messages. Written here, read by the house's own code, and back."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from doenda.payments.debit.formats import cms, cms_table, records, sepa
from doenda.payments.debit.formats.records import Field, Record
from doenda.payments.debit.formats.words import Head, Malformed, Order
from peers.clearing import cms as theirs
from peers.clearing import sepa as theirs_sepa

KEYS = ["newest", "older"]
DAY = date(2014, 10, 28)
AT = datetime(2014, 10, 27, 11, 30, tzinfo=UTC)
HEAD = Head("9912345678", DAY, 1)
ORDERS = [
    Order(1, "debit", "088", "110000000001", 52_300, "800101", "PAYER1", "되다텔레콤", "김민수", date(2014, 9, 1)),
    Order(2, "debit", "004", "99988877766655", 900, "", "PAYER2", "되다텔레콤", "이영희", date(2014, 9, 1)),
    Order(3, "refund", "088", "110000000003", 1_100, "", "PAYER3", "되다텔레콤", "박철수", date(2014, 9, 1)),
]
CREDITOR = {
    "name": "Doenda",
    "IBAN": "DE89370400440532013000",
    "BIC": "COBADEFFXXX",
    "creditor_id": "DE98ZZZ09999999999",
}


def written(orders: list[Order] = ORDERS, keys: list[str] = KEYS) -> bytes:
    return cms.write(HEAD, orders, branch="0040000", deposit="1234567890", keys=keys)


def answer(codes: dict[int, str] | None = None, kind: str = "EB22", key: str = "newest") -> bytes:
    rows = [
        {
            "serial": order.serial,
            "kind": cms.KINDS[order.kind],
            "bank": order.bank,
            "account": order.account,
            "amount": order.amount,
            "payer": order.payer,
            "code": (codes or {}).get(order.serial, "0000"),
        }
        for order in ORDERS
    ]
    return theirs.write(kind, ("9912345678", "2014-10-28", 1), rows, key)


def read(content: bytes, keys: list[str] = KEYS) -> object:
    return cms.read(content, institution="9912345678", keys=keys)


def signed(content: bytes) -> bytes:
    return content[:-10] + theirs.proof(content[:-10], "newest")


def test_the_three_records_of_the_table_cover_150_bytes_each_without_a_gap() -> None:
    for record in (cms_table.HEADER, cms_table.DATA, cms_table.TRAILER):
        assert sum(field.width for field in record.fields) == record.length == 150
        assert len({field.name for field in record.fields}) == len(record.fields)
    with pytest.raises(ValueError, match="starts at"):
        Record("r", 3, (Field("a", 1, 1, "text"), Field("b", 3, 1, "text")))
    with pytest.raises(ValueError, match="bytes"):
        Record("r", 3, (Field("a", 1, 2, "text"),))


def test_a_file_is_a_header_a_record_each_and_a_trailer_of_150_bytes() -> None:
    content = written()
    assert len(content) == 150 * 5
    lines = records.cut(content, 150)
    assert [line[:1] for line in lines] == [b"H", b"R", b"R", b"D", b"T"]
    assert lines[0][:33] == b"H000000009912345678EB211028141028"
    assert lines[1][:55] == b"R0000000199123456780880000110000000001    0000000052300"
    assert lines[-1][27:56] == b"00000003" + b"00000002" + b"0000000053200"


def test_the_house_reads_what_we_write() -> None:
    found = theirs.read(written(), "newest")
    assert (found.institution, found.day, found.sequence) == ("9912345678", "2014-10-28", 1)
    assert found.orders == [
        [order.serial, cms.KINDS[order.kind], order.bank, order.account, order.amount, order.payer] for order in ORDERS
    ]


def test_we_read_what_the_house_writes() -> None:
    found = cms.read(answer({2: "0021"}), institution="9912345678", keys=KEYS)
    assert (found.name, found.answers, found.head) == ("EB22-20141028-01", "results", HEAD)
    assert [(each.serial, each.done, each.code, each.amount) for each in found.results] == [
        (1, True, "0000", 52_300),
        (2, False, "0021", 900),
        (3, True, "0000", 1_100),
    ]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["debit", "refund"]),
            st.integers(1, 10**13 - 1),
            st.text("0123456789", min_size=6, max_size=16),
            st.text(min_size=0, max_size=30),
        ),
        max_size=8,
    )
)
@hypothesis_settings(max_examples=60)
def test_whatever_is_instructed_comes_through_the_file_unchanged(rows: list[tuple[str, int, str, str]]) -> None:
    orders = [
        Order(n, "debit" if kind == "debit" else "refund", "088", number, amount, "", f"P{n}", label)
        for n, (kind, amount, number, label) in enumerate(rows, 1)
    ]
    if sum(order.amount for order in orders if order.kind == "debit") >= 10**13:
        with pytest.raises(ValueError, match="debit_sum"):
            written(orders)
        return
    if sum(order.amount for order in orders if order.kind == "refund") >= 10**13:
        return
    found = theirs.read(written(orders), "newest")
    assert [(row[3], row[4]) for row in found.orders] == [(order.account, order.amount) for order in orders]


def test_both_live_keys_prove_a_file_and_a_retired_one_does_not() -> None:
    read(answer(key="older"))
    with pytest.raises(Malformed) as wrong:
        read(answer(key="retired"))
    assert wrong.value.column == "mac"


def test_a_value_that_does_not_fit_is_an_error_that_does_not_repeat_it() -> None:
    for bad in (replace(ORDERS[0], account="1" * 17), replace(ORDERS[0], payer="받는사람받는사람받는사람")):
        with pytest.raises(ValueError, match=r"data\.(account|payer)") as wrong:
            written([bad])
        assert "1" * 17 not in str(wrong.value)
    with pytest.raises(ValueError, match="CP949"):
        written([replace(ORDERS[0], payer="\U0001f600")])


def test_what_the_payer_reads_is_cut_at_a_whole_letter() -> None:
    assert records.fitting("되다텔레콤 요금", 7) == "되다텔"
    assert records.fitting("a\U0001f600b\n", 16) == "ab"


WRONG = [
    ("empty", lambda c: b"", 1, "record"),
    ("a byte short", lambda c: c[:-1], 5, "record"),
    ("a byte long", lambda c: c + b" ", 6, "record"),
    ("only a trailer", lambda c: c[-150:], 1, "record"),
    ("no header", lambda c: signed(b"X" + c[1:]), 1, "kind"),
    ("other institution", lambda c: signed(c[:9] + b"1111111111" + c[19:]), 1, "institution"),
    ("other kind of file", lambda c: signed(c[:19] + b"EB99" + c[23:]), 1, "file"),
    ("other day in the name", lambda c: signed(c[:23] + b"1029" + c[27:]), 1, "file"),
    ("no such day", lambda c: signed(c[:27] + b"141032" + c[33:]), 1, "day"),
    ("sequence nought", lambda c: signed(c[:56] + b"00" + c[58:]), 1, "sequence"),
    ("letters in an amount", lambda c: signed(c[:192] + b"00000000x2300" + c[205:]), 2, "amount"),
    ("minus in an amount", lambda c: signed(c[:192] + b"-000000052300" + c[205:]), 2, "amount"),
    ("neither R nor D", lambda c: signed(c[:150] + b"X" + c[151:]), 2, "kind"),
    ("neither Y nor N", lambda c: signed(c[:218] + b" " + c[219:]), 2, "outcome"),
    ("Y with a refusal's code", lambda c: signed(c[:219] + b"0021" + c[223:]), 2, "code"),
    ("code of letters", lambda c: signed(c[:218] + b"NABCD" + c[223:]), 2, "code"),
    ("serial twice", lambda c: signed(c[:301] + b"00000001" + c[309:]), 3, "serial"),
    ("not CP949", lambda c: signed(c[:223] + b"\xff\xff" + c[225:]), 2, "passbook"),
    ("control character", lambda c: signed(c[:223] + b"\x00 " + c[225:]), 2, "passbook"),
    ("text in a filler", lambda c: signed(c[:290] + b"x" + c[291:]), 2, "filler"),
    ("count", lambda c: signed(c[:627] + b"00000009" + c[635:]), 5, "records"),
    ("sum", lambda c: signed(c[:643] + b"0000000053201" + c[656:]), 5, "debit_sum"),
    ("count of paid", lambda c: signed(c[:656] + b"00000001" + c[664:]), 5, "paid"),
    ("sum of refunds", lambda c: signed(c[:685] + b"0000000000001" + c[698:]), 5, "refund_sum"),
    ("changed without the key", lambda c: c[:192] + b"0000000052301" + c[205:], 5, "mac"),
]


@pytest.mark.parametrize(("spoil", "line", "column"), [row[1:] for row in WRONG], ids=[str(row[0]) for row in WRONG])
def test_a_wrong_answer_is_refused_naming_line_and_column(spoil: object, line: int, column: str) -> None:
    assert callable(spoil)
    with pytest.raises(Malformed) as wrong:
        read(spoil(answer()))
    assert (wrong.value.line, wrong.value.column) == (line, column)
    assert "110000000001" not in str(wrong.value)


def test_a_missing_record_leaves_a_gap_that_is_allowed_when_the_sums_say_so() -> None:
    rows = [{"serial": 3, "kind": "R", "bank": "088", "account": "1", "amount": 5, "payer": "P", "code": "0000"}]
    found = cms.read(
        theirs.write("EB22", ("9912345678", "2014-10-28", 1), rows, "newest"), institution="9912345678", keys=KEYS
    )
    assert [each.serial for each in found.results] == [3]


@given(st.binary(max_size=700))
@hypothesis_settings(max_examples=100)
def test_no_junk_is_anything_but_malformed(junk: bytes) -> None:
    for content in (junk, answer()[:150] + junk.ljust(150)[:150] + answer()[-150:]):
        with pytest.raises(Malformed):
            read(content)
    with pytest.raises(Malformed):
        sepa.read(junk)


# --- SEPA


def sepa_orders() -> list[Order]:
    iban = ["DE02120300000000202051", "DE02500105170137075030"]
    return [
        replace(order, serial=n, bank="", account=iban[n - 1], kind="debit") for n, order in enumerate(ORDERS[:2], 1)
    ]


def sepa_rows(codes: dict[int, str] | None = None) -> list[dict[str, object]]:
    return [
        {"serial": each.serial, "amount": each.amount, "code": (codes or {}).get(each.serial, "0000")}
        for each in sepa_orders()
    ]


@pytest.mark.filterwarnings("ignore:Testing an element's truth value:DeprecationWarning")  # within sepaxml
def test_a_pain_008_fits_its_schema_and_the_house_reads_it() -> None:
    found = theirs_sepa.read(sepa.write(HEAD, sepa_orders(), creditor=CREDITOR, at=AT))
    assert (found.day, found.sequence) == ("2014-10-28", 1)
    assert [[row[0], row[3], row[4]] for row in found.orders] == [
        [1, "DE02120300000000202051", 52_300],
        [2, "DE02500105170137075030", 900],
    ]


def test_sepa_carries_no_refund_and_no_undated_mandate() -> None:
    for bad in (ORDERS[2], replace(sepa_orders()[0], signed_on=None)):
        with pytest.raises(ValueError, match="dated mandate"):
            sepa.write(HEAD, [bad], creditor=CREDITOR, at=AT)


def test_a_pain_002_says_what_was_done() -> None:
    found = sepa.read(theirs_sepa.write("SD-20141028-01", 7, sepa_rows({2: "0021"})))
    assert (found.name, found.head) == ("PS-CLR00000007", Head("", DAY, 1))
    assert [(each.serial, each.done, each.code, each.amount) for each in found.results] == [
        (1, True, "0000", 52_300),
        (2, False, "AM04", 900),
    ]


BOMB = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><Document>&b;</Document>'
LEAK = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><Document>&a;</Document>'
SEPA_WRONG = [
    ("entities", lambda c: BOMB, "document"),
    ("an outside entity", lambda c: LEAK, "document"),
    ("not XML", lambda c: c[:-5], None),
    ("other namespace", lambda c: c.replace(b"pain.002.001.03", b"pain.002.001.10"), "Document"),
    ("other message", lambda c: c.replace(b"<OrgnlMsgId>SD-", b"<OrgnlMsgId>XX-"), "OrgnlMsgId"),
    ("other kind of message", lambda c: c.replace(b"pain.008.001.02", b"pain.001.001.03"), "OrgnlMsgNmId"),
    (
        "another file's order",
        lambda c: c.replace(b"SD-20141028-01-00000002", b"SD-20141028-02-00000002"),
        "OrgnlEndToEndId",
    ),
    ("an order twice", lambda c: c.replace(b"01-00000002", b"01-00000001"), "OrgnlEndToEndId"),
    ("other currency", lambda c: c.replace(b'Ccy="EUR"', b'Ccy="USD"'), "InstdAmt"),
    ("not an amount", lambda c: c.replace(b">523.00<", b">523.001<"), "InstdAmt"),
    ("not a number", lambda c: c.replace(b">523.00<", b">NaN<"), "InstdAmt"),
    ("a sum", lambda c: c.replace(b">532.00<", b">531.00<"), "OrgnlCtrlSum"),
    ("a status nobody knows", lambda c: c.replace(b"<TxSts>ACSC", b"<TxSts>PDNG"), "TxSts"),
    ("a rejection without a reason", lambda c: c.replace(b"<TxSts>ACSC", b"<TxSts>RJCT"), "StsRsnInf"),
]


@pytest.mark.parametrize(("spoil", "column"), [row[1:] for row in SEPA_WRONG], ids=[str(row[0]) for row in SEPA_WRONG])
def test_a_wrong_pain_002_is_refused_naming_the_element(spoil: object, column: str | None) -> None:
    assert callable(spoil)
    with pytest.raises(Malformed) as wrong:
        sepa.read(spoil(theirs_sepa.write("SD-20141028-01", 7, sepa_rows())))
    assert column is None or wrong.value.column == column

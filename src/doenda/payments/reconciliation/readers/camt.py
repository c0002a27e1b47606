"""camt.053 (statements) and camt.054 (notifications) of ISO 20022, versions 001.02 and later, read strictly.

The message is read entry by entry, without document types and entities, so a large one needs no more memory than its
lines. What counts is the booked entry: pending ones are left out and counted. An entry that holds several transactions
gives a line for each of them, if they come to the entry's amount.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import BinaryIO, Literal
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException, ElementTree

from doenda.payments.reconciliation.lines import Kind, Line, Statement, numbered
from doenda.payments.reconciliation.readers import checks
from doenda.payments.reconciliation.readers.checks import refuse

_NAMESPACE = re.compile(r"urn:iso:std:iso:20022:tech:xsd:(camt\.05[34])\.001\.(\d\d)")
_BODY = {"camt.053": ("BkToCstmrStmt", "Stmt"), "camt.054": ("BkToCstmrDbtCdtNtfctn", "Ntfctn")}
_OPENING, _CLOSING = ("OPBD", "PRCD"), ("CLBD",)
_UNBOOKED = {"PDNG", "INFO", "FUTR"}
_RETURNS = {"RRTN", "UPDD", "PRDD", "ARPD", "RIMB", "RPCR", "ARET"}
_REFERENCES = (
    "Refs/EndToEndId",
    "Refs/TxId",
    "Refs/InstrId",
    "Refs/MndtId",
    "Refs/ClrSysRef",
    "Refs/Prtry/Ref",
    "RmtInf/Strd/CdtrRefInf/Ref",
    "RmtInf/Strd/RfrdDocInf/Nb",
    "RmtInf/Strd/AddtlRmtInf",
)
_SIDES: dict[str, Kind] = {"CRDT": "in", "DBIT": "out"}


class Node:
    """An element as its message names it: paths without the namespace, and its place for whoever is told.

    What is below it is laid out by path in one walk: an entry is asked for some thirty of them.
    """

    __slots__ = ("below", "element", "place", "row", "space")

    def __init__(self, element: Element, space: str, row: int, place: str) -> None:
        self.element, self.space, self.row, self.place = element, space, row, place
        self.below: dict[str, list[Element]] = {}
        _lay_out(element, f"{{{space}}}", "", self.below)

    def text(self, path: str) -> str:
        """What stands at the path, or ""."""
        found = self.below.get(path)
        return (found[0].text or "").strip() if found else ""

    def texts(self, path: str) -> list[str]:
        return [text for each in self.below.get(path, ()) if (text := (each.text or "").strip())]

    def one(self, path: str) -> "Node":
        """The element at the path. Raises Refused if there is none."""
        found = self.maybe(path)
        if found is None:
            raise refuse(self.row, f"{self.place}/{path}", "", "is missing")
        return found

    def maybe(self, path: str) -> "Node | None":
        found = self.below.get(path)
        return Node(found[0], self.space, self.row, f"{self.place}/{path}") if found else None

    def all(self, path: str) -> "list[Node]":
        found = enumerate(self.below.get(path, ()), 1)
        return [Node(each, self.space, self.row, f"{self.place}/{path}[{place}]") for place, each in found]

    def amount(self) -> tuple[int, str]:
        """This element's amount in minor units, and its currency. Raises Refused."""
        code = checks.currency(self.element.get("Ccy", ""), self.row, f"{self.place}/@Ccy")
        return checks.minor(self.element.text or "", code, self.row, self.place), code

    def side(self, path: str = "CdtDbtInd") -> Kind:
        said = self.text(path)
        if said not in _SIDES:
            raise refuse(self.row, f"{self.place}/{path}", said, "is neither CRDT nor DBIT")
        return _SIDES[said]

    def day(self, path: str) -> tuple[date, datetime | None] | None:
        """A Dt or DtTm below the path. Raises Refused for one that is neither."""
        for name in ("Dt", "DtTm"):
            if said := self.text(f"{path}/{name}"):
                try:
                    if len(said) == 10:
                        return date.fromisoformat(said), None
                    at = datetime.fromisoformat(said)
                except ValueError as error:
                    raise refuse(self.row, f"{self.place}/{path}/{name}", said, "is no date") from error
                return date.fromisoformat(said[:10]), at if name == "DtTm" else None
        return None


def _lay_out(element: Element, space: str, path: str, found: dict[str, list[Element]]) -> None:
    """Every element of the message below this one, by its path; what is of another namespace says nothing to us."""
    skip = len(space)
    for child in element:
        if child.tag.startswith(space):
            below = path + child.tag[skip:]
            found.setdefault(below, []).append(child)
            if len(child):
                _lay_out(child, space, below + "/", found)


def read(path: Path) -> list[Statement]:
    """Every statement of the message. Raises Refused, OSError."""
    found: list[Statement] = []
    try:
        with path.open("rb") as file:
            for form, node, entries in _parts(file):
                found.append(_statement(form, node, entries))
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise refuse(_line_of(error), "document", "", f"{type(error).__name__}: {error}"[:200]) from None
    if not found:
        raise refuse(1, "document", "", "holds no statement")
    return checks.linked(found)


def _line_of(error: Exception) -> int:
    position = getattr(error, "position", None)
    return int(position[0]) if position else 1


@dataclass(slots=True)
class _Entries:
    """What the entries of one statement gave while they were read; their elements are gone."""

    lines: list[Line]
    refs: list[str]
    booked: list[int]
    all: list[int]
    transactions: int = 0


def _parts(file: BinaryIO) -> Iterator[tuple[str, Node, _Entries]]:
    """Each statement with what its entries said. Entries are read and let go one by one."""
    form = space = ""
    body: tuple[str, str] = ("", "")
    depth = statements = 0
    entries = _Entries([], [], [], [])
    for event, element in ElementTree.iterparse(file, events=("start", "end"), forbid_dtd=True):
        name = element.tag.rpartition("}")[2]
        if event == "start":
            depth += 1
            if depth == 1:
                form, space = _form(element)
                body = _BODY[form]
            elif depth == 2 and name != body[0]:
                raise refuse(1, f"Document/{name}", "", f"{form} holds one {body[0]}")
            continue
        depth -= 1
        if depth == 2 and name == "GrpHdr":
            _whole(Node(element, space, 1, "GrpHdr"), "MsgPgntn")
        elif depth == 3 and name == "Ntry":
            row = len(entries.all) + 1
            _entry(Node(element, space, row, f"{body[1]}[{statements + 1}]/Ntry[{row}]"), entries)
            element.clear()
        elif depth == 2 and name == body[1]:
            statements += 1
            yield form, Node(element, space, statements, f"{body[1]}[{statements}]"), entries
            entries = _Entries([], [], [], [])
            element.clear()


def _form(root: Element) -> tuple[str, str]:
    space, _, name = root.tag.removeprefix("{").rpartition("}")
    known = _NAMESPACE.fullmatch(space)
    if name != "Document" or known is None or int(known[2]) < 2:
        raise refuse(1, "Document", space, "is neither camt.053 nor camt.054 from version 001.02 on")
    return known[1], space


def _whole(node: Node, name: str) -> None:
    """A message in several pages would have to be put together first."""
    page = node.maybe(name)
    if page is not None and (page.text("PgNb") not in {"1", "01", "001", "00001"} or page.text("LastPgInd") != "true"):
        raise refuse(node.row, page.place, page.text("PgNb"), "is one page of several: give the whole")


def _entry(node: Node, found: _Entries) -> None:
    amount, code = node.one("Amt").amount()
    if amount < 0:
        raise refuse(node.row, f"{node.place}/Amt", amount, "is less than nothing; the side says where it went")
    kind = node.side()
    signed = amount if kind == "in" else -amount
    found.all.append(signed)
    status = node.text("Sts/Cd") or node.text("Sts/Prtry") or node.text("Sts")
    if status in _UNBOOKED:
        return
    if status != "BOOK":
        raise refuse(node.row, f"{node.place}/Sts", status, "is no status of an entry that this form knows")
    found.booked.append(signed)
    if not amount:
        return  # a booked nothing moves nothing (information about charges)
    line = _line(node, kind, amount, code)
    details = node.all("NtryDtls/TxDtls")
    found.transactions += max(1, len(details))
    ref = node.text("AcctSvcrRef") or node.text("NtryRef")
    parts = _split(node, line, details) if len(details) > 1 else None
    if parts is None:
        parts = [(_detailed(line, details[0]) if len(details) == 1 else _summed(node, line, details), "")]
    for place, (part, own) in enumerate(parts, 1):
        found.lines.append(part)
        single = len(parts) == 1
        found.refs.append(ref if single else own or (f"{ref}/{place}" if ref else ""))


def _line(node: Node, kind: Kind, amount: int, code: str) -> Line:
    when = node.day("BookgDt") or node.day("ValDt")
    if when is None:
        raise refuse(node.row, f"{node.place}/BookgDt", "", "is missing in a booked entry")
    value = node.day("ValDt")
    reversal = node.text("RvslInd")
    if reversal not in {"", "true", "false", "1", "0"}:
        raise refuse(node.row, f"{node.place}/RvslInd", reversal, "is neither true nor false")
    family = [node.text(f"BkTxCd/Domn/{each}") for each in ("Cd", "Fmly/Cd", "Fmly/SubFmlyCd")]
    code_of_bank = "-".join(each for each in family if each) or node.text("BkTxCd/Prtry/Cd")
    return Line(
        ident="",
        kind=kind,
        amount=amount,
        currency=code,
        at=checks.instant(*when),
        booked_on=when[0],
        value_on=value[0] if value else None,
        provider_ref=node.text("AcctSvcrRef")[:140],
        references=tuple(node.texts("AddtlNtryInf")),
        code=code_of_bank,
        undoes=reversal in {"true", "1"} or family[2] in _RETURNS,
        place=node.place,
    )


def _split(node: Node, line: Line, details: list[Node]) -> list[tuple[Line, str]] | None:
    """A line for each transaction of a batch, with the bank's own key of it; None if they cannot be told apart.

    Raises Refused where every transaction has its amount and they do not come to the entry's.
    """
    amounts = [_amount_of(each, line.currency) for each in details]
    if None in amounts:
        return None
    kinds = [each.side() if each.text("CdtDbtInd") else line.kind for each in details]
    comes_to = sum(
        amount if kind == line.kind else -amount for amount, kind in zip(amounts, kinds, strict=True) if amount
    )
    if comes_to != line.amount:
        if node.maybe("Chrgs") or any(each.maybe("Chrgs") for each in details):
            return None  # what the bank kept stands in the entry, and only the entry is booked
        raise refuse(node.row, f"{node.place}/NtryDtls", comes_to, f"the transactions do not come to {line.amount}")
    return [
        (_detailed(replace(line, amount=amount, kind=kind), each), each.text("Refs/AcctSvcrRef"))
        for each, amount, kind in zip(details, amounts, kinds, strict=True)
        if amount
    ]


def _amount_of(each: Node, code: str) -> int | None:
    """A transaction's amount in the account's currency, if it is told."""
    for path in ("Amt", "AmtDtls/TxAmt/Amt", "AmtDtls/InstdAmt/Amt"):
        found = each.maybe(path)
        if found is not None and found.element.get("Ccy") == code:
            return found.amount()[0]
    return None


def _detailed(line: Line, node: Node) -> Line:
    """The line with what one transaction says of it. Parties' accounts are not read at all."""
    party = "Dbtr" if line.kind == "in" else "Cdtr"
    paths = [f"RltdPties/{party}/{step}" for step in ("Pty/Nm", "Nm", "Agt/FinInstnId/Nm")]
    paths += [f"RltdPties/Ultmt{party}/{step}" for step in ("Pty/Nm", "Nm")]
    found = [text for path in _REFERENCES for text in node.texts(path)]
    unstructured = node.texts("RmtInf/Ustrd")
    texts = [*found, *unstructured, "".join(unstructured), *node.texts("AddtlTxInf")]
    structured = node.text("RmtInf/Strd/CdtrRefInf/Ref") or node.text("Refs/EndToEndId")
    undone = node.maybe("RtrInf") is not None or node.text("BkTxCd/Domn/Fmly/SubFmlyCd") in _RETURNS
    return replace(
        line,
        reference=_first(structured, *found, *unstructured),
        provider_ref=node.text("Refs/AcctSvcrRef") or line.provider_ref,
        references=tuple(dict.fromkeys([*texts, *line.references])),
        name=next((name for path in paths if (name := node.text(path))), ""),
        undoes=line.undoes or undone,
        place=node.place,
    )


def _first(*texts: str) -> str:
    return next((each for each in texts if each and each.upper() not in {"NOTPROVIDED", "NOTAVAILABLE"}), "")


def _summed(node: Node, line: Line, details: list[Node]) -> Line:
    """A batch that the bank does not take apart: one line, which says of how many movements it is."""
    said = [node.text("NtryDtls/Btch/NbOfTxs"), str(len(details))]
    count = next((int(each) for each in said if each.isdigit() and int(each) > 1), 0)
    texts = [text for each in details for path in _REFERENCES[:1] for text in each.texts(path)]
    reference = node.text("NtryDtls/Btch/PmtInfId") or (line.references[0] if line.references else "")
    told = {"batch": count} if count else {}
    return replace(line, reference=reference[:140], references=(*line.references, *texts[:8]), told=told)


def _statement(form: str, node: Node, entries: _Entries) -> Statement:
    _whole(node, "StmtPgntn" if form == "camt.053" else "NtfctnPgntn")
    account = node.text("Acct/Id/IBAN") or node.text("Acct/Id/Othr/Id")
    ident, sequence = node.text("Id"), node.text("ElctrncSeqNb") or node.text("LglSeqNb")
    if not account or not ident:
        raise refuse(node.row, f"{node.place}/{'Id' if account else 'Acct/Id'}", "", "is missing")
    opening, opened_on, code = _balance(node, _OPENING)
    closing, closed_on, code_then = _balance(node, _CLOSING)
    if form == "camt.053" and (opening is None or closing is None):
        name = "OPBD or PRCD" if opening is None else "CLBD"
        raise refuse(node.row, f"{node.place}/Bal", "", f"there is no balance {name}: the statement is not whole")
    codes = {each for each in (code, code_then, node.text("Acct/Ccy")) if each} | {
        each.currency for each in entries.lines
    }
    if len(codes) > 1:
        raise refuse(node.row, node.place, " ".join(sorted(codes)), "one statement of one account has one currency")
    _summary(node, entries, next(iter(codes), ""))
    ident = f"{ident}/{sequence}" if sequence else ident
    found = Statement(
        form,
        account,
        ident[:140],
        next(iter(codes), ""),
        tuple(_keyed(ident, form, entries)),
        int(sequence) if sequence.isdigit() and int(sequence) else None,
        opening,
        closing,
        opened_on,
        closed_on,
        len(entries.all) - len(entries.booked),
    )
    return checks.sums_up(found, node.row, f"{node.place}/Bal")


def _keyed(ident: str, form: str, entries: _Entries) -> list[Line]:
    """Lines with their keys: the bank's own where it names one line alone, else their place in this statement."""
    own = checks.strong(entries.lines, entries.refs)
    told = {"statement": ident[:140], "form": form}
    lines = []
    for place, (line, ref, alone) in enumerate(zip(entries.lines, entries.refs, own, strict=True), 1):
        key = f"{line.booked_on:%Y%m%d}/{ref}" if alone else f"{ident}/{place}"
        lines.append(replace(line, ident=key[:132], told={**line.told, **told}))
    return numbered(lines)


def _balance(node: Node, kinds: tuple[str, ...]) -> tuple[int | None, date | None, str]:
    """The first kind of balance that is there: minor units (negative for a debit), its day and currency."""
    found: dict[str, Node] = {}
    for each in node.all("Bal"):
        kind = each.text("Tp/CdOrPrtry/Cd")
        if kind in kinds and kind in found:
            raise refuse(node.row, each.place, kind, "stands in this statement twice")
        found[kind] = each
    for kind in kinds:
        if kind in found:
            balance = found[kind]
            amount, code = balance.one("Amt").amount()
            when = balance.day("Dt")
            return amount if balance.side() == "in" else -amount, when[0] if when else None, code
    return None, None, ""


type _Total = tuple[Literal["", "in", "out"], str]
_TOTALS: tuple[_Total, ...] = (("", "TtlNtries"), ("in", "TtlCdtNtries"), ("out", "TtlDbtNtries"))


def _summary(node: Node, entries: _Entries, code: str) -> None:
    """The statement's own counts and sums, of what is booked or of all its entries. Raises Refused."""
    summary = node.maybe("TxsSummry")
    if summary is None or not code:
        return
    for side, name in _TOTALS:
        each = summary.maybe(name)
        if each is None:
            continue
        ways = [
            [one for one in some if not side or (one > 0) == (side == "in")] for some in (entries.booked, entries.all)
        ]
        if said := each.text("NbOfNtries"):
            counts = {str(len(way)) for way in ways} | ({str(entries.transactions)} if not side else set())
            if said.lstrip("0") not in counts - {"0"} | {""}:
                raise refuse(node.row, f"{each.place}/NbOfNtries", said, f"there are {len(ways[0])} booked entries")
        if said := each.text("Sum"):
            sums = {sum(abs(one) for one in way) for way in ways}
            if abs(checks.minor(said, code, node.row, f"{each.place}/Sum")) not in sums:
                raise refuse(node.row, f"{each.place}/Sum", said, f"booked entries come to {sum(map(abs, ways[0]))}")

"""The rules for a whole bills file, bill by bill: the pure twin of stage.CHECKS and of write.py. Used to prove those.

Given the lines and what is known, it says which problems there are, and else which bills become what.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from doenda.billing.imports import reasons
from doenda.billing.imports.lines import Staged
from doenda.kernel.money import LIMIT


@dataclass(frozen=True, slots=True)
class KnownBill:
    """A bill that we have: its account's number, its revision, and whether it was cancelled."""

    account: str
    revision: int
    cancelled: bool = False


@dataclass
class Verdict:
    """`problems` are (row, column, reason); with none of them `action` says what happens to each bill of the file."""

    problems: set[tuple[int, str, str]] = field(default_factory=set)
    action: dict[str, str] = field(default_factory=dict)
    amount: dict[str, int] = field(default_factory=dict)


def judge(lines: Iterable[Staged], currencies: Mapping[str, str], bills: Mapping[str, KnownBill]) -> Verdict:
    """`currencies` are those of the accounts that we know by number, `bills` the bills that we know by number."""
    verdict = Verdict()
    by_bill: dict[str, list[Staged]] = {}
    by_account: dict[str, list[Staged]] = {}
    for line in lines:
        by_bill.setdefault(line.common.bill, []).append(line)
        by_account.setdefault(line.common.account, []).append(line)
    for account, group in by_account.items():
        _account(verdict, group, currencies.get(account))
    for number, group in by_bill.items():
        first = group[0]
        other = next((line for line in group if line.common.head != first.common.head), None)
        if other:
            verdict.problems.add((other.row, "bill", reasons.MIXED))
            continue
        amount = sum(line.amount for line in group)
        verdict.amount[number] = amount
        _amounts(verdict, group, amount)
        if first.common.kind == "bill":
            verdict.action[number] = _known(verdict, first, bills.get(number))
        else:
            verdict.action[number] = "credit_note"
            _credit_note(verdict, first, by_bill.get(first.common.credits), bills.get(first.common.credits))
    return verdict


def _account(verdict: Verdict, group: list[Staged], known: str | None) -> None:
    first = group[0]
    other = next((line for line in group if line.common.currency != first.common.currency), None)
    if other:
        verdict.problems.add((other.row, "currency", reasons.CURRENCY_IN_FILE))
    if known is not None and known != first.common.currency:
        verdict.problems.add((first.row, "currency", reasons.CURRENCY_KNOWN))


def _amounts(verdict: Verdict, group: list[Staged], amount: int) -> None:
    first = group[0]
    if first.common.kind == "bill" and amount < 0:
        verdict.problems.add((first.row, "amount", reasons.NEGATIVE))
    if amount >= LIMIT:
        verdict.problems.add((first.row, "amount", reasons.TOO_LARGE))
    if first.common.kind == "credit_note" and amount <= 0:
        verdict.problems.add((first.row, "amount", reasons.NOTHING))
    if first.common.total is not None and first.common.total != amount:
        verdict.problems.add((first.row, "total", reasons.TOTAL))
    if first.common.kind == "bill" and amount >= 0:
        for item_class in {line.item_class for line in group}:
            of_class = [line for line in group if line.item_class == item_class]
            if sum(line.amount for line in of_class) < 0:
                verdict.problems.add((of_class[0].row, "class", reasons.CLASS_NEGATIVE))


def _known(verdict: Verdict, first: Staged, known: KnownBill | None) -> str:
    if known is None:
        return "new"
    if known.account != first.common.account:
        verdict.problems.add((first.row, "account", reasons.OTHER_ACCOUNT))
    if first.common.revision < known.revision:
        verdict.problems.add((first.row, "revision", reasons.OLDER))
        return "older"
    if first.common.revision == known.revision:
        return "unchanged"
    if known.cancelled:
        verdict.problems.add((first.row, "bill", reasons.CANCELLED))
    return "correct"


def _credit_note(verdict: Verdict, first: Staged, in_file: list[Staged] | None, known: KnownBill | None) -> None:
    here = (
        in_file is not None and in_file[0].common.kind == "bill" and in_file[0].common.account == first.common.account
    )
    if first.common.credits and not here and (known is None or known.account != first.common.account):
        verdict.problems.add((first.row, "credits", reasons.NO_BILL))

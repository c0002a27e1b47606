"""What the clearing house carried out, as a provider's feed: its answers fetched once more and read again.

What we made of an answer when it came is not looked at: a record that we lost, or booked otherwise, shows here. An
answer that was refused whole has its owner already, and says nothing.
"""

import re
from collections.abc import Sequence
from datetime import date, datetime

from doenda.kernel import clock
from doenda.kernel.ids import outside
from doenda.payments.debit import answers, house, policy
from doenda.payments.debit.formats.words import Head, Malformed, Result, ResultFile
from doenda.payments.debit.models import DebitAnswer, DebitFile, DebitItem
from doenda.payments.providers.contract import Feed, FeedLine

_DAY = re.compile(r"EB(?:22|29)-(\d{4})(\d\d)(\d\d)-\d+")


def page(since: datetime, until: datetime, cursor: str) -> Feed:
    """The movements of one answer (or none), by the day of the debit or its return; `cursor`: the answer's number."""
    after = int(cursor or 0)
    try:
        listed = house.answers(after)
        known = {row.sha256: row for row in DebitAnswer.objects.filter(sha256__in=[each.sha256 for each in listed])}
        for each in listed:
            if _passed_over(each, known.get(each.sha256), since, until):
                continue
            return Feed(_lines(answers.parse(house.fetch(each)), since, until), cursor=str(each.number))
    except house.NotNow as error:
        return Feed((), code=str(error)[:60])
    except Malformed as wrong:
        return Feed((), code=f"MALFORMED {wrong.line} {wrong.column}"[:60])
    return Feed((), cursor=str(listed[-1].number) if listed else "")


def _passed_over(listed: house.Listed, known: DebitAnswer | None, since: datetime, until: datetime) -> bool:
    """Nothing of it can be in the period: its name says another day, it came before, or it was refused whole."""
    if known is not None and (not known.accepted or known.created_at < since):
        return True
    if (named := _DAY.fullmatch(listed.name)) is None:
        return False
    try:
        at = clock.day_start(date(int(named[1]), int(named[2]), int(named[3])))
    except ValueError:
        return False
    return not since <= at < until


def _lines(read: ResultFile, since: datetime, until: datetime) -> list[FeedLine]:
    at = clock.day_start(read.head.day)
    if not since <= at < until:
        return []
    scheme = "sepa" if read.name.startswith("PS-") else "cms"
    moved = [each for each in read.results if each.done or read.answers == "returns"]
    items = _items(scheme, moved)
    lines = []
    for each in moved:
        item = items.get((each.origin, each.serial))
        back = read.answers == "returns" or each.kind == "refund"
        lines.append(
            FeedLine(
                line_id=f"{read.name}/{each.line}",
                order_id=outside(item.attempt_id) if item else "",
                ref=outside(item.pk) if item else f"{read.name}/{each.serial}",
                kind="given_back" if back else "paid",
                amount=each.amount,
                currency=policy.of_scheme(scheme, read.head.day).currency,
                at=at,
                merchant=read.head.institution,
            )
        )
    return lines


def _items(scheme: str, results: Sequence[Result]) -> dict[tuple[Head, int], DebitItem]:
    """Our debits and refunds by the file and the serial under which they were sent."""
    heads = {(each.origin.day, each.origin.sequence): each.origin for each in results}
    files = DebitFile.objects.filter(scheme=scheme, day__in={day for day, _ in heads})
    ours = {file.pk: heads[file.day, file.sequence] for file in files if (file.day, file.sequence) in heads}
    rows = DebitItem.objects.filter(file__in=list(ours), serial__in=[each.serial for each in results])
    return {(ours[row.file_id], row.serial): row for row in rows if row.file_id is not None and row.serial is not None}

"""Both sides' balances of a period, to the won, and why they differ: item by item, or the difference is unexplained.

Theirs: what a provider's list says it took less what it gave back, by its own time. Ours: what moved on the provider's
book, by the time of posting. Probes' money is balanced apart, and each currency by itself.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from doenda.payments.models import Refund
from doenda.payments.reconciliation import ours
from doenda.payments.reconciliation.models import ReconLine
from doenda.payments.reconciliation.reasons import Reason

POSTED_WITHIN = timedelta(days=2)
"""A posting's time is at most so long after its row's; and a row's key is never older than its time. So keys bound the
search from below."""
type Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Item:
    """A part of the difference (minor units, theirs less ours). `cause`: parked, timing, in_transit, by_hand, or
    unexplained; `about` names the line or the fact."""

    amount: int
    cause: str
    about: str
    words: str


@dataclass(frozen=True, slots=True)
class Balance:
    """One currency of one provider in a period. `items` come to `difference`; none of them may be unexplained."""

    currency: str
    probe: bool
    theirs: int
    ours: int
    items: tuple[Item, ...]

    @property
    def difference(self) -> int:
        return self.theirs - self.ours

    @property
    def ok(self) -> bool:
        explained = sum(item.amount for item in self.items)
        return explained == self.difference and all(item.cause != "unexplained" for item in self.items)

    def as_data(self, most: int = 100) -> dict[str, Any]:
        """For a run's row: the sums, the items' sums by cause, and the first items."""
        causes: dict[str, int] = {}
        for item in self.items:
            causes[item.cause] = causes.get(item.cause, 0) + item.amount
        shown = [[item.amount, item.cause, item.about, item.words] for item in self.items[:most]]
        head = {"currency": self.currency, "probe": self.probe, "theirs": self.theirs, "ours": self.ours}
        return head | {"causes": causes, "items": shown, "items_total": len(self.items), "ok": self.ok}


_LINES = """
    FROM payments_reconline l LEFT JOIN billing_account a ON a.id = l.account_id
    WHERE l.source = %(source)s AND l.reason <> 'NOT_AT_PROVIDER' AND l.at >= %(since)s AND l.at < %(until)s
"""
_SIGNED = "CASE WHEN l.kind = 'in' THEN l.amount ELSE -l.amount END"
_POSTINGS = """
    FROM billing_posting p
    WHERE p.id >= %(first)s AND p.at >= %(since)s AND p.at < %(until)s
      AND (p.source_book_id = ANY(%(books)s) OR p.target_book_id = ANY(%(books)s))
"""
_NET = "SUM(CASE WHEN p.target_book_id = ANY(%(books)s) THEN p.amount ELSE -p.amount END)"
_SUMS = f"""
    SELECT l.currency, COALESCE(a.probe, l.probe), SUM({_SIGNED})::bigint {_LINES} GROUP BY 1, 2
"""
_DIFFERING = f"""
    WITH theirs AS (
        SELECT split_part(l.fact_kind, '+', 1) AS kind, l.fact_id AS id, SUM({_SIGNED}) AS amount {_LINES}
          AND l.currency = %(currency)s AND COALESCE(a.probe, l.probe) = %(probe)s
          AND l.state <> 'parked' AND l.fact_id <> '' GROUP BY 1, 2
    ), ours AS (
        SELECT p.fact_kind AS kind, p.fact_id AS id, {_NET} AS amount {_POSTINGS} GROUP BY 1, 2
    )
    SELECT kind, id, COALESCE(t.amount, 0)::bigint, COALESCE(o.amount, 0)::bigint
    FROM theirs t FULL JOIN ours o USING (kind, id) WHERE COALESCE(t.amount, 0) <> COALESCE(o.amount, 0)
    ORDER BY kind, id
"""  # noqa: S608 - no text from outside
_OPEN = f"""
    SELECT l.ident, {_SIGNED}, l.state, l.reason, l.reference {_LINES}
      AND l.currency = %(currency)s AND COALESCE(a.probe, l.probe) = %(probe)s
      AND (l.state = 'parked' OR l.fact_id = '') ORDER BY l.at, l.ident
"""
_UNMATCHED = f"""
    SELECT p.fact_kind, p.fact_id, {_NET}::bigint, MIN(p.at) {_POSTINGS}
      AND NOT EXISTS (
        SELECT FROM payments_reconline l WHERE l.fact_kind = p.fact_kind AND l.fact_id = p.fact_id
          AND l.source = %(source)s AND l.state = 'matched')
    GROUP BY 1, 2 ORDER BY 4
"""  # noqa: S608 - no text from outside


def source_of(provider: str) -> str:
    return f"feed:{provider}"


def of(provider: str, since: datetime, until: datetime, *, expected: Iterable[Key] = ()) -> list[Balance]:
    """The balances of a period as the rows stand now. `expected`: facts that the provider need not have told yet."""
    window = _window(provider, since, until)
    theirs = {(currency, probe): amount for currency, probe, amount in _rows(_SUMS, window)}
    found = []
    for probe in (False, True):
        books = ours.book_ids(provider, probe=probe)
        for currency in sorted({*books.values(), *(each for each, apart in theirs if apart is probe)}):
            mine = [book for book, each in books.items() if each == currency]
            asked = window | {"books": mine, "currency": currency, "probe": probe}
            items = (*_open_lines(asked), *_explained(provider, asked, set(expected)))
            total = _rows(f"SELECT COALESCE({_NET}, 0)::bigint {_POSTINGS}", asked)[0][0]
            found.append(Balance(currency, probe, theirs.get((currency, probe), 0), total, items))
    return found


def unmatched(provider: str, since: datetime, until: datetime) -> list[tuple[Key, int, datetime]]:
    """Facts on the provider's books in a period that none of its lines is: their net (minor units) and time."""
    window = _window(provider, since, until) | {"books": list(ours.book_ids(provider))}
    return [((kind, fact_id), net, at) for kind, fact_id, net, at in _rows(_UNMATCHED, window)]


def _window(provider: str, since: datetime, until: datetime) -> dict[str, Any]:
    return {"source": source_of(provider), "since": since, "until": until, "first": _floor(since - POSTED_WITHIN)}


def _floor(at: datetime) -> UUID:
    """The smallest key of that millisecond."""
    return UUID(int=max(0, int(at.timestamp() * 1000)) << 80)


def _rows(sql: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, dict(parameters))
        return list(cursor.fetchall())


def _open_lines(asked: Mapping[str, Any]) -> Iterable[Item]:
    """Lines that stand for no fact of ours."""
    for ident, amount, state, reason, reference in _rows(_OPEN, asked):
        cause = "parked" if state == "parked" else "by_hand"
        yield Item(amount, cause, f"line {ident}", f"{reason or 'settled'} {reference}".strip())


def _explained(provider: str, asked: Mapping[str, Any], expected: set[Key]) -> Iterable[Item]:
    differing = {(kind, fact_id): (theirs, mine) for kind, fact_id, theirs, mine in _rows(_DIFFERING, asked)}
    if not differing:
        return
    whole = _wholes(provider, differing)
    groups: dict[Key, tuple[int, list[Key]]] = {}
    for key, (theirs, mine) in differing.items():
        amount, members = groups.get(whole.get(key, key), (0, []))
        groups[whole.get(key, key)] = (amount + theirs - mine, [*members, key])
    words = _Words(provider, asked, [key for _, members in groups.values() for key in members], expected)
    for amount, members in groups.values():
        if amount:
            yield words.item(amount, members, differing)


def _wholes(provider: str, keys: Iterable[Key]) -> dict[Key, Key]:
    """Facts that only together say what went back: a failed refund and its try, a part and the whole it became."""
    ids = [UUID(fact_id) for kind, fact_id in keys if kind in {ours.REFUND, ours.FAILED, ours.MERGED}]
    refunds = {str(each.pk): each for each in Refund.objects.filter(pk__in=ids).select_related("attempt")}
    found: dict[Key, Key] = {}
    for kind, fact_id in keys:
        refund = refunds.get(fact_id)
        if kind == ours.GIVEN_BACK:
            found[kind, fact_id] = ("whole", fact_id)
        elif refund is None:
            continue
        elif kind == ours.MERGED or (kind == ours.REFUND and not refund.of_credit):
            found[kind, fact_id] = ("whole", refund.attempt.fact_id)
        elif kind in {ours.REFUND, ours.FAILED}:
            found[kind, fact_id] = (ours.REFUND, fact_id)
    return found


class _Words:
    """Why a fact and its line are not both in the period."""

    def __init__(self, provider: str, asked: Mapping[str, Any], keys: list[Key], expected: set[Key]) -> None:
        source, ids = source_of(provider), [fact_id for _, fact_id in keys]
        rows = list(ReconLine.objects.filter(source=source, fact_id__in=ids))
        told = [row for row in rows if row.reason != Reason.NOT_AT_PROVIDER and row.state != "parked"]
        self.told = {(row.fact_kind.partition("+")[0], row.fact_id): row for row in told}
        self.missed = {(row.fact_kind, row.fact_id): row for row in rows if row.reason == Reason.NOT_AT_PROVIDER}
        near = ReconLine.objects.filter(source=source, state="parked", suggestion__has_key="fact")
        self.near = {tuple(row.suggestion["fact"]): row for row in near.filter(at__lt=asked["until"])}
        self.posted = ours.posted_at(provider, keys)
        self.expected = expected
        self.since, self.until = asked["since"], asked["until"]

    def item(self, amount: int, members: list[Key], sums: Mapping[Key, tuple[int, int]]) -> Item:
        key = next((each for each in members if each[0] not in {ours.MERGED, ours.FAILED}), members[0])
        about = f"{key[0]} {key[1]}"
        theirs, mine = sums[key]
        line, missed, posted = self.told.get(key), self.missed.get(key), self.posted.get(key)
        if missed is not None and line is None:
            return Item(amount, "parked" if missed.state == "parked" else "by_hand", about, "NOT_AT_PROVIDER")
        if line is not None and not self._within(line.at) and not theirs:
            return Item(amount, "timing", about, f"they tell it at {line.at.isoformat()}")
        if posted is not None and not self._within(posted) and not mine:
            return Item(amount, "timing", about, f"posted at {posted.isoformat()}")
        if len(members) > 1 or key[0] == ours.FAILED:
            return Item(amount, "timing", about, "set aside in one period, given up in another")
        if (near := self.near.get(key)) is not None:
            return Item(amount, "parked", about, f"line {near.ident}: {near.reason}")
        if key in self.expected and line is None:
            return Item(amount, "in_transit", about, "the provider need not have told it yet")
        return Item(amount, "unexplained", about, f"theirs {theirs}, ours {mine}")

    def _within(self, at: datetime) -> bool:
        return bool(self.since <= at < self.until)

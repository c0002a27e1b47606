"""I3 against the banks: deposits by the bank's lines, debits by the clearing house's records, the ledger by account."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from doenda.kernel.ids import outside
from doenda.payments.deposits import policy
from doenda.payments.deposits.rules import AMBIGUOUS, NEVER_LEASED
from doenda.payments.deposits.storing import UNKNOWN_NUMBER
from doenda.payments.states import State
from doenda.sim.invariants.asking import Violation, rows
from doenda.sim.invariants.house import Arrived, Debited, House
from doenda.sim.invariants.peers_money import NOTHING_MOVED, Books
from doenda.sim.invariants.truth import Entry, Records

if TYPE_CHECKING:
    from doenda.sim.world import World

# What the ledger took in for each line of the deposit bank, and for what it has no line.
_POSTED = """
    SELECT substr(split_part(p.fact_id, '#', 1), 9), COUNT(DISTINCT p.fact_id), SUM(p.amount)::bigint
    FROM billing_posting p WHERE p.fact_kind = 'payment' AND p.fact_id LIKE 'deposit:%%' GROUP BY 1
"""


def deposits(house: House, entries: Sequence[Entry]) -> Iterator[Violation]:
    """Between steps: what we stored the bank tells as well; what was posted was posted once, to whose number it was."""
    if not house.lines and not entries:
        return
    bank = {(each.bank, each.ident): each for each in entries}
    posted = {str(ref): (int(count), int(amount)) for ref, count, amount in rows(_POSTED)}
    for line in house.lines:
        entry = bank.get((line.bank, line.ident))
        if entry is None or (entry.kind, entry.number, entry.amount) != (line.kind, line.number, line.amount):
            yield Violation("I3", f"the bank knows no {_named(line)} of {line.amount}")
        if line.kind != "deposit":
            continue
        count, amount = posted.pop(f"{line.bank}-{line.ident}", (0, 0))
        if count > 1 or amount not in (0, line.amount) or (amount and line.state not in ("posted", "stored")):
            yield Violation("I3", f"{_named(line)} of {line.amount} is {line.state}, and {amount} was posted for it")
        elif line.state == "posted" and not amount:
            yield Violation("I3", f"{_named(line)} of {line.amount} counts as posted, and nothing was")
        yield from _went_back(house, line, entries)
        yield from _of_nobody(line, entries)
    for ref, (_, amount) in posted.items():
        yield Violation("I3", f"{amount} was posted for deposit {ref}, which the bank has never told of")
    yield from _holders(house)


def _named(line: Arrived) -> str:
    return f"{line.kind} {line.bank}-{line.ident}"


def _went_back(house: House, line: Arrived, entries: Sequence[Entry]) -> Iterator[Violation]:
    """The bank sends back what we asked it to, and that once."""
    if line.attempt_id is None or line.state != "posted":
        return
    back = sum(each.amount for each in entries if each.of == line.ident and each.kind == "returned")
    decided = house.decided(line.attempt_id)
    if back > decided:
        yield Violation("I3", f"the bank sent back {back} of {_named(line)}, and we had decided {decided}")


# How much of a line the bank has sent back, by what we say of it; while it is being sent back nobody knows.
_BACK = {"stored": 0, "parked": 0, "sent_back": 1}


def _of_nobody(line: Arrived, entries: Sequence[Entry]) -> Iterator[Violation]:
    """What counts as sent back the bank has sent back: else the payer's money stays here. What waits it has not."""
    back = sum(each.amount for each in entries if each.of == line.ident and each.kind == "returned")
    if line.state in _BACK and back != line.amount * _BACK[line.state]:
        yield Violation("I3", f"{_named(line)} of {line.amount} is {line.state}, and {back} of it was sent back")


def _parked(line: Arrived, leases: Sequence[tuple[str, datetime]], skew: timedelta) -> Iterator[Violation]:
    """Nobody can tell whose a parked line is: no lease of its number by then, or two near that moment."""
    if line.told_order in {order for order, _ in leases} and line.reason in (AMBIGUOUS, NEVER_LEASED, UNKNOWN_NUMBER):
        yield Violation("I3", f"{_named(line)} is parked ({line.reason}), and the bank named {line.told_order}")
    elif line.reason in (NEVER_LEASED, UNKNOWN_NUMBER) and any(since <= line.at for _, since in leases):
        yield Violation("I3", f"{_named(line)} is parked ({line.reason}), and {leases[0][0]} had the number before")
    elif line.reason == AMBIGUOUS:
        first, last = _doubt(line, skew)
        known = [since for _, since in leases if since <= last]
        if len(known) < 2 or known[-1] <= first:
            yield Violation("I3", f"{_named(line)} is parked ({line.reason}), and nobody else had the number near then")


def _doubt(line: Arrived, skew: timedelta) -> tuple[datetime, datetime]:
    """Between these moments it came, by the bank's clock."""
    return (line.at, line.at + timedelta(days=1)) if line.day_only else (line.at - skew, line.at + skew)


def _holders(house: House) -> Iterator[Violation]:
    """A deposit is theirs who had the number when it came, also if somebody else got the number since."""
    skew, leases = policy.now().skew, _leases()
    for line in house.lines:
        if line.kind == "deposit" and line.state in ("parked", "sending_back", "sent_back"):
            yield from _parked(line, leases[line.number], skew)
        if line.kind != "deposit" or line.lease_id is None or line.since is None:
            continue
        told = line.told_order
        if told and told != line.lease_order and told in {order for order, _ in leases[line.number]}:
            yield Violation("I3", f"{_named(line)} came for order {told} and was given to {line.lease_order}")
            continue
        latest = line.at + skew + (timedelta(days=1) if line.day_only else timedelta())
        between = [order for order, since in leases[line.number] if line.since < since <= line.at - skew]
        if not told and (line.since > latest or between):
            whose = between[-1] if between else "the holder before"
            yield Violation("I3", f"{_named(line)} was {whose}'s by its time, and was given to {line.lease_order}")


def _leases() -> dict[str, list[tuple[str, datetime]]]:
    found: dict[str, list[tuple[str, datetime]]] = defaultdict(list)
    for number, owner, since in rows(
        "SELECT n.number, COALESCE(s.attempt_id, s.id), s.since FROM payments_depositlease s"
        " JOIN payments_depositnumber n ON n.id = s.number_id ORDER BY s.since"
    ):
        found[str(number)].append((outside(owner), since))
    return found


def debits(house: House, records: Records) -> Iterator[Violation]:
    """Between steps: what we say of a record of a file the clearing house says as well."""
    known: dict[tuple[str, int], Debited] = {}
    for item in house.items:
        if item.place is not None:
            known[item.place] = item
        yield from _debit(house, item, records)
    for place, (kind, amount) in records.paid.items():
        if place not in known:
            yield Violation(
                "I3",
                f"the clearing house carried out a {kind} of {amount} ({_place(place)}), and no debit"
                " of ours is that record",
            )


def _place(place: tuple[str, int]) -> str:
    return f"{place[0]} record {place[1]}"


def _debit(house: House, item: Debited, records: Records) -> Iterator[Violation]:
    done = None if item.place is None else records.paid.get(item.place)
    tried = house.attempts[item.attempt_id]
    what = f"the {item.kind} of {tried}"
    if item.state == "paid" and done != (item.kind, item.amount):
        yield Violation("I3", f"{what} over {item.amount} counts as paid, the clearing house did {done}")
    if item.state == "returned" and item.place not in records.returned:
        yield Violation("I3", f"{what} counts as returned, and no bank took it back")
    if item.state in ("refused", "recalled", "waiting") and done is not None:
        yield Violation("I3", f"{what} is {item.state} here, and the clearing house carried it out: {done[1]}")
    if item.kind == "debit" and item.state in ("filed", "paid") and tried.state in NOTHING_MOVED - {State.CREATED}:
        yield Violation("I3", f"{tried} is {tried.state} here, while its debit is {item.state}")


# What each account's postings left with each provider, as the ledger has it.
_STANDS = """
    SELECT p.account_id, substring(b.name from 'clearing:(.*)$'),
           SUM(CASE WHEN p.target_book_id = b.id THEN p.amount ELSE -p.amount END)::bigint
    FROM billing_posting p JOIN billing_book b ON b.id IN (p.source_book_id, p.target_book_id)
    WHERE b.name ~ '^(probe:)?clearing:' GROUP BY 1, 2
"""


def ledger(
    world: "World", house: House, books: Books, entries: Sequence[Entry], records: Records
) -> Iterator[Violation]:
    """At rest: of each account and provider the ledger holds what the peers hold, less what is set aside to go back."""
    stands = {(account, str(provider)): int(amount) for account, provider, amount in rows(_STANDS)}
    holds = _held(world, house, books, entries, records)
    aside: Counter[tuple[UUID, str]] = Counter()
    unsettled: set[tuple[UUID, str]] = set()
    for tried in house.attempts.values():
        place = (tried.account_id, tried.provider)
        aside[place] += sum(each.amount for each in house.refunds.get(tried.id, ()) if each.open and each.of_credit)
        if tried.owned or tried.in_flight:
            unsettled.add(place)
    for place in sorted(stands.keys() | holds.keys() - unsettled, key=str):
        ours, theirs = stands.get(place, 0), holds[place] - aside[place]
        if ours != theirs and place not in unsettled:
            whose, provider = world.label(place[0]), place[1]
            yield Violation("I3", f"at rest {provider} holds {theirs} of {whose}'s money, and our ledger says {ours}")


def _held(
    world: "World", house: House, books: Books, entries: Sequence[Entry], records: Records
) -> Counter[tuple[UUID, str]]:
    holds: Counter[tuple[UUID, str]] = Counter()
    paid_lines = {line.ident: line.attempt_id for line in house.lines if line.kind == "deposit" and line.attempt_id}
    for tried in house.attempts.values():
        place = (tried.account_id, tried.provider)
        order = books.get(tried.provider, {}).get(tried.order_id)
        if order is not None:
            holds[place] += order.net
        elif tried.provider == "counter":
            holds[place] += world.drivers["counter"].taken(tried.order_id, tried.ref)
    for each in entries:
        attempt_id = paid_lines.get(each.of or each.ident)
        if attempt_id is not None:
            sign = 1 if each.kind == "deposit" else -1
            holds[house.attempts[attempt_id].account_id, "deposit"] += sign * each.amount
    for item in house.items:
        done = None if item.place is None else records.paid.get(item.place)
        if item.place is not None and done is not None and item.place not in records.returned:
            sign = 1 if item.kind == "debit" else -1
            holds[house.attempts[item.attempt_id].account_id, "debit"] += sign * done[1]
    return holds

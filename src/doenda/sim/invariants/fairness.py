"""I5: no bar leaves the house for one who paid, whose payment is unknown, who had no way to pay, or whose clock stands.

Judged at the moment of leaving, by the peers' truth and the plain rows; nothing here asks collections what it thinks.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote
from uuid import UUID

from doenda.dunning.cases import policy_now
from doenda.dunning.words import SUSPENSIONS
from doenda.kernel import clock, net
from doenda.kernel.ids import inside, outside
from doenda.payments.states import IN_FLIGHT, State
from doenda.sim.invariants import house, truth
from doenda.sim.invariants.asking import Violation, rows
from doenda.sim.invariants.peers_money import charged

if TYPE_CHECKING:
    from doenda.sim.world import World

NEWS_TAKES = timedelta(days=1)
"""Money that somebody brought to a bank is known here within so long: the policy's days for what was posted late."""
OURS_TO_MEND = timedelta(days=3)


def as_it_leaves(world: "World", end: str, request: net.Request) -> Iterator[Violation]:
    """Call it for every request to "switch" or "handset" just before it is carried there."""
    if end == "switch" and request.method == "PATCH":
        yield from _to_the_switch(world, request)
    elif end == "handset" and request.method == "POST":
        yield from _to_the_handset(world, request)


def _to_the_switch(world: "World", request: net.Request) -> Iterator[Violation]:
    said = {one["name"]: one["value"] for one in json.loads(request.content)["serviceCharacteristic"]}
    line_id = inside(unquote(request.url.rstrip("/").rpartition("/")[2]))
    if said["barring"] == "none":
        return
    ((account_id,),) = rows("SELECT account_id FROM billing_line WHERE id = %s", [line_id])
    what = f"a bar ({said['barring']}) of {world.label(account_id)} was sent"
    for why in (*_paid(world, account_id), *_under_way(world, account_id), *_clock_stands(account_id), *_no_way()):
        yield Violation("I5", f"{what}, {why}")
    yield from (Violation("I5", f"{what}, {why}") for why in _not_told(world, line_id, str(said["barring"])))


def _to_the_handset(world: "World", request: net.Request) -> Iterator[Violation]:
    """A threat to one who has paid; a repeat of a text that is at the handset already says nothing new."""
    asked = json.loads(request.content)
    peer: Any = world.handset
    if asked["id"] in peer.truth.messages:
        return
    found = rows("SELECT kind, account_id FROM notices_notice WHERE id = %s", [inside(asked["id"])])
    for kind, account_id in found:
        if kind in SUSPENSIONS:
            for why in _paid(world, account_id):
                yield Violation("I5", f"a {kind.replace('_', ' ')} to {world.label(account_id)} left, {why}")


_OWED = """
    SELECT COALESCE(SUM(amount + late_fee - paid - credited), 0)::bigint FROM billing_bill
    WHERE account_id = %s AND state = 'open' AND due_date < %s
"""


def _paid(world: "World", account_id: UUID) -> Iterator[str]:
    """What is overdue in our books, less what the peers hold of it that our books do not know yet."""
    ((owed,),) = rows(_OWED, [account_id, clock.today()])
    unknown = unbooked(world, account_id, clock.now())
    if owed <= unknown:
        yield f"who paid everything: {owed} is overdue by our books, and {unknown} has arrived that they do not hold"


def unbooked(world: "World", account_id: UUID, now: datetime) -> int:
    """Money of the account that peers took, or will take for certain, and that is not in our books: minor units.

    What others brought to a bank within NEWS_TAKES nobody here can know yet.
    """
    ours, books = house.read(world.drivers), truth.orders(world)
    mine = [tried for tried in ours.attempts.values() if tried.account_id == account_id]
    total = 0
    for tried in mine:
        order = books.get(tried.provider, {}).get(tried.order_id)
        if order is not None and tried.state not in (State.PAID, State.REVERSED):
            old = charged(tried) or (order.last is not None and now - order.last > NEWS_TAKES)
            total += order.net if old and order.net > 0 else 0
    records = truth.records(world)
    for item in ours.items:
        if ours.attempts[item.attempt_id].account_id == account_id and item.state == "filed" and item.place is not None:
            total += records.paid.get(item.place, ("", 0))[1]
    return total + _deposited(world, ours, account_id, now)


_HELD = """
    SELECT s.since FROM payments_depositlease s JOIN payments_depositnumber n ON n.id = s.number_id
    WHERE n.number = %s AND s.account_id = %s ORDER BY s.since
"""


def _deposited(world: "World", ours: house.House, account_id: UUID, now: datetime) -> int:
    done = {(line.bank, line.ident) for line in ours.lines if line.state != "stored"}
    total = 0
    for entry in truth.entries(world):
        if entry.kind != "deposit" or (entry.bank, entry.ident) in done or now - entry.at <= NEWS_TAKES:
            continue
        if any(since <= entry.at for (since,) in rows(_HELD, [entry.number, account_id])):
            total += entry.amount
    return total


_MOVING = "SELECT id, provider, method, state FROM payments_attempt WHERE account_id = %s AND state = ANY(%s)"


def _under_way(world: "World", account_id: UUID) -> Iterator[str]:
    """Money that may be moving, by our rows; and by the peers' a charge that is still to be carried out."""
    for ident, provider, method, state in rows(_MOVING, [account_id, sorted(IN_FLIGHT | {State.INSTRUCTED})]):
        yield f"whose attempt {outside(ident)} ({provider}/{method}) is {state}"
    hidden = {order_id for orders in truth.orders(world).values() for order_id, one in orders.items() if one.hidden}
    for (ident,) in rows("SELECT id FROM payments_attempt WHERE account_id = %s", [account_id]):
        if outside(ident) in hidden:
            yield f"whose attempt {outside(ident)} its provider is still carrying out"


_HOLDS = """
    SELECT kind, reason FROM dunning_hold WHERE account_id = %s AND start <= %s
        AND (until IS NULL OR until > %s) AND (lifted_at IS NULL OR lifted_at > %s)
"""
_FAULTS = """
    SELECT id FROM payments_attempt WHERE account_id = %s AND state = 'our_fault' AND NOT synthetic AND settled_at > %s
"""
_UNDONE = """
    SELECT m.attempt_id FROM payments_attemptmove m JOIN payments_attempt a ON a.id = m.attempt_id
    WHERE a.account_id = %s AND m.source = 'paid' AND m.target IN ('undone', 'needs_deposit') AND m.created_at > %s
"""


def _clock_stands(account_id: UUID) -> Iterator[str]:
    now = clock.now()
    for kind, reason in rows(_HOLDS, [account_id, now, now, now]):
        yield f"inside a hold ({kind}: {reason})"
    for (ident,) in rows(_FAULTS, [account_id, now - OURS_TO_MEND]):
        yield f"within days of attempt {outside(ident)}, which failed through our fault"
    for (ident,) in rows(_UNDONE, [account_id, now - OURS_TO_MEND]):
        yield f"within days of attempt {outside(ident)} having come undone"


_WORKED = """
    SELECT 1 FROM assurance_evidence e JOIN assurance_way w ON w.slug = e.way_id
    WHERE w.purpose = 'pay' AND w.retired_at IS NULL AND e.outcome = 'worked'
      AND e.at >= %s - w.lease_seconds * interval '1 second' LIMIT 1
"""


def _no_way() -> Iterator[str]:
    if not rows(_WORKED, [clock.now()]):
        yield "and no way to pay has worked to its last step within its lease"


_NOTICE = """
    SELECT notice_id FROM dunning_linecommand WHERE line_id = %s AND wanted = %s AND state IN ('due', 'sent')
"""


# What was told on which day; since when it was called off; what is overdue of the bills that it was about.
_TOLD = """
    SELECT n.state, (s.decision ->> 'effective')::date,
           (SELECT string_agg(l.step, ', ') FROM dunning_casestep l WHERE l.case_id = s.case_id AND l.id > s.id
            AND (l.step IN ('stand_down', 'close') OR (l.step = 'restore' AND l.decision ->> 'whole' = 'true'))),
           ARRAY(SELECT b.amount + b.late_fee - b.paid - b.credited FROM billing_bill b
                 WHERE b.state = 'open' AND b.due_date < %s AND s.decision -> 'bills' ? b.id::text)
    FROM notices_notice n JOIN dunning_casestep s ON s.notice_id = n.id AND s.step = 'notice' WHERE n.id = %s
"""


def _called_off(notice_id: UUID) -> Iterator[str]:
    """A notice bars only for what it was about, as long as that is owed, and from the day on that it told."""
    today, rules = clock.today(), policy_now()
    for state, effective, since, owed in rows(_TOLD, [today, notice_id]):
        if state == "cancelled" or since:
            yield f"and its notice was withdrawn ({since or state})"
        if today < effective:
            yield f"and its notice told of {effective}"
        if len(owed) < rules.threshold_bills and sum(owed) < rules.threshold_amount["KRW"]:
            yield f"and of what its notice was about {sum(owed)} is owed"


def _not_told(world: "World", line_id: UUID, wanted: str) -> Iterator[str]:
    """The notice on which the bar rests stands, and lies at the handset, of whoever is told, for the legal days."""
    found = rows(_NOTICE, [line_id, wanted])
    if found and found[0][0]:
        yield from _called_off(found[0][0])
    peer: Any = world.handset
    message = peer.truth.messages.get(outside(found[0][0])) if found and found[0][0] else None
    if message is None or message.delivered is None:
        yield "and no notice of it ever arrived"
        return
    arrived = clock.local(datetime.fromtimestamp(message.delivered, UTC)).date()
    if clock.today() < arrived + timedelta(days=policy_now().notice_days):
        yield f"and its notice arrived on {arrived} only"

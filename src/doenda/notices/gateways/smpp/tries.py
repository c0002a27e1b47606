"""What was handed to the SMS centre, what it said, and what it told us later: rows, read and written in transactions.

SMPP 3.4 has no id of ours that the centre would know a repeat by. So each segment is noted before it leaves, and one
whose answer did not come is left alone for a while, repeated seldom, and not at all once a delivery receipt for an id
that we do not know came for its number: that is probably the answer we missed, but it proves nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Q
from django.utils.crypto import salted_hmac

from doenda.kernel import clock, ids, randomness, sweeps
from doenda.kernel.db import atomic
from doenda.notices.gateways import Accepted, HandOver, NotSent, Receipt, Refused, Unknown
from doenda.notices.gateways.smpp import pdus, told
from doenda.notices.gateways.smpp.coding import Coded
from doenda.notices.gateways.smpp.configured import Config
from doenda.notices.gateways.smpp.link import Answer
from doenda.notices.models import Notice, PushedReceipt, Segment

KEPT = timedelta(days=30)
EARLY = timedelta(seconds=5)
"""How far the clocks of two of our machines may differ: a receipt may be stored by another worker than the sender."""
LASTS = timedelta(days=7)
"""A receipt that comes later is about another message: centres use their ids again."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The segments to send now, in order, and the reference that holds the whole text together on the phone."""

    segments: tuple[Segment, ...]
    concat: int


def settled(ref: str, config: Config) -> HandOver | None:
    """What is known of earlier tries: an answer if nothing may be sent now, None if it may."""
    rows = list(Segment.objects.filter(ref=ref).order_by("attempt", "number"))
    for attempt in _attempts(rows):
        if len(attempt) == attempt[0].total and all(row.status == 0 for row in attempt):
            return Accepted(_id_there(attempt))
    doubtful = [row for row in rows if row.doubts and row.status != 0]
    if not doubtful:
        return None
    if _strangers(doubtful):
        return Refused("no answer came, then a delivery receipt for an unknown id: not repeated, and not proven")
    left = max(row.submitted_at for row in doubtful if row.submitted_at) + timedelta(seconds=config.doubt) - clock.now()
    if left > timedelta(0):
        return Unknown("no answer came; it is not repeated yet", after=left.total_seconds())
    if max(sum(row.doubts for row in rows if row.number == each.number) for each in doubtful) > config.repeats:
        return Refused("no answer came, also to its repeat: whether it arrived is not known")
    return None


def begin(ref: str, to: str, coded: Coded, config: Config) -> Plan | HandOver:
    """Note, in the caller's transaction, that the text leaves now, but for its segments that were taken earlier; or say
    why it may not."""
    if (known := settled(ref, config)) is not None:
        return known
    pieces, whole = coded.segments, f"{coded.data_coding}:{to}:{b''.join(coded.segments).hex()}"
    now, digest = clock.now(), salted_hmac("doenda.notices.smpp", whole, algorithm="sha256")
    rows = list(Segment.objects.select_for_update().filter(ref=ref).order_by("attempt", "number"))
    mine = [row for row in rows if row.digest == digest.hexdigest() and row.total == len(pieces)]
    if not mine:
        attempt = max((row.attempt for row in rows), default=0) + 1
        concat = randomness.below(256)
        mine = [
            Segment(
                ref=ref,
                attempt=attempt,
                number=number,
                total=len(pieces),
                concat=concat,
                digest=digest.hexdigest(),
                to_tail=told.tail(to),
            )
            for number in range(1, len(pieces) + 1)
        ]
    leaving = [row for row in mine if row.status != 0]
    for row in leaving:
        row.submitted_at, row.doubts, row.status = now, row.doubts + 1, None
        row.save()
    return Plan(tuple(leaving), mine[0].concat)


def not_sent(rows: Iterable[Segment]) -> None:
    """They certainly did not leave after all."""
    for row in rows:
        Segment.objects.filter(pk=row.pk, doubts=row.doubts).update(doubts=row.doubts - 1)


def answered(row: Segment, answer: Answer, config: Config) -> None:
    """The centre's answer to a segment, also one that comes after we gave it up. Never takes back an acceptance."""
    found = Segment.objects.select_for_update().get(pk=row.pk)
    if found.status == 0:
        return
    found.status = answer.status
    if pdus.meaning(answer.status) != "unknown":
        found.doubts = max(0, found.doubts - 1)
    if answer.status == 0:
        found.message_id = told.canonical(answer.message_id, config.answers)
    found.save()


def store(receipt: told.Told) -> bool:
    """Keep a receipt, in the caller's transaction; True if it is new. Its notice is looked at at once."""
    row = PushedReceipt(
        message_id=receipt.message_id,
        state=receipt.state,
        detail=receipt.detail[:60],
        numbers=list(receipt.numbers),
        digest=receipt.digest,
    )
    if not row.insert(once=True):
        return False
    refs = Segment.objects.filter(message_id=receipt.message_id).values_list("ref", flat=True)
    if found := [ids.inside(ref) for ref in refs]:
        Notice.objects.filter(pk__in=found, state=Notice.State.SENT).update(receipt_due_at=clock.now())
        sweeps.nudge("receipts")
    return True


def receipt(ref: str) -> Receipt:
    """What became of the text: delivered only when every segment of one try is, failed when one of each try is."""
    rows = list(Segment.objects.filter(ref=ref).order_by("attempt", "number"))
    tries = [each for each in _attempts(rows) if len(each) == each[0].total and all(row.status == 0 for row in each)]
    if not tries:
        return Receipt("unknown", "the SMS centre has not taken it")
    found = [_of_try(each) for each in tries]
    for state in ("delivered", "accepted", "failed"):
        if one := next((each for each in found if each.state == state), None):
            return one
    return found[0]


def _of_try(rows: Sequence[Segment]) -> Receipt:
    said = [_of_segment(row) for row in rows]
    if failed := next((each for each in said if each.state == "failed"), None):
        return failed
    if all(each.state == "delivered" for each in said):
        return Receipt("delivered")
    return next(each for each in said if each.state != "delivered")


def _of_segment(row: Segment) -> Receipt:
    """Contradicting receipts prove no delivery: one that failed outweighs one that says delivered."""
    if not row.message_id:
        return Receipt("accepted", "the SMS centre gave no id to match a delivery receipt by")
    found = list(_receipts_of(row))
    if failed := next((each for each in found if each.state == "failed"), None):
        return Receipt("failed", f"not delivered: {failed.detail or 'the SMS centre says so'}"[:200])
    if any(each.state == "delivered" for each in found):
        return Receipt("delivered")
    return Receipt("accepted")


def _receipts_of(row: Segment) -> Iterable[PushedReceipt]:
    assert row.submitted_at is not None
    since = row.submitted_at - EARLY
    named = PushedReceipt.objects.filter(message_id=row.message_id, created_at__range=(since, since + LASTS))
    return named.filter(Q(numbers__contains=[row.to_tail]) | Q(numbers=[])).order_by("created_at")


def _strangers(doubtful: Sequence[Segment]) -> bool:
    """Has a receipt come for the number of a segment in doubt, since it left, that belongs to no segment we know of?"""
    since = min(row.submitted_at for row in doubtful if row.submitted_at) - EARLY
    found = PushedReceipt.objects.filter(created_at__gte=since, numbers__contains=[doubtful[0].to_tail])
    named = set(found.values_list("message_id", flat=True))
    return bool(named - set(Segment.objects.filter(message_id__in=named).values_list("message_id", flat=True)))


def _attempts(rows: Iterable[Segment]) -> list[list[Segment]]:
    found: dict[int, list[Segment]] = {}
    for row in rows:
        found.setdefault(row.attempt, []).append(row)
    return list(found.values())


def _id_there(rows: Sequence[Segment]) -> str:
    more = f" +{len(rows) - 1}" if len(rows) > 1 else ""
    return f"{rows[0].message_id[:70]}{more}"


def conclude(ref: str, plan: Plan, said: Mapping[int, Answer | None], config: Config, pause: float) -> HandOver:
    """The hand-over's outcome. `said`: what came by a segment's number, None where one is in doubt; a number that is
    missing did not leave. `pause`: seconds until the next try where the centre wants less or cannot."""
    attempt = plan.segments[0].attempt
    mine = list(Segment.objects.filter(ref=ref, attempt=attempt).order_by("number"))
    answers = [each for each in said.values() if each is not None]
    if never := next((each for each in answers if pdus.meaning(each.status) == "never"), None):
        return Refused(pdus.named(never.status))
    if len(mine) == mine[0].total and all(row.status == 0 for row in mine):
        return Accepted(_id_there(mine))
    why = next((pdus.named(each.status) for each in answers if each.status), "no answer came")
    if Segment.objects.filter(ref=ref, doubts__gt=0).exclude(status=0).exists():
        return Unknown(why, after=config.doubt)
    if any(row.status == 0 for row in mine):
        return Unknown(f"not all of its segments were taken: {why}", after=pause)
    return NotSent(why, after=pause)


def forget(limit: int = 10_000) -> int:
    """Remove what no receipt can come for any more. Returns the rows removed."""
    old, gone = clock.now() - KEPT, 0
    with atomic():
        for found in (Segment.objects.filter(created_at__lt=old), PushedReceipt.objects.filter(created_at__lt=old)):
            gone += found.filter(pk__in=list(found.values_list("pk", flat=True)[:limit])).delete()[0]
    return gone

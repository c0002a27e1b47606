"""Whose turn it is: runners lease walks from the database, so that any number of them share the work.

A lease is short, and a runner that lives moves its own on; when one dies its walks fall to the others within `LEASE`.
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from django.db.models import Q

from doenda.assurance import devices, ways
from doenda.kernel import clock
from doenda.kernel.db import atomic
from doenda.probes.models import Turn

LEASE = timedelta(seconds=15)
ANOTHER_FIRST = timedelta(seconds=2)
"""For so long a confirm run is left to the runners that have not seen the failure themselves."""


def ensure(slugs: Iterable[str]) -> None:
    """Rounds for exactly these ways: a way that is new, or has just opened, is due at once.

    Rounds in a browser that this runner has not are left to those that have it.
    """
    wanted = set(slugs)
    rounds = Turn.objects.filter(confirms=False)
    known = set(rounds.values_list("way", flat=True))
    if new := wanted - known:
        with atomic():
            Turn.objects.bulk_create([Turn(way=slug) for slug in sorted(new)], ignore_conflicts=True)
    if gone := {slug for slug in known - wanted if _mine(slug)}:
        with atomic():
            rounds.filter(way__in=gone).delete()


def ask(slug: str, wanted: int, *, asked_by: str) -> None:
    """Have `wanted` confirm runs of the way under way or due; call it in the transaction of the walk that failed."""
    waiting = Turn.objects.filter(way=slug, confirms=True, created_at__gt=clock.now() - timedelta(minutes=1)).count()
    Turn.objects.bulk_create([Turn(way=slug, confirms=True, asked_by=asked_by) for _ in range(wanted - waiting)])


def claim(runner: str, *, busy: Collection[str] = (), limit: int = 50) -> list[Turn]:
    """Lease what is due and held by nobody, but no rounds of the providers in `busy`; confirm runs come first."""
    now = clock.now()
    free = Q(leased_until=None) | Q(leased_until__lte=now)
    mine = Q(confirms=False) | ~Q(asked_by=runner) | Q(due_at__lte=now - ANOTHER_FIRST)
    with atomic():
        due = Turn.objects.select_for_update(skip_locked=True, no_key=True).filter(free, mine, due_at__lte=now)
        found = [
            turn
            for turn in due.order_by("-confirms", "due_at", "way")[:limit]
            if (turn.confirms or _of(turn) not in busy) and _mine(turn.way)
        ]
        for turn in found:
            turn.runner, turn.leased_until = runner, now + LEASE
        Turn.objects.bulk_update(found, ["runner", "leased_until"])
    return found


def keep(runner: str, held: Collection[Turn]) -> None:
    """Move the leases on of what this runner is still walking."""
    if held:
        with atomic():
            mine = Turn.objects.filter(pk__in=[turn.pk for turn in held], runner=runner)
            mine.update(leased_until=clock.now() + LEASE)


def done(turn: Turn, due_at: datetime) -> None:
    """The walk has been made: the way's next round is at `due_at`; a confirm run is over.

    Nothing happens if the turn was taken over meanwhile: it is another runner's.
    """
    with atomic():
        mine = Turn.objects.filter(pk=turn.pk, runner=turn.runner)
        if turn.confirms:
            mine.delete()
        else:
            mine.update(due_at=due_at, runner="", leased_until=None)


def _mine(slug: str) -> bool:
    return not devices.parts(slug)[1] or bool(ways.browser_for(slug))


def _of(turn: Turn) -> str:
    return turn.way.split("/")[2]

"""Nothing works: a state of its own, with a beginning, an end, and a person who is called.

What a text could name to everybody decides (`guidance.Snapshot.named`): a way that asks something of the device is none
for those whose device cannot do it. While it lasts notices are held, pages and prompts say that the date moves, and
the clocks stand; all of that is pulled from these rows, or from guidance itself.

Where other customers can pay and those with one kind of device cannot, that is a state of the kind ("pay@in_app"):
their pages say it and move the date, a person is called, and texts, which anybody may read, go on.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Max, Q, QuerySet

from doenda.assurance import devices, guidance, pager
from doenda.assurance.models import Exposure, NoWay, Way
from doenda.assurance.rule import NAMED
from doenda.kernel import clock, facts, once, sweeps

log = logging.getLogger(__name__)

PURPOSES = ("pay",)
PAGED_AFTER = timedelta(seconds=60)
"""A start, or one lapse between two walks, calls nobody."""


def running(purpose: str = "pay") -> NoWay | None:
    """The stretch that lasts, if nothing can be named now."""
    return NoWay.objects.filter(purpose=purpose, until=None).first()


def stretches(since: datetime, purpose: str = "pay") -> Sequence[NoWay]:
    """Those that ended after `since` or last still, in order."""
    return _stretches(since=since, purpose=purpose)


@once.query
def _stretches(since: once.Open, purpose: once.Open) -> "QuerySet[NoWay]":
    lasting = Q(until=None) | Q(until__gte=since)
    return NoWay.objects.filter(lasting, purpose=purpose).order_by("since", "pk")


@facts.subscribes("assurance.way_changed", name="assurance.no_way")
def _changed(fact: facts.Fact) -> None:
    """At once when the last way goes or the first comes back; the rest is the sweep's."""
    named, lasting = Way.objects.filter(purpose__in=PURPOSES, standing__in=NAMED), NoWay.objects.filter(until=None)
    if lasting.exists() if fact.data["to"] in NAMED else not named.exists():
        settle()


@sweeps.sweep("no_way", every=2)
def sweep(limit: int = 100) -> int:
    """What two transactions that each saw the other's way still stand did not note; and who is to be called."""
    with transaction.atomic():
        found = settle()
        return found + _page()


def settle() -> int:
    """Open or close the stretch of each purpose, in the caller's transaction. Returns how many changed."""
    seen = guidance.read()
    kinds = {devices.parts(slug)[1] for slug in seen.against}
    kinds |= {devices.parts(each)[1] for each in NoWay.objects.filter(until=None).values_list("purpose", flat=True)}
    changed = 0
    for purpose in PURPOSES:
        works = bool(seen.named("notice", purpose))
        changed += _settle(purpose, seen, works=works)
        for kind in sorted(kinds - {""}):
            theirs = not works or bool(seen.named("page", purpose, kind))
            changed += _settle(devices.cell(purpose, kind), seen, works=theirs)
    return changed


def _settle(purpose: str, seen: guidance.Snapshot, *, works: bool) -> int:
    now = clock.now()
    known = any(way.purpose == devices.parts(purpose)[0] for way in seen.ways)
    open_now = NoWay.objects.select_for_update(no_key=True).filter(purpose=purpose, until=None).first()
    if not known:
        return 0
    onset = None if works else _onset(purpose)
    if open_now is not None and not works:
        return _worse(open_now, onset)
    if works == (open_now is None):
        return 0
    if open_now is None:
        made = NoWay(purpose=purpose, since=min(now, onset or now), failed=onset is not None)
        NoWay.objects.bulk_create([made], ignore_conflicts=True)
        log.critical("nothing can be named for %r any more", purpose)
        facts.record("assurance.no_way", None, {"purpose": purpose, "since": made.since.isoformat()})
    else:
        open_now.until = max(now, open_now.since)
        open_now.save(update_fields=["until"])
        facts.record("assurance.way_again", None, {"purpose": purpose, "since": open_now.since.isoformat()})
    return 1


def _onset(purpose: str) -> datetime | None:
    """Since when nothing works, if evidence says that ways fail: the onset of the failure that began last."""
    plain, kind = devices.parts(purpose)
    failing = Exposure.objects.filter(ended_at=None)
    mine = failing.filter(way__slug__endswith=devices.cell("", kind)) if kind else failing.filter(way__purpose=plain)
    return mine.aggregate(onset=Max("onset"))["onset"]  # type: ignore[no-any-return]


def _worse(known: NoWay, onset: datetime | None) -> int:
    """What was merely unproven is found to fail."""
    if onset is None or known.failed:
        return 0
    known.failed = True
    known.save(update_fields=["failed"])
    return 1


def _who(purpose: str) -> str:
    kind = devices.parts(purpose)[1]
    return f"no customer with a device of the kind {kind}" if kind else "no customer"


def _page() -> int:
    due = NoWay.objects.filter(until=None, paged_at=None, since__lte=clock.now() - PAGED_AFTER)
    found = list(due.select_for_update(no_key=True))
    for each in found:
        each.paged_at = clock.now()
        each.save(update_fields=["paged_at"])
        pager.call(
            f"no-way-{each.pk}",
            f"{settings.DOENDA_CARRIER['en']}: {_who(each.purpose)} can pay by any way since "
            f"{clock.local(each.since):%F %R}",
        )
    return len(found)

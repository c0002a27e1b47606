"""Harm undone: whoever was told of a way that failed is held, told once what is true, and told when it works again.

Held is everybody in an exposure, silently: the clock pulls exposures by itself (gather.stops). Told are those who
tried, those whose next step is near, and all others once it lasts: a storm of texts about a fault that few met looks
like phishing. What was decided between the onset and our knowing it is taken back: fees here, bars by their own rule
(decide: "we_were_failing").
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from doenda import notices
from doenda.assurance import devices, exposure, guidance
from doenda.assurance.models import Exposure
from doenda.billing import accounts, owed
from doenda.dunning import fees
from doenda.dunning.cases import look_again, policy_now
from doenda.dunning.models import Case, HarmUndone, Misled, Promise
from doenda.dunning.policy import Policy
from doenda.dunning.words import Stage, Whose
from doenda.kernel import clock, facts, sweeps
from doenda.kernel.db import atomic
from doenda.notices import objections

TOLD = "misled"

# Accounts with something to pay to which the way was named while it failed, or in a text that still counts, and that
# were not told of this exposure, nor of another a short while ago. %(lasts)s: everybody; else who tried or is near.
_TO_TELL = """
WITH named AS (
    SELECT DISTINCT o.account_id FROM assurance_offer o
     WHERE o.way_id = %(base)s AND o.at <= %(now)s AND %(device)s IN ('', o.device)
       AND (o.at >= %(visit)s OR (o.medium IN ('notice', 'receipt') AND o.at >= %(lasting)s))
), owing AS (
    SELECT n.account_id FROM named n JOIN billing_account a ON a.id = n.account_id AND NOT a.probe
     WHERE EXISTS (SELECT 1 FROM billing_bill b WHERE b.account_id = n.account_id AND b.state = 'open')
       AND NOT EXISTS (SELECT 1 FROM dunning_misled m
                        WHERE m.account_id = n.account_id AND m.exposure_id = %(exposure)s)
), why AS (
    SELECT account_id, CASE
        WHEN EXISTS (SELECT 1 FROM assurance_evidence e
                      WHERE e.account_id = owing.account_id AND e.way_id = %(way)s AND NOT e.synthetic
                        AND e.at >= %(onset)s AND e.outcome IN ('failed_by_us', 'failed_by_provider')) THEN 'tried'
        WHEN EXISTS (SELECT 1 FROM dunning_case c JOIN dunning_casestep s ON s.case_id = c.id
                      WHERE c.account_id = owing.account_id AND c.closed_at IS NULL AND c.stage <> 'watching'
                        AND s.step = 'notice' AND s.decided_at > c.climb_since
                        AND (s.decision->>'effective')::date <= %(near)s) THEN 'near'
        WHEN EXISTS (SELECT 1 FROM billing_bill b
                      WHERE b.account_id = owing.account_id AND b.state = 'open' AND b.late_fee = 0
                        AND b.due_date <= %(near)s
                        AND (date_trunc('month', b.due_date) + interval '1 month - 1 day')::date
                            BETWEEN %(today)s AND %(near)s) THEN 'near'
        WHEN %(lasts)s THEN 'lasts' END AS why
      FROM owing
)
SELECT account_id, why FROM why WHERE why IS NOT NULL ORDER BY account_id LIMIT %(limit)s
"""


@facts.subscribes("assurance.way_changed", name="dunning.misled")
def way_changed(fact: facts.Fact) -> None:
    """Not here: whoever judges a way holds its lock, and telling locks accounts."""
    sweeps.nudge("misled")


@sweeps.sweep("misled", every=5)
def sweep(limit: int = 100) -> int:
    """Undo, tell, and tell again when it works. Returns the accounts worked on."""
    rules = policy_now()
    done = 0
    for each in Exposure.objects.filter(ended_at=None).order_by("onset"):
        done += _undo(each)
        for account_id, why in _to_tell(each, rules, limit):
            with atomic():
                done += _tell(account_id, each, why, rules)
    for row in _mended(limit):
        with atomic():
            done += _back(row)
    return done


def _undo(each: Exposure) -> int:
    """Once an exposure: nothing adverse is decided of its accounts from now on, so what was is all there will be."""
    if HarmUndone.objects.filter(exposure_id=each.pk).exists():
        return 0
    found = exposure.misled(each.way_id)
    reversed_fees = 0
    for account_id in fees.assessed_since(each.onset, found):
        with atomic():
            reversed_fees += fees.reverse_as_ours(accounts.lock(account_id), each.onset)
    barred = Case.objects.filter(
        account_id__in=found,
        closed_at=None,
        stage__in=(Stage.OUTGOING_BARRED, Stage.FULLY_BARRED),
        barred_since__gte=clock.local(each.onset).date(),
    )
    with atomic():
        bars = barred.update(next_check_at=clock.now())
        record = {"way": each.way_id, "misled": len(found), "fees": reversed_fees, "bars": bars}
        HarmUndone.objects.get_or_create(exposure_id=each.pk, defaults=record)
    return reversed_fees + bars


def _to_tell(each: Exposure, rules: Policy, limit: int) -> list[tuple[UUID, str]]:
    now = clock.now()
    base, device = devices.parts(each.way_id)
    values: dict[str, Any] = {
        "way": each.way_id,
        "base": base,
        "device": device,
        "exposure": each.pk,
        "now": now,
        "onset": each.onset,
        "visit": each.onset - exposure.VISIT,
        "lasting": each.onset - exposure.LASTING,
        "today": clock.today(),
        "near": clock.local(now + timedelta(hours=rules.misled_near_hours)).date(),
        "lasts": now - each.onset >= timedelta(minutes=rules.misled_lasts_minutes),
        "limit": limit,
    }
    with connection.cursor() as cursor:
        cursor.execute(_TO_TELL, values)
        return list(cursor.fetchall())


def _tell(account_id: UUID, each: Exposure, why: str, rules: Policy) -> int:
    """One message for all that fails now; whoever had one a short while ago gets none."""
    accounts.lock(account_id)
    now = clock.now()
    row = Misled(account_id=account_id, exposure_id=each.pk, way=each.way_id, why=why, told_at=now)
    recent = Misled.objects.filter(
        account_id=account_id, notice_id__isnull=False, told_at__gt=now - timedelta(hours=rules.misled_once_hours)
    )
    failed = {way.split("/")[1] for _, end, way in exposure.intervals(account_id) if end is None}
    elsewhere = {way.method for way in guidance.read().named("notice")}
    if failed and owed.open_bills(account_id) and not recent.exists():
        row.notice_id = _say(account_id, each, sorted(failed - elsewhere), tried=why == "tried")
    look_again(account_id)
    return int(row.insert(once=True))


def _say(account_id: UUID, each: Exposure, failed: list[str], *, tried: bool) -> UUID | None:
    """What did not work, unless it works by another provider: then only who tried hears that it does."""
    if failed:
        return notices.send(TOLD, account_id, params={"failed": failed}, key=f"misled-{each.pk}-{account_id}").pk
    if not tried:
        return None
    data = {"method": each.way_id.split("/")[1]}
    return notices.send("fault_mended", account_id, params=data, key=f"elsewhere-{each.pk}-{account_id}").pk


@objections.objects(TOLD)
def mended_meanwhile(account_id: UUID) -> str:
    """It may have waited for the morning: what it says must be true still. `_back` withdraws it."""
    failing = any(end is None for _, end, _ in exposure.intervals(account_id))
    return "" if failing else "what it tells of works again"


def _mended(limit: int) -> list[Misled]:
    """Whom to tell that it works again: the way of which they were told is proven."""
    running = Exposure.objects.filter(ended_at=None).values("pk")
    found = Misled.objects.filter(back_at=None).exclude(exposure_id__in=running).order_by("pk")
    return list(found[:limit])


def _back(row: Misled) -> int:
    """Tell once, when all that fails for the account works again; not whom the first message has not reached."""
    accounts.lock(row.account_id)
    if any(end is None for _, end, _ in exposure.intervals(row.account_id)):
        return 0
    mine = Misled.objects.filter(account_id=row.account_id, back_at=None)
    told = [notice for notice in mine.values_list("notice_id", flat=True) if notice is not None]
    unsent = notices.withdraw(row.account_id, (TOLD,), "it works again before it left")
    if not mine.update(back_at=clock.now()):
        return 0
    if len(told) > unsent and owed.open_bills(row.account_id) and not _promised(row.account_id, row.told_at):
        notices.send("way_back", row.account_id, params={}, key=f"works-again-{row.pk}")
    look_again(row.account_id)
    return 1


def _promised(account_id: UUID, since: datetime) -> bool:
    """Is a promise of ours to tell them, or has it told them?"""
    mine = Promise.objects.filter(account_id=account_id, whose=Whose.OURS, broken_at=None)
    return mine.filter(told_at=None, kept_at=None).exists() or mine.filter(told_at__gte=since).exists()

"""Rows of assurance. Evidence, transitions and offers are only added to: what we knew and said at 14:03 stays."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from doenda.assurance.rule import Name, Outcome
from doenda.billing.models import Account
from doenda.kernel import clock
from doenda.kernel.models import Row

NAMES = [(name.value, name.value) for name in Name]
OUTCOMES = [(outcome.value, outcome.value) for outcome in Outcome]


class Way(models.Model):
    """What a customer can be told to do, and the rule's memory of it (`state`, see rule.WayState).

    `standing` is the word at the last judgement; who reads it must let time pass first: `standing.current()`.
    `calm`: a success need not be judged at once; those stored since `judged_id` (an evidence id) count when the row is
    next locked.
    """

    slug = models.CharField(max_length=60, primary_key=True)
    channel = models.CharField(max_length=20)
    method = models.CharField(max_length=20)
    provider = models.CharField(max_length=20)
    purpose = models.CharField(max_length=20, default="pay")
    position = models.SmallIntegerField(default=0)
    lease_seconds = models.IntegerField(default=120)
    standing = models.CharField(max_length=10, choices=NAMES, default=Name.UNPROVEN.value)
    calm = models.BooleanField(default=True)
    since = models.DateTimeField(default=clock.now)
    proven_until = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)
    hold_until = models.DateTimeField(null=True)
    closed_until = models.DateTimeField(null=True)
    retired_at = models.DateTimeField(null=True)
    state = models.JSONField(default=dict)
    version = models.BigIntegerField(default=0)
    judged_id = models.UUIDField(null=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(name="way_lease", condition=Q(lease_seconds__gt=0)),
            models.CheckConstraint(name="way_proven_has_proof", condition=~Q(standing="proven", proven_until=None)),
        ]


class Evidence(Row):
    """One classified outcome of a way. `at` is when it happened, `created_at` when we knew.

    A try may first be `pending` and then have its final outcome; each is recorded once by its source.
    """

    way = models.ForeignKey(Way, models.PROTECT, db_constraint=False, db_index=False)
    outcome = models.CharField(max_length=20, choices=OUTCOMES)
    at = models.DateTimeField()
    synthetic = models.BooleanField()
    source_kind = models.CharField(max_length=30)
    source_id = models.CharField(max_length=80)
    account_id = models.UUIDField(null=True)
    detail = models.CharField(max_length=200, default="")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["source_kind", "source_id"], name="evidence_once", condition=~Q(outcome="pending")
            ),
            models.UniqueConstraint(
                fields=["source_kind", "source_id"], name="evidence_pending_once", condition=Q(outcome="pending")
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["way", "at"], name="evidence_way"),
            models.Index(fields=["way", "at"], name="evidence_proof", condition=Q(outcome="worked")),
            models.Index(fields=["way", "id"], name="evidence_since", condition=Q(outcome="worked")),
        ]


class WayDecision(Row):
    """What changed a way's state beside evidence and time: a person's word, the configuration, a learned baseline.

    `kind`: withdraw, vouch, close, retire, offer_again, baseline, doubt, with_parent,
    parent_back. `value`: an instant (close) or a share
    (baseline), as text. With the evidence these are all inputs of the rule: see replay.
    """

    way = models.ForeignKey(Way, models.PROTECT, related_name="decisions", db_constraint=False, db_index=False)
    kind = models.CharField(max_length=12)
    value = models.CharField(max_length=40, default="", blank=True)
    who = models.CharField(max_length=80)
    reason = models.CharField(max_length=200)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["way", "id"], name="decision_way")]


class Transition(Row):
    """A way's standing changed: the word before and after, and why."""

    way = models.ForeignKey(Way, models.PROTECT, related_name="transitions", db_constraint=False, db_index=False)
    was = models.CharField(max_length=10, choices=NAMES)
    now = models.CharField(max_length=10, choices=NAMES)
    at = models.DateTimeField()
    cause = models.CharField(max_length=300)
    evidence_id = models.UUIDField(null=True)
    version = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["way", "version"], name="transition_once")]
        indexes: ClassVar = [models.Index(fields=["way", "at"], name="transition_way")]


class Offer(Row):
    """A way was named to a customer. `subject_id`: the notice, the session or the call in which it was named; `device`:
    the kind on which a page was shown."""

    way = models.ForeignKey(Way, models.PROTECT, db_constraint=False, db_index=False)
    account = models.ForeignKey(Account, models.PROTECT, related_name="offers", db_constraint=False, db_index=False)
    at = models.DateTimeField()
    purpose = models.CharField(max_length=20)
    medium = models.CharField(max_length=10)
    subject_id = models.UUIDField(null=True)
    lang = models.CharField(max_length=2)
    proven = models.BooleanField()
    device = models.CharField(max_length=20, default="", blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["subject_id", "way", "medium"], name="offer_once", condition=Q(subject_id__isnull=False)
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["account", "at"], name="offer_account"),
            models.Index(fields=["way", "at"], name="offer_way"),
        ]


class Exposure(Row):
    """A stretch in which a way failed: from `onset` (the last proof before the failures) until it was proven again.

    `committed_at` is when we stopped naming it. At most one is open for a way.
    """

    way = models.ForeignKey(Way, models.PROTECT, related_name="exposures", db_index=False)
    onset = models.DateTimeField()
    committed_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["way"], name="exposure_one_open", condition=Q(ended_at=None)),
            models.CheckConstraint(
                name="exposure_order",
                condition=Q(onset__lte=models.F("committed_at"))
                & (Q(ended_at=None) | Q(ended_at__gte=models.F("committed_at"))),
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["way", "onset"], name="exposure_way")]


class NoWay(Row):
    """A stretch in which nothing could be named to customers for a purpose. At most one is open for it.

    `since` is the onset of the last failure that took the last way, `created_at` when we knew. `failed`: evidence says
    that ways fail; not so while they are merely unproven for want of walks. `paged_at`: a person was called.
    """

    purpose = models.CharField(max_length=20)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)
    failed = models.BooleanField(default=False)
    paged_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["purpose"], name="no_way_one_open", condition=Q(until=None)),
            models.CheckConstraint(name="no_way_order", condition=Q(until=None) | Q(until__gte=models.F("since"))),
        ]
        indexes: ClassVar = [models.Index(fields=["purpose", "since"], name="no_way_since")]


class Incident(Row):
    """A problem that customers feel, of one cause: a provider whose ways fail, or that nothing works at all.

    `cause`: "provider:toss", "no_way:pay". `onset`: since when it failed; `detected_at`: when we stopped naming what
    failed; `mended_at`: when the last of it was proven again. `affected`: accounts that had been told of it, `delayed`:
    what they owed (minor units of `currency`), both at the worst.
    """

    cause = models.CharField(max_length=60)
    onset = models.DateTimeField()
    detected_at = models.DateTimeField()
    mended_at = models.DateTimeField(null=True)
    affected = models.IntegerField(default=0)
    delayed = models.BigIntegerField(default=0)
    currency = models.CharField(max_length=3, default="", blank=True)
    counted_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["cause"], name="incident_one_open", condition=Q(mended_at=None)),
            models.CheckConstraint(name="incident_order", condition=Q(onset__lte=models.F("detected_at"))),
        ]
        indexes: ClassVar = [models.Index(fields=["detected_at"], name="incident_detected")]


class IncidentEvent(Row):
    """One line of an incident's timeline, only added to. `what`: withdrawn, returned, no_way, mended."""

    incident = models.ForeignKey(Incident, models.PROTECT, related_name="events", db_index=False)
    at = models.DateTimeField()
    what = models.CharField(max_length=12)
    way = models.CharField(max_length=60, default="", blank=True)
    said = models.CharField(max_length=300, default="", blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["incident", "what", "way", "at"], name="incident_event_once")
        ]

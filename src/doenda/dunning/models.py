"""Rows of collections. Amounts are minor units of the account's currency; days are the carrier's, instants UTC."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from doenda.billing.models import Account, Bill, Line
from doenda.dunning import words
from doenda.kernel import clock
from doenda.kernel.models import Row

STAGES = [(stage.value, stage.value) for stage in words.Stage]
BARS = [(bar.value, bar.value) for bar in words.Bar]
HOLDS = [(kind.value, kind.value) for kind in words.HoldKind]


class Case(Row):
    """One account's debt being collected, aged by its oldest unpaid bill. At most one is open for an account.

    `waiting_for` says why nothing happens until `next_check_at`. Notices decided before `climb_since` bar nothing.
    """

    account = models.ForeignKey(Account, models.PROTECT, related_name="cases", db_index=False)
    opened_at = models.DateTimeField(default=clock.now)
    closed_at = models.DateTimeField(null=True)
    close_reason = models.CharField(max_length=40, default="")
    stage = models.CharField(max_length=16, choices=STAGES, default=words.Stage.WATCHING)
    stage_since = models.DateField()
    climb_since = models.DateTimeField(default=clock.now)
    barred_since = models.DateField(null=True)
    next_check_at = models.DateTimeField(default=clock.now)
    waiting_for = models.CharField(max_length=40, default="")
    policy = models.CharField(max_length=40, default="")
    oldest_due = models.DateField(null=True)
    steps_taken = models.IntegerField(default=0)
    tries = models.IntegerField(default=0)
    parked_at = models.DateTimeField(null=True)
    park_reason = models.TextField(default="")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account"], name="case_one_open", condition=Q(closed_at=None)),
            models.CheckConstraint(name="case_stage", condition=Q(stage__in=[stage.value for stage in words.Stage])),
        ]
        indexes: ClassVar = [
            models.Index(fields=["account", "opened_at"], name="case_account"),
            models.Index(fields=["next_check_at", "id"], name="case_due", condition=Q(closed_at=None, parked_at=None)),
            models.Index(
                fields=["next_check_at", "id"],
                name="case_no_way",
                condition=Q(closed_at=None, waiting_for="no_way_proven"),
            ),
        ]


class CaseStep(Row):
    """What was decided, when, by which policy and on which facts: enough to decide it again. Only added to."""

    case = models.ForeignKey(Case, models.PROTECT, related_name="steps", db_index=False)
    account = models.ForeignKey(Account, models.PROTECT, related_name="+", db_index=False)
    step = models.CharField(max_length=24)
    decided_at = models.DateTimeField(default=clock.now)
    policy = models.CharField(max_length=40)
    facts = models.JSONField(default=dict)
    decision = models.JSONField(default=dict)
    notice_id = models.UUIDField(null=True)
    key = models.CharField(max_length=160, unique=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["case", "decided_at"], name="step_case"),
            models.Index(fields=["account", "decided_at"], name="step_account"),
        ]


class Hold(Row):
    """An interval in which the clock stands. `until` None: until lifted; a lifted one ends at `lifted_at`."""

    account = models.ForeignKey(Account, models.PROTECT, related_name="holds", db_index=False)
    case = models.ForeignKey(Case, models.PROTECT, null=True, related_name="holds", db_index=False)
    kind = models.CharField(max_length=12, choices=HOLDS)
    start = models.DateTimeField()
    until = models.DateTimeField(null=True)
    reason = models.CharField(max_length=200)
    key = models.CharField(max_length=160, unique=True)
    lifted_at = models.DateTimeField(null=True)
    lift_reason = models.CharField(max_length=200, default="")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(name="hold_order", condition=Q(until=None) | Q(until__gt=F("start"))),
            models.CheckConstraint(name="hold_lift_order", condition=Q(lifted_at=None) | Q(lifted_at__gte=F("start"))),
        ]
        indexes: ClassVar = [
            models.Index(fields=["account", "start"], name="hold_account"),
        ]


class Promise(Row):
    """A dated promise with the clock stopped: the customer's to pay, or ours to mend. `amount` is what was owed then.

    `next_look_at` is when to see whether it was kept; `told_at` when we told the customer that it works again;
    `waits_for` the way whose repair is waited for, if it is about one: while that is away nobody needs to look.
    """

    account = models.ForeignKey(Account, models.PROTECT, related_name="promises", db_index=False)
    hold = models.OneToOneField(Hold, models.PROTECT, related_name="promise")
    whose = models.CharField(max_length=8, choices=[(one.value, one.value) for one in words.Whose])
    until = models.DateTimeField()
    amount = models.BigIntegerField()
    reason = models.CharField(max_length=40)
    key = models.CharField(max_length=160, unique=True)
    kept_at = models.DateTimeField(null=True)
    broken_at = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True)
    waits_for = models.CharField(max_length=60, default="", blank=True)
    next_look_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(name="promise_one_end", condition=Q(kept_at=None) | Q(broken_at=None)),
            models.CheckConstraint(name="promise_amount", condition=Q(amount__gte=0)),
        ]
        indexes: ClassVar = [
            models.Index(fields=["account", "until"], name="promise_account"),
            models.Index(fields=["next_look_at", "id"], name="promise_open", condition=Q(kept_at=None, broken_at=None)),
        ]


class PromiseBill(Row):
    """A bill that a promise is about."""

    promise = models.ForeignKey(Promise, models.PROTECT, related_name="bills", db_index=False)
    bill = models.ForeignKey(Bill, models.PROTECT, related_name="+")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["promise", "bill"], name="promise_bill_once")]


class LateFee(Row):
    """The decision to add a fee, once a bill; billing posts it. `last_free`: the last day without it, as known then."""

    bill = models.OneToOneField(Bill, models.PROTECT, related_name="late_fee_decision")
    account = models.ForeignKey(Account, models.PROTECT, related_name="+")
    step = models.ForeignKey(CaseStep, models.PROTECT, related_name="+", db_index=False)
    amount = models.BigIntegerField()
    last_free = models.DateField()
    reversed_at = models.DateTimeField(null=True)
    reverse_reason = models.CharField(max_length=80, default="")

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(name="late_fee_above_zero", condition=Q(amount__gt=0))]


class Misled(Row):
    """An account that was told that a way named to it fails, by exposure; `why`: tried, near or lasts (see `misled`).

    `notice_id` None: nothing was owed, or it had just been told of another failure. `back_at`: told, or found to need
    no telling, that it works again.
    """

    account = models.ForeignKey(Account, models.PROTECT, related_name="+", db_index=False)
    exposure_id = models.UUIDField()
    way = models.CharField(max_length=60)
    why = models.CharField(max_length=8)
    told_at = models.DateTimeField()
    notice_id = models.UUIDField(null=True)
    back_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["account", "exposure_id"], name="misled_once")]
        indexes: ClassVar = [
            models.Index(fields=["exposure_id", "id"], name="misled_not_back", condition=Q(back_at=None)),
            models.Index(fields=["account", "told_at"], name="misled_account"),
        ]


class HarmUndone(Row):
    """What was taken back of an exposure when it was found: fees and bars decided after its onset. Once an exposure."""

    exposure_id = models.UUIDField(unique=True)
    way = models.CharField(max_length=60)
    misled = models.IntegerField()
    fees = models.IntegerField()
    bars = models.IntegerField()


class LineCommand(Row):
    """What we ask of the network for one line; the newest wins. `confirmed` only when the network itself shows it."""

    class State(models.TextChoices):
        DUE = "due"
        SENT = "sent"
        CONFIRMED = "confirmed"
        SUPERSEDED = "superseded"

    line = models.ForeignKey(Line, models.PROTECT, related_name="commands", db_index=False)
    account = models.ForeignKey(Account, models.PROTECT, related_name="+", db_index=False)
    case = models.ForeignKey(Case, models.PROTECT, null=True, related_name="commands")
    wanted = models.CharField(max_length=8, choices=BARS)
    reason = models.CharField(max_length=60)
    notice_id = models.UUIDField(null=True)
    state = models.CharField(max_length=10, choices=State, default=State.DUE)
    requested_at = models.DateTimeField(default=clock.now)
    sent_at = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True)
    tries = models.IntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["line"], name="command_one_live", condition=Q(state__in=["due", "sent"])),
        ]
        indexes: ClassVar = [
            models.Index(fields=["line", "requested_at"], name="command_line"),
            models.Index(fields=["account", "requested_at"], name="command_account"),
        ]


class DueReminder(Row):
    """A customer was reminded of a bill before its due date, once."""

    bill = models.OneToOneField(Bill, models.PROTECT, related_name="due_reminder")
    notice_id = models.UUIDField()

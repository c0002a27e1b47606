"""A notice to one party of an account, and what became of each try to bring it. Texts are not stored (rule 11)."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from doenda.billing.models import Account, Bill, Party
from doenda.kernel import clock
from doenda.kernel.models import Row


class Notice(Row):
    """One thing that a customer is told. `handed_at`: the last try that may have reached the gateway.

    `held_reason` says in plain words why a held one waits, and why a failed or cancelled one ended.
    """

    class State(models.TextChoices):
        DUE = "due"
        HELD = "held"
        SENT = "sent"
        DELIVERED = "delivered"
        FAILED = "failed"
        CANCELLED = "cancelled"

    account = models.ForeignKey(Account, models.PROTECT, related_name="notices", db_constraint=False, db_index=False)
    bill = models.ForeignKey(Bill, models.PROTECT, null=True, related_name="+", db_constraint=False, db_index=False)
    party = models.ForeignKey(Party, models.PROTECT, null=True, related_name="+", db_constraint=False, db_index=False)
    kind = models.CharField(max_length=24)
    lang = models.CharField(max_length=2)
    params = models.JSONField(default=dict)
    key = models.CharField(max_length=120, unique=True)
    due_at = models.DateTimeField(default=clock.now)
    state = models.CharField(max_length=9, choices=State, default=State.DUE)
    held_reason = models.CharField(max_length=200, default="", blank=True)
    urgent = models.BooleanField(default=False)
    legal = models.BooleanField(default=False)
    handed_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    gateway = models.CharField(max_length=20, default="", blank=True)
    receipt_due_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="notice_delivered_at", condition=~Q(state="delivered") | Q(delivered_at__isnull=False)
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["account", "created_at"], name="notice_account"),
            models.Index(fields=["receipt_due_at", "id"], name="notice_receipt_due", condition=Q(state="sent")),
            models.Index(fields=["due_at"], name="notice_waiting", condition=Q(state__in=["due", "held"])),
        ]


class Delivery(Row):
    """One event of one try. `ways` of a hand-over: the slugs that its text named (or led to) as proven."""

    class Event(models.TextChoices):
        HANDED_OVER = "handed_over"
        NOT_SENT = "not_sent"
        NO_ANSWER = "no_answer"
        ACCEPTED = "accepted"
        DELIVERED = "delivered"
        FAILED = "failed"

    notice = models.ForeignKey(Notice, models.PROTECT, related_name="deliveries", db_constraint=False)
    gateway = models.CharField(max_length=20)
    gateway_ref = models.CharField(max_length=80, default="", blank=True)
    at = models.DateTimeField()
    event = models.CharField(max_length=12, choices=Event)
    detail = models.CharField(max_length=200, default="", blank=True)
    ways = ArrayField(models.CharField(max_length=60), default=list)


class Segment(Row):
    """A piece of a text that was handed, or is being handed, to an SMS centre. `ref`: our id of the text.

    `attempt` counts texts that differ: a repeat of the very same one (`digest`, keyed) sends only what is missing.
    `doubts`: times that it left and no answer came. `status` is the centre's last word, 0 for taken; `message_id` its
    id there, in the form in which delivery receipts are matched. `to_tail`: the number's last digits.
    """

    ref = models.CharField(max_length=26)
    attempt = models.SmallIntegerField()
    number = models.SmallIntegerField()
    total = models.SmallIntegerField()
    concat = models.SmallIntegerField()
    digest = models.CharField(max_length=64)
    to_tail = models.CharField(max_length=8)
    submitted_at = models.DateTimeField(null=True)
    doubts = models.SmallIntegerField(default=0)
    status = models.BigIntegerField(null=True)
    message_id = models.CharField(max_length=80, default="", blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["ref", "attempt", "number"], name="segment_once"),
            models.CheckConstraint(
                name="segment_place", condition=Q(number__gte=1, number__lte=models.F("total"), doubts__gte=0)
            ),
            models.CheckConstraint(name="segment_id_of_taken", condition=Q(message_id="") | Q(status=0)),
        ]
        indexes: ClassVar = [
            models.Index(fields=["message_id"], name="segment_message", condition=~Q(message_id="")),
            models.Index(fields=["created_at"], name="segment_age"),
        ]


class PushedReceipt(Row):
    """A delivery receipt as an SMS centre pushed it, whether or not we know its message yet; the same one twice is one.

    `created_at` is when it came. `numbers`: the last digits of both its addresses.
    """

    message_id = models.CharField(max_length=80)
    state = models.CharField(max_length=10)
    detail = models.CharField(max_length=60, default="", blank=True)
    numbers = ArrayField(models.CharField(max_length=8), default=list)
    digest = models.CharField(max_length=64)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["message_id", "digest"], name="pushed_receipt_once"),
            models.CheckConstraint(
                name="pushed_receipt_state",
                condition=Q(state__in=["accepted", "delivered", "failed", "unknown"]) & ~Q(message_id=""),
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["created_at"], name="pushed_receipt_age")]

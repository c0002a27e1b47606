"""Tickets: one `queued_at` for each customer who waits for a person, whatever the channel; and what holds them."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from doenda.billing.models import Account, Bill
from doenda.kernel import clock
from doenda.kernel.models import Row

IN_LINE = ("waiting", "away", "callback")
CALL = "call"
"""The line's channel for telephone calls."""
CLOSED = ("done", "gone")


class Ticket(Row):
    """A customer's place in line. `answer_by` is the date that was promised; `phone` (E.164) is where to call.

    `account` is empty for a caller whose number we do not know: they are called back like anybody else. A ticket on
    the desk is answered by its date and stands in no line; `away` keeps its place until `kept_until`; `callback` stands
    in line from `window_from` on, without a channel. `dated`: the customer was told `answer_by`, so it is answered even
    if they call meanwhile and hang up. `lost`: contacts of this customer that ended before a person answered, those of
    the tickets `joined_into` this one among them.
    """

    class Kind(models.TextChoices):
        PERSON = "person"
        DISPUTE = "dispute"
        ALREADY_PAID = "already_paid"
        REPORT = "report"
        UNKNOWN_OUTCOME = "unknown_outcome"
        REFUND = "refund"

    class State(models.TextChoices):
        DESK = "desk"
        WAITING = "waiting"
        AWAY = "away"
        CALLBACK = "callback"
        OFFERED = "offered"
        TALKING = "talking"
        WRAPPING_UP = "wrapping_up"
        DONE = "done"
        GONE = "gone"

    kind = models.CharField(max_length=16, choices=Kind)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, null=True, related_name="tickets")
    bill = models.ForeignKey(Bill, on_delete=models.PROTECT, null=True, related_name="tickets")
    key = models.CharField(max_length=120, unique=True)
    channel = models.CharField(max_length=20)
    lang = models.CharField(max_length=2)
    phone = models.CharField(max_length=20, blank=True)
    wanted = models.CharField(max_length=20, blank=True)
    words = models.TextField(blank=True)
    queued_at = models.DateTimeField(default=clock.now)
    answer_by = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    answered_by = models.CharField(max_length=80, blank=True)
    answer = models.TextField(blank=True)
    state = models.CharField(max_length=12, choices=State, default=State.DESK)
    skill = models.CharField(max_length=40, blank=True)
    priority = models.SmallIntegerField(default=0)
    lost = models.IntegerField(default=0)
    joined_into = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="joined")
    kept_until = models.DateTimeField(null=True)
    window_from = models.DateTimeField(null=True)
    window_until = models.DateTimeField(null=True)
    dated = models.BooleanField(default=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(name="ticket_kept_while_away", condition=Q(state="away") ^ Q(kept_until=None)),
            models.CheckConstraint(name="ticket_closed", condition=Q(state__in=CLOSED) ^ Q(closed_at=None)),
            models.CheckConstraint(
                name="ticket_callback_has_number",
                condition=~Q(state="callback") | (~Q(phone="") & Q(window_from__isnull=False)),
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["queued_at"], name="ticket_waiting", condition=Q(answered_at=None)),
            models.Index(fields=["account", "queued_at"], name="ticket_account"),
            models.Index(fields=["-priority", "queued_at", "id"], name="ticket_line", condition=Q(state__in=IN_LINE)),
            models.Index(fields=["phone", "queued_at"], name="ticket_phone", condition=~Q(phone="")),
        ]


class Holding(Row):
    """A channel holding a ticket: a call, a page, a conversation in messages, known by `call_id` on its channel.
    `proven`: whoever is on it has shown that the account is theirs (a number that the network shows can be forged).

    It lasts while its lease is renewed. Waiting ended at `waited_until` by `end`: a person answered (served), the
    customer went (gone), the line broke (dropped), a callback was chosen (callback), another channel
    still holds it (moved).
    """

    ticket = models.ForeignKey(Ticket, on_delete=models.PROTECT, related_name="holdings", db_index=False)
    channel = models.CharField(max_length=20)
    call_id = models.CharField(max_length=120)
    proven = models.BooleanField(default=False)
    lease_until = models.DateTimeField()
    waited_until = models.DateTimeField(null=True)
    end = models.CharField(max_length=10, blank=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["channel", "call_id"], name="holding_once", condition=Q(ended_at=None)),
            models.CheckConstraint(name="holding_end", condition=Q(end="") ^ Q(waited_until__isnull=False)),
        ]
        indexes: ClassVar = [
            models.Index(fields=["ticket", "created_at"], name="holding_ticket"),
            models.Index(fields=["lease_until"], name="holding_live", condition=Q(ended_at=None)),
            models.Index(fields=["waited_until"], name="holding_waited", condition=Q(waited_until__isnull=False)),
        ]

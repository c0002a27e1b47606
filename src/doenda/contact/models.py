"""Tickets: one `queued_at` for each customer who waits for a person, whatever the channel."""

from typing import ClassVar

from django.db import models

from doenda.billing.models import Account, Bill
from doenda.kernel import clock
from doenda.kernel.models import Row


class Ticket(Row):
    """A customer's place in line. `answer_by` is the date that was promised; `phone` (E.164) is where to call.

    `account` is empty for a caller whose number we do not know: they are called back like anybody else.
    """

    class Kind(models.TextChoices):
        PERSON = "person"
        DISPUTE = "dispute"
        ALREADY_PAID = "already_paid"
        REPORT = "report"
        UNKNOWN_OUTCOME = "unknown_outcome"
        REFUND = "refund"

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

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["queued_at"], name="ticket_waiting", condition=models.Q(answered_at=None)),
            models.Index(fields=["account", "queued_at"], name="ticket_account"),
        ]

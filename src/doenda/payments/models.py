"""Attempts and their bills, their moves, providers' doorbells, refunds.

What Django cannot declare stands in migration 0002: `attempt_bill.in_flight` follows the attempt's by a foreign key on
(id, in_flight), and every move refers to the edge table.
"""

from typing import ClassVar

from django.db import models

from doenda.billing.models import Account, Bill
from doenda.kernel.models import Row
from doenda.payments.states import IN_FLIGHT, State


class Attempt(Row):
    """One try to take money for one or more bills through a provider. `amount` in minor units."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="attempts")
    provider = models.CharField(max_length=20)
    method = models.CharField(max_length=20)
    channel = models.CharField(max_length=20)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=16, default=State.CREATED)
    in_flight = models.BooleanField(default=False)
    synthetic = models.BooleanField(default=False)
    session_id = models.UUIDField(null=True)
    provider_ref = models.CharField(max_length=200, null=True)
    redirect_url = models.TextField(default="")
    expires_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=80, default="")
    ask_at = models.DateTimeField(null=True)
    asked = models.IntegerField(default=0)
    person_owns_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="attempt_amount"),
            models.CheckConstraint(
                condition=models.Q(in_flight=True, state__in=sorted(IN_FLIGHT))
                | (models.Q(in_flight=False) & ~models.Q(state__in=sorted(IN_FLIGHT))),
                name="attempt_in_flight",
            ),
            models.UniqueConstraint(fields=["provider", "provider_ref"], name="attempt_provider_ref"),
            models.UniqueConstraint(fields=["id", "in_flight"], name="attempt_id_in_flight"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["account", "created_at"], name="attempt_account"),
            models.Index(fields=["ask_at"], name="attempt_ask", condition=models.Q(ask_at__isnull=False)),
            models.Index(
                fields=["expires_at"],
                name="attempt_expires",
                condition=models.Q(state__in=["created", "needs_redirect"]),
            ),
        ]

    @property
    def way(self) -> str:
        return f"{self.channel}/{self.method}/{self.provider}"


class AttemptBill(models.Model):
    """What part of an attempt is for which bill (minor units)."""

    attempt = models.ForeignKey(Attempt, on_delete=models.PROTECT, related_name="bills", db_constraint=False)
    bill = models.ForeignKey(Bill, on_delete=models.PROTECT, related_name="attempt_bills")
    amount = models.BigIntegerField()
    in_flight = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="attempt_bill_amount"),
            models.UniqueConstraint(fields=["attempt", "bill"], name="attempt_bill_once"),
            models.UniqueConstraint(
                fields=["bill"], name="bill_one_attempt_in_flight", condition=models.Q(in_flight=True)
            ),
        ]


class AttemptEdge(models.Model):
    """The declared moves (payments/states.py), for the database to hold to."""

    source = models.CharField(max_length=16)
    target = models.CharField(max_length=16)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["source", "target"], name="attempt_edge")]


class AttemptMove(Row):
    """One move of one attempt, and why. Only ever added to."""

    attempt = models.ForeignKey(Attempt, on_delete=models.PROTECT, related_name="moves")
    source = models.CharField(max_length=16)
    target = models.CharField(max_length=16)
    cause = models.CharField(max_length=120)


class Doorbell(Row):
    """Something a provider sent us. Nothing in it is believed: it only makes us ask."""

    provider = models.CharField(max_length=20)
    transmission = models.CharField(max_length=80)
    genuine = models.BooleanField()
    order_id = models.CharField(max_length=64, default="")
    body = models.TextField()
    result = models.CharField(max_length=80, default="")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["provider", "transmission"], name="doorbell_once", condition=models.Q(genuine=True)
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["created_at"], name="doorbell_forged", condition=models.Q(genuine=False)),
        ]


class Refund(Row):
    """Money to give back to where it came from: one row an action, one key at the provider."""

    attempt = models.ForeignKey(Attempt, on_delete=models.PROTECT, related_name="refunds")
    amount = models.BigIntegerField()
    reason = models.CharField(max_length=80)
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="refund_amount"),
            models.UniqueConstraint(fields=["attempt", "reason"], name="refund_once"),
        ]

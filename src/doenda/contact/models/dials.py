"""Calls that we make: at most one live for a ticket and for a number, within the day's money."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from doenda.billing.models import Account
from doenda.contact.models.tickets import Ticket
from doenda.kernel.models import Row


class Dial(Row):
    """One try to call a customer back. `reserved` and `cost` in minor units; `end`: answered, busy, silent, failed,
    came (the customer was back by themselves), withdrawn (no longer wanted, or nobody is free)."""

    ticket = models.ForeignKey(Ticket, on_delete=models.PROTECT, related_name="dials", db_index=False)
    number = models.CharField(max_length=20)
    tries = models.IntegerField()
    lease_until = models.DateTimeField()
    reserved = models.BigIntegerField()
    cost = models.BigIntegerField(null=True)
    ended_at = models.DateTimeField(null=True)
    end = models.CharField(max_length=10, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["ticket"], name="dial_one_a_ticket", condition=Q(ended_at=None)),
            models.UniqueConstraint(fields=["number"], name="dial_one_a_number", condition=Q(ended_at=None)),
            models.CheckConstraint(name="dial_end", condition=Q(end="") ^ Q(ended_at__isnull=False)),
        ]
        indexes: ClassVar = [
            models.Index(fields=["ticket", "created_at"], name="dial_ticket"),
            models.Index(fields=["number", "created_at"], name="dial_number"),
        ]


class DialDay(models.Model):
    """What a day's calls have cost or may yet cost, in minor units; its row is the breaker's lock."""

    day = models.DateField(primary_key=True)
    spent = models.BigIntegerField(default=0)
    most = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(name="dial_day_spent", condition=Q(spent__gte=0)),
        ]


class ProvenNumber(Row):
    """A number that proved itself to be its customer's, and `how`: somebody who has it typed what was sent to it."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, null=True, related_name="+")
    number = models.CharField(max_length=20)
    how = models.CharField(max_length=20)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["number", "account"], name="proven_once", nulls_distinct=False),
        ]

"""What was told of a wait, and what became of it."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from doenda.contact.models.tickets import Ticket
from doenda.kernel.models import Row


class Estimate(Row):
    """One telling, made at `created_at`; times in seconds. `low` and `high` are what was said, empty where no number
    was honest. `outcome`: served, or why it was not; `waited` from the telling on, `covered`: not later than `high`."""

    ticket = models.ForeignKey(Ticket, on_delete=models.PROTECT, related_name="estimates", db_index=False)
    channel = models.CharField(max_length=20)
    rule = models.CharField(max_length=8, blank=True)
    position = models.IntegerField()
    agents = models.IntegerField()
    ready = models.IntegerField()
    mu = models.FloatField(null=True)
    theta = models.FloatField()
    mean = models.FloatField(null=True)
    variance = models.FloatField(null=True)
    low = models.IntegerField(null=True)
    high = models.IntegerField(null=True)
    said_position = models.BooleanField(default=False)
    longer = models.BooleanField(default=False)
    first = models.BooleanField()
    outcome = models.CharField(max_length=10, blank=True)
    waited = models.FloatField(null=True)
    error = models.FloatField(null=True)
    covered = models.BooleanField(null=True)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="estimate_range", condition=Q(low=None, high=None) | Q(high__gte=1, low__gte=0)
            ),
            models.CheckConstraint(name="estimate_settled", condition=Q(outcome="") ^ Q(settled_at__isnull=False)),
        ]
        indexes: ClassVar = [
            models.Index(fields=["ticket", "created_at"], name="estimate_ticket"),
            models.Index(fields=["created_at"], name="estimate_served", condition=Q(outcome="served")),
        ]

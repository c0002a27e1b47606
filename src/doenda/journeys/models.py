"""Sessions: one customer's progress through one journey, walked on one channel or on several at once."""

from typing import ClassVar

from django.db import models

from doenda.billing.models import Account, Bill
from doenda.kernel import clock
from doenda.kernel.models import Row


class Session(Row):
    """`step`, `data` and `version` are the engine's state. `address` is its unguessable name outside (a hash is kept).

    `device`: the kind in front of the customer, as its browser last said it (assurance.devices).

    While an action runs, the session stands on its step and `busy_until` says until when nobody else runs it.
    """

    journey = models.CharField(max_length=20)
    journey_version = models.IntegerField()
    account = models.ForeignKey(Account, on_delete=models.PROTECT, null=True, related_name="sessions")
    bill = models.ForeignKey(Bill, on_delete=models.PROTECT, null=True, related_name="sessions")
    digest = models.BinaryField(max_length=32, unique=True)
    channel = models.CharField(max_length=20)
    lang = models.CharField(max_length=2)
    device = models.CharField(max_length=20, default="", blank=True)
    step = models.CharField(max_length=40)
    data = models.JSONField(default=dict)
    version = models.IntegerField(default=0)
    busy_until = models.DateTimeField(null=True)
    moved_at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["account", "created_at"], name="session_account"),
            models.Index(fields=["moved_at"], name="session_stale", condition=models.Q(account=None)),
        ]

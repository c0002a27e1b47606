"""Sessions: one customer's progress through one journey, walked on one channel or on several at once."""

from typing import ClassVar

from django.db import models

from doenda.billing.models import Account, Bill
from doenda.kernel import clock
from doenda.kernel.models import Row


class Session(Row):
    """`step`, `data` and `version` are the engine's state. `address` is its unguessable name outside (a hash is kept).

    `device`: the kind in front of the customer, as its browser last said it (assurance.devices). `call`: the telephone
    call that walks it too, "" if there is none; `screened_at`: since when a page walks it beside the call.

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
    call = models.CharField(max_length=64, default="", blank=True)
    screened_at = models.DateTimeField(null=True)
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


class Invitation(Row):
    """A text that brings the session of a call to the screen of the telephone that calls (journeys.screens).

    `digits` are said in the call and typed on the page, so that page and call are in one hand. `sealed`: the session's
    address. It is used once, until `until`, with a few tries.
    """

    call = models.CharField(max_length=64)
    phone = models.CharField(max_length=20)
    sealed = models.BinaryField()
    digits = models.CharField(max_length=2)
    tries = models.SmallIntegerField(default=0)
    until = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["call", "created_at"], name="invitation_call")]


class CallCode(Row):
    """Digits that an open page shows, for its customer to key into a call: the other way round (journeys.screens)."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="call_codes")
    code = models.CharField(max_length=8, unique=True)
    sealed = models.BinaryField()
    until = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

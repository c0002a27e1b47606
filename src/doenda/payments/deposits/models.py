"""Rows of leased numbers: the pool, leases, the bank's lines, how far its list has been read.

That a lease's `span` says what its columns say, and that no two spans overlap, the database holds to (migration 0005).
"""

from typing import ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import BigIntegerRangeField, RangeOperators
from django.db import models
from django.db.models import Q

from doenda.billing.models import Account
from doenda.kernel import clock
from doenda.kernel.ids import outside
from doenda.kernel.models import Row
from doenda.payments.rows import Attempt


class DepositNumber(models.Model):
    """One account number of the pool. `free_at`: from when it may be leased; None while it is.

    Its key is a small integer, because it places the number's leases on one line of time (`rules.span`).
    """

    id = models.AutoField(primary_key=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    bank = models.CharField(max_length=10)
    number = models.CharField(max_length=40)
    holder = models.CharField(max_length=60, default="")
    free_at = models.DateTimeField(null=True, default=clock.now)
    retired = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["bank", "number"], name="deposit_number_once"),
            models.CheckConstraint(condition=Q(id__gte=0, id__lt=1 << 29), name="deposit_number_fits"),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["bank", "free_at"],
                name="deposit_number_free",
                condition=Q(free_at__isnull=False, retired=False),
            ),
            models.Index(
                fields=["free_at"], name="deposit_number_any", condition=Q(free_at__isnull=False, retired=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.bank} …{self.number[-4:]}"


class DepositLease(Row):
    """A number that is one attempt's, or one account's for good (`attempt` None).

    `opened_at`: the bank confirmed that it takes deposits; `closed_at`: that it does not any more, and rests until
    `rests_until`. `wishes`: bills in the order in which the payer wants them paid. `try_at`: before then the bank is
    not asked again to open or close it.
    """

    number = models.ForeignKey(DepositNumber, on_delete=models.PROTECT, related_name="leases")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="deposit_leases")
    attempt = models.OneToOneField(Attempt, on_delete=models.PROTECT, null=True, related_name="deposit_lease")
    channel = models.CharField(max_length=20)
    wishes = models.JSONField(default=list)
    since = models.DateTimeField(default=clock.now)
    until = models.DateTimeField(null=True)
    opened_at = models.DateTimeField(null=True)
    close_wanted_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    rests_until = models.DateTimeField(null=True)
    try_at = models.DateTimeField(default=clock.now)
    tries = models.IntegerField(default=0)
    span = BigIntegerRangeField()

    class Meta:
        constraints: ClassVar = [
            ExclusionConstraint(name="deposit_lease_alone", expressions=[("span", RangeOperators.OVERLAPS)]),
            models.UniqueConstraint(
                fields=["account"], name="deposit_lease_own", condition=Q(attempt=None, closed_at=None)
            ),
            models.CheckConstraint(
                condition=Q(closed_at=None, rests_until=None) | Q(closed_at__isnull=False, rests_until__isnull=False),
                name="deposit_lease_rests",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["try_at"], name="deposit_lease_open", condition=Q(closed_at=None)),
        ]

    @property
    def order_id(self) -> str:
        """Under what name the bank knows it: the attempt's, or the lease's own."""
        return outside(self.attempt_id or self.id)


class DepositLine(Row):
    """One movement at the bank, stored once by the bank's own number for it (`ident`), whoever brought it first.

    `kind` "deposit", or "returned" and "taken_back", which are `of` a deposit. `order_id` is the bank's word. A parked
    line has a reason, an owner and a day; who handled it stands in `handled_by`.
    """

    class State(models.TextChoices):
        STORED = "stored"
        POSTED = "posted"
        PARKED = "parked"
        NOTED = "noted"  # nothing to post: its money went away again before it was anybody's
        SENDING_BACK = "sending_back"
        SENT_BACK = "sent_back"

    bank = models.CharField(max_length=10)
    ident = models.CharField(max_length=80)
    kind = models.CharField(max_length=12)
    of = models.CharField(max_length=80, default="")
    number = models.CharField(max_length=40)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    remitter = models.CharField(max_length=60, default="")
    at = models.DateTimeField()
    day_only = models.BooleanField(default=False)
    order_id = models.CharField(max_length=64, default="")
    source = models.CharField(max_length=10)
    lease = models.ForeignKey(DepositLease, on_delete=models.PROTECT, null=True, related_name="lines")
    attempt = models.ForeignKey(Attempt, on_delete=models.PROTECT, null=True, related_name="deposit_lines")
    state = models.CharField(max_length=12, choices=State, default=State.STORED)
    reason = models.CharField(max_length=80, default="")
    owner = models.CharField(max_length=10, default="")
    due_at = models.DateTimeField(null=True)
    asked_by = models.CharField(max_length=80, default="")
    handled_by = models.CharField(max_length=80, default="")
    handled_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["bank", "ident"], name="deposit_line_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="deposit_line_amount"),
            models.UniqueConstraint(
                fields=["attempt"], name="deposit_line_attempt", condition=Q(kind="deposit", attempt__isnull=False)
            ),
            models.CheckConstraint(
                condition=~Q(state="parked") | (~Q(reason="") & ~Q(owner="") & Q(due_at__isnull=False)),
                name="deposit_line_parked_owned",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["id"], name="deposit_line_stored", condition=Q(state="stored")),
            models.Index(fields=["due_at"], name="deposit_line_parked", condition=Q(state="parked")),
            models.Index(fields=["bank", "of"], name="deposit_line_of", condition=~Q(of="")),
            models.Index(fields=["bank", "number", "at"], name="deposit_line_number"),
        ]

    @property
    def ref(self) -> str:
        """The provider's key of it, and so of the fact of its posting."""
        return f"{self.bank}-{self.ident}"


class DepositFeed(models.Model):
    """One row: how far the bank's list is read. Its lock lets one process at a time store lines.

    `read_at`: when it was last read to its end. `checked`: up to here nothing will be listed late any more. `trouble`:
    why the list could not be read, since when.
    """

    id = models.SmallIntegerField(primary_key=True, default=1)
    cursor = models.BigIntegerField(default=0)
    read_at = models.DateTimeField(null=True)
    checked = models.BigIntegerField(default=0)
    checked_at = models.DateTimeField(null=True)
    numbers = models.IntegerField(default=0)
    numbers_at = models.DateTimeField(null=True)
    trouble = models.CharField(max_length=80, default="")
    trouble_since = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(condition=Q(id=1), name="deposit_feed_one_row")]

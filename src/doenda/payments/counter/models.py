"""Rows of the counter: stores, shifts, the drawer's moves, slips, what a clerk pressed, receipts, payouts.

Who made something never checks it: constraints say so, and every action says it first.
"""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from doenda.billing.models import Account
from doenda.kernel.models import Row


class Store(Row):
    """A shop with tills. `code` stands in its receipts' numbers."""

    code = models.CharField(max_length=10, unique=True)
    name = models.CharField(max_length=80)
    closed_at = models.DateTimeField(null=True)


class StoreYear(models.Model):
    """The last receipt number of a store in a year: the one row that two clerks of a store wait for."""

    store = models.ForeignKey(Store, on_delete=models.PROTECT)
    year = models.SmallIntegerField()
    last = models.IntegerField(default=0)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["store", "year"], name="store_year")]


class Shift(Row):
    """One clerk's time at one till, from a counted float to a blind count. Minor units.

    Once counted it takes nothing more. `difference` = counted - expected; above the policy's limit a second person
    must agree before it is closed.
    """

    store = models.ForeignKey(Store, on_delete=models.PROTECT, related_name="shifts")
    till = models.CharField(max_length=10)
    clerk = models.CharField(max_length=80)
    currency = models.CharField(max_length=3)
    float_amount = models.BigIntegerField()
    counted = models.BigIntegerField(null=True)
    expected = models.BigIntegerField(null=True)
    difference = models.BigIntegerField(null=True)
    counted_at = models.DateTimeField(null=True)
    needs_two = models.BooleanField(default=False)
    second = models.CharField(max_length=80, default="")
    reason = models.CharField(max_length=120, default="")
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["store", "till"], name="shift_one_a_till", condition=Q(closed_at=None)),
            models.UniqueConstraint(fields=["clerk"], name="shift_one_a_clerk", condition=Q(closed_at=None)),
            models.CheckConstraint(condition=Q(float_amount__gte=0), name="shift_float"),
            models.CheckConstraint(
                condition=Q(counted=None, expected=None, difference=None, counted_at=None)
                | Q(
                    counted__gte=0,
                    expected__isnull=False,
                    counted_at__isnull=False,
                    difference=F("counted") - F("expected"),
                ),
                name="shift_difference",
            ),
            models.CheckConstraint(
                condition=Q(closed_at=None) | Q(counted__isnull=False), name="shift_counted_before_closed"
            ),
            models.CheckConstraint(condition=~Q(second=F("clerk")), name="shift_maker_not_checker"),
            models.CheckConstraint(
                condition=Q(needs_two=False) | Q(closed_at=None) | ~Q(second=""), name="shift_four_eyes"
            ),
        ]


class DrawerMove(Row):
    """Cash into a drawer (change from the bank) or out of it (a skim to the safe). Only ever added to."""

    shift = models.ForeignKey(Shift, on_delete=models.PROTECT, related_name="moves")
    press = models.CharField(max_length=64, unique=True)
    amount = models.BigIntegerField()
    reason = models.CharField(max_length=120)
    by = models.CharField(max_length=80)
    needs_two = models.BooleanField(default=False)
    second = models.CharField(max_length=80, default="")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(amount=0) & ~Q(reason=""), name="drawer_move_says_why"),
            models.CheckConstraint(condition=~Q(second=F("by")), name="drawer_maker_not_checker"),
            models.CheckConstraint(condition=Q(needs_two=False) | ~Q(second=""), name="drawer_four_eyes"),
        ]


class Slip(Row):
    """A number that a customer shows in a store to pay an attempt's bills. Never given to anybody again."""

    number = models.CharField(max_length=10, unique=True)
    attempt = models.OneToOneField("payments.Attempt", on_delete=models.PROTECT, related_name="slip")
    closed_at = models.DateTimeField(null=True)


class Taking(Row):
    """What a clerk pressed: once a press, however often the button was hit. Written before any receipt."""

    press = models.CharField(max_length=64, unique=True)
    shift = models.ForeignKey(Shift, on_delete=models.PROTECT, related_name="takings")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    method = models.CharField(max_length=10)
    amount = models.BigIntegerField()
    tendered = models.BigIntegerField()
    approval = models.CharField(max_length=12, default="")


class Payout(Row):
    """Money of a refund that waits to be handed out at a till: once a key. `withdrawn_at`: it will not be."""

    key = models.CharField(max_length=120, unique=True)
    attempt = models.ForeignKey("payments.Attempt", on_delete=models.PROTECT, related_name="payouts")
    amount = models.BigIntegerField()
    reason = models.CharField(max_length=80)
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_by = models.CharField(max_length=80, default="")

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(condition=Q(amount__gt=0), name="payout_amount")]


class Receipt(Row):
    """The counter's truth: money taken from, or given back to, a customer. Numbered without gaps a store and year.

    Minor units; in cash `tendered` - `change` = `amount`. `approval`: the shop terminal's number for a card, never the
    card's. A voided receipt keeps its number, and says why and who agreed.
    """

    class Kind(models.TextChoices):
        TAKEN = "taken"
        GIVEN_BACK = "given_back"

    store = models.ForeignKey(Store, on_delete=models.PROTECT, related_name="receipts")
    year = models.SmallIntegerField()
    number = models.IntegerField()
    kind = models.CharField(max_length=10, choices=Kind)
    shift = models.ForeignKey(Shift, on_delete=models.PROTECT, related_name="receipts")
    clerk = models.CharField(max_length=80)
    attempt = models.ForeignKey("payments.Attempt", on_delete=models.PROTECT, related_name="receipts")
    taking = models.OneToOneField(Taking, on_delete=models.PROTECT, null=True, related_name="receipt")
    payout = models.OneToOneField(Payout, on_delete=models.PROTECT, null=True, related_name="receipt")
    method = models.CharField(max_length=10, choices=[("cash", "cash"), ("card", "card")])
    amount = models.BigIntegerField()
    tendered = models.BigIntegerField()
    change = models.BigIntegerField(default=0)
    currency = models.CharField(max_length=3)
    approval = models.CharField(max_length=12, default="")
    needs_two = models.BooleanField(default=False)
    second = models.CharField(max_length=80, default="")
    voided_at = models.DateTimeField(null=True)
    voided_by = models.CharField(max_length=80, default="")
    void_second = models.CharField(max_length=80, default="")
    void_reason = models.CharField(max_length=120, default="")
    void_approval = models.CharField(max_length=12, default="")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["store", "year", "number"], name="receipt_number"),
            models.UniqueConstraint(fields=["attempt"], name="receipt_once", condition=Q(kind="taken")),
            models.UniqueConstraint(
                fields=["shift", "approval", "amount", "kind"],
                name="receipt_approval_once",
                condition=Q(method="card", voided_at=None),
            ),
            models.CheckConstraint(
                condition=Q(amount__gt=0, change__gte=0, tendered=F("amount") + F("change")), name="receipt_change"
            ),
            models.CheckConstraint(
                condition=Q(method="cash", approval="") | Q(method="card", change=0) & ~Q(approval=""),
                name="receipt_approval",
            ),
            models.CheckConstraint(
                condition=Q(kind="taken", payout=None, taking__isnull=False)
                | Q(kind="given_back", payout__isnull=False, taking=None),
                name="receipt_kind",
            ),
            models.CheckConstraint(condition=~Q(second=F("clerk")), name="receipt_maker_not_checker"),
            models.CheckConstraint(condition=Q(needs_two=False) | ~Q(second=""), name="receipt_four_eyes"),
            models.CheckConstraint(
                condition=Q(voided_at=None, voided_by="", void_second="")
                | Q(voided_at__isnull=False, kind="taken")
                & ~Q(void_reason="")
                & ~Q(voided_by="")
                & ~Q(void_second="")
                & ~Q(void_second=F("voided_by")),
                name="receipt_void_four_eyes",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["created_at"], name="receipt_at"),
            models.Index(fields=["voided_at"], name="receipt_voided", condition=Q(voided_at__isnull=False)),
        ]

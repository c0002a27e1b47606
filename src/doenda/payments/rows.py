"""Attempts and their bills, their moves, providers' doorbells, refunds.

What Django cannot declare stands in migration 0002: `attempt_bill.in_flight` follows the attempt's by a foreign key on
(id, in_flight), and every move refers to the edge table.
"""

from typing import ClassVar

from django.db import models

from doenda.billing.models import Account, Bill
from doenda.kernel.models import Row
from doenda.payments.states import DATED, IN_FLIGHT, State


class Attempt(Row):
    """One try to take money for one or more bills through a provider. Amounts in minor units.

    `amount` was asked for, `taken` arrived, `given_back` went back. `expires_at`: the payer's own last moment;
    `due_at`: when the result of an instructed debit is due. `details`: what the payer is shown ("pay_into") or the
    provider's script needs ("client"), and what came back with the payer ("token"). `secret`: what a provider's
    unsigned doorbell must bring. `times_paid`: a deposit may be undone and made again, each is a fact of its own.
    """

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="attempts")
    provider = models.CharField(max_length=20)
    method = models.CharField(max_length=20)
    channel = models.CharField(max_length=20)
    device = models.CharField(max_length=20, default="", blank=True)
    amount = models.BigIntegerField()
    taken = models.BigIntegerField(default=0)
    given_back = models.BigIntegerField(default=0)
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=16, default=State.CREATED)
    in_flight = models.BooleanField(default=False)
    synthetic = models.BooleanField(default=False)
    session_id = models.UUIDField(null=True)
    provider_ref = models.CharField(max_length=200, null=True)
    redirect_url = models.TextField(default="")
    details = models.JSONField(default=dict)
    secret = models.CharField(max_length=64, default="")
    mandate_id = models.UUIDField(null=True)
    times_paid = models.SmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=80, default="")
    ask_at = models.DateTimeField(null=True)
    heard_at = models.DateTimeField(null=True)
    asked = models.IntegerField(default=0)
    person_owns_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="attempt_amount"),
            models.CheckConstraint(
                condition=models.Q(given_back__gte=0, given_back__lte=models.F("taken")), name="attempt_given_back"
            ),
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
            models.Index(fields=["ask_at", "id"], name="attempt_ask", condition=models.Q(ask_at__isnull=False)),
            models.Index(
                fields=["expires_at"],
                name="attempt_expires",
                condition=models.Q(state__in=sorted(DATED)),
            ),
            models.Index(fields=["due_at"], name="attempt_instructed", condition=models.Q(state="instructed")),
        ]

    @property
    def way(self) -> str:
        return f"{self.channel}/{self.method}/{self.provider}"

    @property
    def fact_id(self) -> str:
        """The external id of the posting of its latest payment."""
        again = f"#{self.times_paid}" if self.times_paid > 1 else ""
        return f"{self.provider}:{self.provider_ref}{again}"


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
    """Something a provider sent us. Nothing in it is believed: it only makes us ask. `genuine` None: it is unsigned."""

    provider = models.CharField(max_length=20)
    transmission = models.CharField(max_length=80)
    genuine = models.BooleanField(null=True)
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
            models.Index(
                fields=["created_at"],
                name="doorbell_forged",
                condition=models.Q(genuine=False) | models.Q(genuine=None),
            ),
        ]


class Refund(Row):
    """Money to give back to where it came from: one row an action, one key at the provider, once a reason.

    `of_credit`: it gives back what is the customer's credit (overpaid, or of a bill cancelled since), already set aside
    from it; otherwise the whole payment goes back and its bills are owed again. `back_to`: the payer's own account,
    sealed, if it cannot go to its source. Above the policy's limit somebody else than who asked must approve.
    """

    attempt = models.ForeignKey(Attempt, on_delete=models.PROTECT, related_name="refunds")
    amount = models.BigIntegerField()
    reason = models.CharField(max_length=80)
    of_credit = models.BooleanField(default=False)
    asked_by = models.CharField(max_length=80, default="system")
    needs_two = models.BooleanField(default=False)
    approved_by = models.CharField(max_length=80, default="")
    back_to = models.BinaryField(null=True)
    done_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    code = models.CharField(max_length=80, default="")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="refund_amount"),
            models.UniqueConstraint(fields=["attempt", "reason"], name="refund_once"),
            models.CheckConstraint(
                condition=~models.Q(approved_by=models.F("asked_by")), name="refund_maker_not_checker"
            ),
            models.CheckConstraint(
                condition=models.Q(needs_two=False) | models.Q(done_at=None) | ~models.Q(approved_by=""),
                name="refund_four_eyes",
            ),
            models.CheckConstraint(
                condition=models.Q(done_at=None) | models.Q(failed_at=None), name="refund_done_or_failed"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["created_at"], name="refund_open", condition=models.Q(done_at=None, failed_at=None)),
        ]


class RefundCase(Row):
    """What a customer paid too much, until it is back: an owner and a day by which it must be.

    `owner` "system": `refund` is on its way; "desk": a person has to find out where to send it, or to approve it.
    """

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="refund_cases")
    attempt = models.ForeignKey(Attempt, on_delete=models.PROTECT, related_name="refund_cases")
    fact_id = models.CharField(max_length=128, unique=True)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    owner = models.CharField(max_length=10, choices=[("system", "system"), ("desk", "desk")])
    due_at = models.DateTimeField()
    refund = models.OneToOneField(Refund, on_delete=models.PROTECT, null=True, related_name="case")
    closed_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=40, default="")

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(condition=models.Q(amount__gt=0), name="refund_case_amount")]
        indexes: ClassVar = [
            models.Index(fields=["due_at"], name="refund_case_open", condition=models.Q(closed_at=None)),
            models.Index(fields=["account"], name="refund_case_account"),
        ]

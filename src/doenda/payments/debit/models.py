"""Rows of debits: mandates, what is to be debited, files out, answers in, and what could not be understood.

Amounts are minor units. Account numbers and whole files are sealed (sealing.py); no row holds one in the clear.
"""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from doenda.billing.models import Account
from doenda.kernel import clock
from doenda.kernel.models import Row


class Mandate(Row):
    """A customer's standing authority to debit an account or a kept card, with the proof of consent.

    `payer`: our number of the payer at the clearing house. `sealed_number`: account number, IBAN or billing key.
    `sealed_check`: birth date or company number, which the bank compares. `consent_sha256` is that of the stored proof
    (the signed form, the recording, the scan); `consent_text` names the version of the text that was shown.
    """

    class Kind(models.TextChoices):
        BANK = "bank"
        CARD = "card"

    class State(models.TextChoices):
        REQUESTED = "requested"
        ACTIVE = "active"
        REFUSED = "refused"
        CANCELLED = "cancelled"

    class Consent(models.TextChoices):
        SIGNATURE = "signature"
        RECORDING = "recording"
        PAPER = "paper"

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="mandates", db_index=False)
    kind = models.CharField(max_length=4, choices=Kind)
    scheme = models.CharField(max_length=4, choices=[("cms", "cms"), ("sepa", "sepa"), ("toss", "toss")])
    payer = models.CharField(max_length=20, unique=True)
    bank = models.CharField(max_length=11, default="", blank=True)
    sealed_number = models.BinaryField()
    last_two = models.CharField(max_length=2)
    holder = models.CharField(max_length=70)
    sealed_check = models.BinaryField(default=b"")
    consent = models.CharField(max_length=10, choices=Consent)
    consent_text = models.CharField(max_length=40)
    consent_at = models.DateTimeField()
    consent_visitor = models.CharField(max_length=80)
    consent_sha256 = models.CharField(max_length=64)
    state = models.CharField(max_length=9, choices=State, default=State.REQUESTED)
    active_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=80, default="", blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account"], name="mandate_one_active", condition=Q(state="active")),
            models.CheckConstraint(condition=Q(consent_sha256__regex="^[0-9a-f]{64}$"), name="mandate_consent"),
            models.CheckConstraint(
                condition=Q(kind="bank", scheme__in=["cms", "sepa"]) | Q(kind="card", scheme="toss"),
                name="mandate_scheme",
            ),
            models.CheckConstraint(
                condition=Q(state="requested", active_at=None, ended_at=None)
                | Q(state="active", active_at__isnull=False, ended_at=None)
                | Q(state__in=["refused", "cancelled"], ended_at__isnull=False),
                name="mandate_state",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["account", "created_at"], name="mandate_account")]


class DebitFile(Row):
    """One file to the clearing house, built once; its bytes are kept sealed, `sha256` is that of the bytes sent.

    `person_owns_at`: there was no answer in time. `checked_at`: what its answer left out has got its person.
    """

    class State(models.TextChoices):
        BUILT = "built"
        ACCEPTED = "accepted"
        REFUSED = "refused"

    scheme = models.CharField(max_length=4)
    name = models.CharField(max_length=20, unique=True)
    day = models.DateField()
    sequence = models.SmallIntegerField()
    state = models.CharField(max_length=8, choices=State, default=State.BUILT)
    records = models.IntegerField()
    debits = models.IntegerField()
    debit_sum = models.BigIntegerField()
    refunds = models.IntegerField()
    refund_sum = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    sealed = models.BinaryField()
    results_due_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    results_at = models.DateTimeField(null=True)
    person_owns_at = models.DateTimeField(null=True)
    checked_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=200, default="", blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["scheme", "day", "sequence"], name="debit_file_once"),
            models.CheckConstraint(condition=Q(records=F("debits") + F("refunds")), name="debit_file_sums"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["results_due_at"], name="debit_file_open", condition=Q(checked_at=None)),
        ]


class DebitItem(Row):
    """One debit of a mandate for an attempt, or one refund of it (`kind`, `key`), on its way through a file.

    waiting (may be recalled) -> filed (bound) -> paid | refused; waiting -> recalled; paid -> returned. `home_at`: when
    its outcome had been brought to the attempt (or refund); None while that has yet to be done. `code`: a word of
    providers/debit/codes.py. `answer`: the file that said so last.
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        RECALLED = "recalled"
        FILED = "filed"
        PAID = "paid"
        REFUSED = "refused"
        RETURNED = "returned"

    kind = models.CharField(max_length=6, choices=[("debit", "debit"), ("refund", "refund")], default="debit")
    key = models.CharField(max_length=80, default="", blank=True)
    attempt = models.ForeignKey("payments.Attempt", models.PROTECT, related_name="debit_items", db_index=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    mandate = models.ForeignKey(Mandate, on_delete=models.PROTECT, related_name="items", db_index=False)
    scheme = models.CharField(max_length=4)
    day = models.DateField()
    amount = models.BigIntegerField()
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    file = models.ForeignKey(DebitFile, on_delete=models.PROTECT, null=True, related_name="items", db_index=False)
    serial = models.IntegerField(null=True)
    code = models.CharField(max_length=24, default="", blank=True)
    result_at = models.DateTimeField(null=True)
    answer = models.ForeignKey("payments.DebitAnswer", models.PROTECT, null=True, related_name="+", db_index=False)
    home_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["attempt"], name="debit_item_once", condition=Q(kind="debit")),
            models.UniqueConstraint(fields=["key"], name="debit_refund_once", condition=Q(kind="refund")),
            models.UniqueConstraint(fields=["file", "serial"], name="debit_item_serial"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="debit_item_amount"),
            models.CheckConstraint(condition=Q(kind="debit") | ~Q(key=""), name="debit_refund_key"),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "recalled"], file=None, serial=None)
                | Q(state="refused")
                | Q(file__isnull=False, serial__isnull=False),
                name="debit_item_filed",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["scheme", "day"], name="debit_item_waiting", condition=Q(state="waiting")),
            models.Index(
                fields=["created_at"],
                name="debit_item_not_home",
                condition=Q(home_at=None) & ~Q(state__in=["waiting", "filed"]),
            ),
            models.Index(fields=["attempt"], name="debit_item_attempt"),
        ]


class DebitAnswer(Row):
    """One file from the clearing house: taken whole or refused whole; `report` says why. `again` counts repeats."""

    name = models.CharField(max_length=40)
    sha256 = models.CharField(max_length=64)
    kind = models.CharField(max_length=8, default="", blank=True)
    accepted = models.BooleanField()
    report = models.JSONField(default=dict)
    sealed = models.BinaryField(default=b"")
    done_at = models.DateTimeField(null=True)
    again = models.IntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["sha256"], name="debit_answer_bytes"),
            models.UniqueConstraint(fields=["name"], name="debit_answer_name", condition=Q(accepted=True)),
        ]


class DebitParked(Row):
    """A record of an answer that nobody could place, until a person has: never guessed, never lost."""

    answer = models.ForeignKey(DebitAnswer, on_delete=models.PROTECT, related_name="parked")
    item = models.ForeignKey(DebitItem, on_delete=models.PROTECT, null=True, related_name="parked")
    line = models.IntegerField()
    serial = models.IntegerField()
    amount = models.BigIntegerField()
    code = models.CharField(max_length=16)
    done = models.BooleanField()
    reason = models.CharField(max_length=40)
    owner = models.CharField(max_length=20, default="desk")
    due_at = models.DateTimeField(default=clock.now)
    closed_at = models.DateTimeField(null=True)
    closed_by = models.CharField(max_length=80, default="", blank=True)
    note = models.CharField(max_length=200, default="", blank=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["answer", "line"], name="debit_parked_once")]
        indexes: ClassVar = [models.Index(fields=["due_at"], name="debit_parked_open", condition=Q(closed_at=None))]


class DebitCursor(models.Model):
    """One row a house: the number of the last answer that was looked at."""

    house = models.CharField(max_length=20, primary_key=True)
    number = models.IntegerField(default=0)

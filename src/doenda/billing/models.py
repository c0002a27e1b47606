"""Rows of billing. Amounts are integers of minor units (won, euro cents) in the row's `currency`.

What Django cannot say stands in the first migration: a posting's currency is that of both its books, a bill's that of
its account, and a posting's external fact exists. Postings, external facts, bill events and acknowledgements are only
added to.
"""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from doenda.kernel import clock
from doenda.kernel.models import Row
from doenda.kernel.money import Money

CURRENCY_LENGTH = 3
REMAINING = F("amount") + F("late_fee") - F("paid") - F("credited")


class Party(Row):
    """A person or company; `phone` is E.164 or empty. `reference` is its id in the carrier's files, if any."""

    class Kind(models.TextChoices):
        PERSON = "person"
        COMPANY = "company"
        UNKNOWN = "unknown"

    kind = models.CharField(max_length=8, choices=Kind, default=Kind.PERSON)
    name = models.CharField(max_length=200)
    phone = models.CharField(max_length=20, default="", blank=True)
    email = models.CharField(max_length=254, default="", blank=True)
    language = models.CharField(max_length=2, default="ko")
    reference = models.CharField(max_length=80, default="", blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["reference"], name="party_reference", condition=~Q(reference="")),
        ]
        indexes: ClassVar = [models.Index(fields=["phone"], name="party_phone", condition=~Q(phone=""))]


class Account(Row):
    """A billing account. Its row is the lock of all that moves its money; its id is also its receivable book's."""

    number = models.CharField(max_length=64)
    currency = models.CharField(max_length=CURRENCY_LENGTH)
    probe = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["number"], name="account_number")]


class Line(Row):
    """A subscriber's service. `barring` is what the network has confirmed, never what was merely asked of it."""

    class Barring(models.TextChoices):
        NONE = "none"
        OUTGOING = "outgoing"
        BOTH = "both"

    account = models.ForeignKey(Account, models.PROTECT, related_name="lines", db_index=False)
    number = models.CharField(max_length=20)
    barring = models.CharField(max_length=8, choices=Barring, default=Barring.NONE)
    lost = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["account", "number"], name="line_once")]
        indexes: ClassVar = [models.Index(fields=["number"], name="line_number")]


class AccountRole(Row):
    """Who is who on an account, or on one line of it."""

    class Role(models.TextChoices):
        HOLDER = "holder"
        PAYER = "payer"
        USER = "user"
        LEGAL_REP = "legal_rep"
        CONTACT = "contact"

    account = models.ForeignKey(Account, models.PROTECT, related_name="roles", db_index=False)
    party = models.ForeignKey(Party, models.PROTECT, related_name="roles")
    role = models.CharField(max_length=10, choices=Role)
    line = models.ForeignKey(Line, models.PROTECT, null=True, blank=True, related_name="roles", db_index=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "role", "party", "line"], name="role_once", nulls_distinct=False
            ),
        ]


class Bill(Row):
    """One customer bill. `paid` and `credited` follow the postings in their transaction; `remaining` is owed."""

    class State(models.TextChoices):
        OPEN = "open"
        SETTLED = "settled"
        CANCELLED = "cancelled"

    account = models.ForeignKey(Account, models.PROTECT, related_name="bills", db_constraint=False, db_index=False)
    number = models.CharField(max_length=64)
    revision = models.BigIntegerField(default=1)
    period_start = models.DateField(null=True)
    period_end = models.DateField(null=True)
    bill_date = models.DateField()
    due_date = models.DateField()
    currency = models.CharField(max_length=CURRENCY_LENGTH)
    amount = models.BigIntegerField()
    late_fee = models.BigIntegerField(default=0)
    paid = models.BigIntegerField(default=0)
    credited = models.BigIntegerField(default=0)
    state = models.CharField(max_length=9, choices=State, default=State.OPEN)
    closed_at = models.DateTimeField(null=True)
    probe = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="bill_amounts",
                condition=Q(amount__gte=0, late_fee__gte=0, paid__gte=0, credited__gte=0)
                & Q(amount__gte=F("paid") + F("credited") - F("late_fee")),
            ),
            models.CheckConstraint(
                name="bill_open_while_owed",
                condition=Q(state="open", closed_at=None, amount__gt=F("paid") + F("credited") - F("late_fee"))
                | Q(
                    ~Q(state="open"),
                    closed_at__isnull=False,
                    amount=F("paid") + F("credited") - F("late_fee"),
                ),
            ),
            models.CheckConstraint(name="bill_revision", condition=Q(revision__gte=0)),
            models.UniqueConstraint(fields=["number"], name="bill_number"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["account", "state", "due_date"], name="bill_account"),
            models.Index(fields=["due_date"], name="bill_open_due", condition=Q(state="open")),
        ]

    @property
    def remaining(self) -> int:
        """What is still owed, in minor units, late fee included."""
        return self.amount + self.late_fee - self.paid - self.credited

    @property
    def money(self) -> Money:
        """What is still owed."""
        return Money(self.remaining, self.currency)


class BillItem(Row):
    """A part of a bill by class; negative for a discount (a class's total on a bill is never below zero)."""

    bill = models.ForeignKey(Bill, models.CASCADE, related_name="items")
    line = models.ForeignKey(
        Line, models.PROTECT, null=True, blank=True, related_name="+", db_constraint=False, db_index=False
    )
    item_class = models.CharField(max_length=24)
    amount = models.BigIntegerField()


class BillEvent(Row):
    """What happened to a bill besides payments (those are postings): corrections, credits, fees, cancelling."""

    bill = models.ForeignKey(Bill, models.PROTECT, related_name="events")
    kind = models.CharField(max_length=20)
    amount = models.BigIntegerField(default=0)
    fact_kind = models.CharField(max_length=40)
    fact_id = models.CharField(max_length=128)
    data = models.JSONField(default=dict)


class Book(Row):
    """A ledger account: a customer's (`account` set; its receivable has the account's own id) or the carrier's."""

    name = models.CharField(max_length=60)
    account = models.ForeignKey(
        Account, models.PROTECT, null=True, blank=True, related_name="books", db_constraint=False, db_index=False
    )
    currency = models.CharField(max_length=CURRENCY_LENGTH)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "name", "currency"], name="book_once", nulls_distinct=False),
        ]


class ExternalFact(models.Model):
    """Something that happened outside, once: a payment, a bill, a credit note. Its key is never partitioned by time."""

    pk = models.CompositePrimaryKey("kind", "external_id")
    kind = models.CharField(max_length=40)
    external_id = models.CharField(max_length=128)
    at = models.DateTimeField(default=clock.now)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    account_id = models.UUIDField(null=True)
    data = models.JSONField(default=dict)


class Posting(Row):
    """`amount` moves from one book to another: balanced by construction. The fact and `leg` make it unique."""

    at = models.DateTimeField(default=clock.now)
    source_book = models.ForeignKey(Book, models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    target_book = models.ForeignKey(Book, models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=CURRENCY_LENGTH)
    account = models.ForeignKey(
        Account, models.PROTECT, null=True, blank=True, related_name="postings", db_constraint=False, db_index=False
    )
    bill = models.ForeignKey(
        Bill, models.PROTECT, null=True, blank=True, related_name="postings", db_constraint=False, db_index=False
    )
    fact_kind = models.CharField(max_length=40)
    fact_id = models.CharField(max_length=128)
    leg = models.SmallIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["fact_kind", "fact_id", "leg"], name="posting_once"),
            models.CheckConstraint(name="posting_amount", condition=Q(amount__gt=0)),
            models.CheckConstraint(name="posting_moves", condition=~Q(source_book=F("target_book"))),
            models.CheckConstraint(name="posting_bill_has_account", condition=Q(bill=None) | Q(account__isnull=False)),
        ]
        indexes: ClassVar = [models.Index(fields=["account", "at"], name="posting_account")]


class PostingAck(models.Model):
    """The carrier's own books have taken this posting over."""

    posting = models.OneToOneField(Posting, models.PROTECT, primary_key=True, related_name="ack")
    created_at = models.DateTimeField(default=clock.now, editable=False)


class ImportFile(Row):
    """One file that somebody gave us: accepted whole, or refused whole; `report` says why, row by row."""

    sha256 = models.CharField(max_length=64)
    name = models.CharField(max_length=255)
    kind = models.CharField(max_length=12)
    rows = models.IntegerField(default=0)
    accepted = models.BooleanField()
    report = models.JSONField(default=dict)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["sha256", "kind"], name="import_once", condition=Q(accepted=True)),
        ]

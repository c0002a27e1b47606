"""Rows of reconciliation: what one look at the other side found, and each line that the other side told.

Runs are only added to. Of a line only its fate changes: what was told stays as it was told, and a matched line stays
matched (migration 0009 holds to both).
"""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from doenda.billing.models import Account
from doenda.kernel.models import Row
from doenda.payments.reconciliation.reasons import Reason

__all__ = ["Reason", "ReconLine", "ReconRun"]


class ReconRun(Row):
    """One look at one source. Amounts are net, in minor units of `currency`, probes' money left out.

    `source` is "statement:<account>", "feed:<provider>", "settlement:<provider>" or "billing". A statement has a name
    of its own (`statement`), perhaps a number in its row (`sequence`), and the digest of the file that brought it.
    `lines` are those that this run met; `known` of them had been told before. `told`: what else there is to say.
    """

    source = models.CharField(max_length=80)
    since = models.DateTimeField(null=True)
    until = models.DateTimeField(null=True)
    name = models.CharField(max_length=255, default="")
    sha256 = models.CharField(max_length=64, default="")
    form = models.CharField(max_length=20, default="")
    statement = models.CharField(max_length=140, default="")
    sequence = models.BigIntegerField(null=True)
    opening = models.BigIntegerField(null=True)
    closing = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, default="")
    lines = models.IntegerField(default=0)
    known = models.IntegerField(default=0)
    matched = models.IntegerField(default=0)
    parked = models.IntegerField(default=0)
    probes = models.IntegerField(default=0)
    their_total = models.BigIntegerField(default=0)
    our_total = models.BigIntegerField(default=0)
    difference = models.BigIntegerField(default=0)
    ok = models.BooleanField(default=True)
    told = models.JSONField(default=dict)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(difference=models.F("their_total") - models.F("our_total")), name="recon_run_difference"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["source", "created_at"], name="recon_run_source"),
            models.Index(fields=["source", "sequence"], name="recon_run_sequence", condition=Q(sequence__isnull=False)),
        ]


class ReconLine(Row):
    """One movement as the other side tells it (or, NOT_AT_PROVIDER, one of ours that it does not tell), once.

    `ident` is the source's own key of it. `amount` in minor units, above zero; `kind` is seen from us. `reference` is
    what it names: our order id, a bill's number, an end-to-end id; `told` what else it says, without any account or
    card number in clear. `suggestion`: {"fact" or "bill", "why", "score"}: never posted by itself. `asked_by`: the
    first of two who wish to post it. The account is known once the line is matched or given to one. `run` brought it
    first; that row is written when the look is over, so a look that died leaves lines and no run.
    """

    class Kind(models.TextChoices):
        IN = "in"
        OUT = "out"

    class State(models.TextChoices):
        MATCHED = "matched"
        PARKED = "parked"
        SETTLED_BY_HAND = "settled_by_hand"

    run = models.ForeignKey(
        ReconRun, on_delete=models.PROTECT, related_name="told_lines", db_index=False, db_constraint=False
    )
    source = models.CharField(max_length=80)
    ident = models.CharField(max_length=140)
    kind = models.CharField(max_length=3, choices=Kind)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    at = models.DateTimeField()
    booked_on = models.DateField(null=True)
    reference = models.CharField(max_length=140, default="")
    provider_ref = models.CharField(max_length=200, default="")
    told = models.JSONField(default=dict)
    probe = models.BooleanField(default=False)
    state = models.CharField(max_length=15, choices=State)
    fact_kind = models.CharField(max_length=40, default="")
    fact_id = models.CharField(max_length=128, default="")
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, null=True, related_name="recon_lines", db_index=False, db_constraint=False
    )
    reason = models.CharField(max_length=20, choices=Reason, default="")
    owner = models.CharField(max_length=10, default="")
    due_at = models.DateTimeField(null=True)
    suggestion = models.JSONField(default=dict)
    asked_by = models.CharField(max_length=80, default="")
    handled_by = models.CharField(max_length=80, default="")
    handled_at = models.DateTimeField(null=True)
    words = models.CharField(max_length=200, default="")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["source", "ident"], name="recon_line_once"),
            models.UniqueConstraint(
                fields=["source", "fact_kind", "fact_id"], name="recon_fact_once", condition=Q(state="matched")
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="recon_line_amount"),
            models.CheckConstraint(condition=Q(kind__in=["in", "out"]), name="recon_line_kind"),
            models.CheckConstraint(
                condition=Q(state="matched") & ~Q(fact_kind="") & ~Q(fact_id="")
                | Q(state="parked") & ~Q(reason="") & ~Q(owner="") & Q(due_at__isnull=False)
                | Q(state="settled_by_hand") & ~Q(handled_by="") & Q(handled_at__isnull=False),
                name="recon_line_ends",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["due_at"], name="recon_line_parked", condition=Q(state="parked")),
            models.Index(fields=["fact_kind", "fact_id"], name="recon_line_fact", condition=~Q(fact_id="")),
            models.Index(fields=["source", "at"], name="recon_line_at"),
        ]

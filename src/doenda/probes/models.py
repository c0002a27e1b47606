"""What synthetic walks found, walk by walk, and whose turn it is to walk."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from doenda.kernel import clock
from doenda.kernel.models import Row


class ProbeRun(Row):
    """One synthetic walk of one way. `outcome` is evidence's word; `steps` the pages that it saw; `runner` who walked.

    `confirms`: it was asked for by a walk that had failed.
    """

    way = models.CharField(max_length=60)
    outcome = models.CharField(max_length=20)
    seconds = models.FloatField()
    steps = models.JSONField(default=list)
    trouble = models.TextField(blank=True)
    runner = models.CharField(max_length=60, default="")
    confirms = models.BooleanField(default=False)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["way", "created_at"], name="probe_way")]


class Turn(Row):
    """A walk that is to be made at `due_at`: the next of a way's rounds (one row a way), or a confirm run.

    `runner` walks it until `leased_until`, which it moves on while it lives; a dead runner's turn falls to another.
    `asked_by`: the runner whose walk failed; a confirm run goes to another one if there is any.
    """

    way = models.CharField(max_length=60)
    confirms = models.BooleanField(default=False)
    due_at = models.DateTimeField(default=clock.now)
    asked_by = models.CharField(max_length=60, default="")
    runner = models.CharField(max_length=60, default="")
    leased_until = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["way"], name="turn_round_once", condition=Q(confirms=False))
        ]
        indexes: ClassVar = [models.Index(fields=["due_at"], name="turn_due")]

"""What synthetic walks found, walk by walk."""

from typing import ClassVar

from django.db import models

from doenda.kernel.models import Row


class ProbeRun(Row):
    """One synthetic walk of one way. `outcome` is evidence's word; `steps` the pages that it saw."""

    way = models.CharField(max_length=60)
    outcome = models.CharField(max_length=20)
    seconds = models.FloatField()
    steps = models.JSONField(default=list)
    trouble = models.TextField(blank=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["way", "created_at"], name="probe_way")]

from typing import ClassVar

from django.apps import AppConfig


class ProbesConfig(AppConfig):
    name = "doenda.probes"
    label = "probes"
    append_only: ClassVar[tuple[str, ...]] = ("probes_proberun",)

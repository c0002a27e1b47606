from typing import ClassVar

from django.apps import AppConfig


class ProbesConfig(AppConfig):
    name = "doenda.probes"
    label = "probes"

    def ready(self) -> None:
        from doenda.probes import absences, flakes, loops, news  # noqa: F401 - sweeps, subscribers, a handler

    append_only: ClassVar[tuple[str, ...]] = ("probes_proberun",)

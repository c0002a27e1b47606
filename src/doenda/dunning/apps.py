from typing import ClassVar

from django.apps import AppConfig


class DunningConfig(AppConfig):
    name = "doenda.dunning"
    label = "dunning"
    append_only: ClassVar[tuple[str, ...]] = ("dunning_casestep", "dunning_promisebill", "dunning_duereminder")

    def ready(self) -> None:
        from doenda.dunning import network, news, run  # noqa: F401 - handlers, subscribers and sweeps register themselves

from typing import ClassVar

from django.apps import AppConfig


class JourneysConfig(AppConfig):
    name = "doenda.journeys"
    label = "journeys"
    append_only: ClassVar[tuple[str, ...]] = ()

    def ready(self) -> None:
        from doenda.journeys import sessions  # noqa: F401 - its sweep registers itself

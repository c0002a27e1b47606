from typing import ClassVar

from django.apps import AppConfig


class AccessConfig(AppConfig):
    name = "doenda.access"
    label = "access"
    append_only: ClassVar[tuple[str, ...]] = ("access_auditentry",)

    def ready(self) -> None:
        from doenda.access import tries  # noqa: F401 - its sweep registers itself

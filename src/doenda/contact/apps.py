from typing import ClassVar

from django.apps import AppConfig


class ContactConfig(AppConfig):
    name = "doenda.contact"
    label = "contact"
    append_only: ClassVar[tuple[str, ...]] = ()

    def ready(self) -> None:
        from doenda.contact import news  # noqa: F401 - subscribes

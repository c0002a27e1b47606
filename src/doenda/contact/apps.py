from typing import ClassVar

from django.apps import AppConfig


class ContactConfig(AppConfig):
    name = "doenda.contact"
    label = "contact"
    append_only: ClassVar[tuple[str, ...]] = ()

    def ready(self) -> None:
        from doenda.contact import dialling, news  # noqa: F401 - registers its sweeps; subscribes
        from doenda.contact.queue import sweeping  # noqa: F401 - registers its sweeps

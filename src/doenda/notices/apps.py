from typing import ClassVar

from django.apps import AppConfig


class NoticesConfig(AppConfig):
    name = "doenda.notices"
    label = "notices"
    append_only: ClassVar[tuple[str, ...]] = ("notices_delivery",)

    def ready(self) -> None:
        from doenda.notices import handing_over, receipts, waiting  # noqa: F401 - they register themselves

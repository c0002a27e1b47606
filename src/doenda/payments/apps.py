from typing import ClassVar

from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    name = "doenda.payments"
    label = "payments"
    append_only: ClassVar[tuple[str, ...]] = ("payments_attemptmove", "payments_attemptedge")

    def ready(self) -> None:
        from doenda.payments import charge, doorbells, inquiry, news, refunds  # noqa: F401 - handlers and sweeps register themselves

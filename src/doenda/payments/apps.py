from typing import ClassVar

from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    name = "doenda.payments"
    label = "payments"
    append_only: ClassVar[tuple[str, ...]] = (
        "payments_attemptmove",
        "payments_attemptedge",
        "payments_reconrun",
    )

    def ready(self) -> None:
        # Handlers, sweeps and subscribers register themselves.
        from doenda.payments import charge, doorbells, inquiry, news, refunds  # noqa: F401
        from doenda.payments.counter import lists as _counter  # noqa: F401
        from doenda.payments.debit import answers, billing, files, home, instruct  # noqa: F401
        from doenda.payments.debit import lists as _debit  # noqa: F401
        from doenda.payments.deposits import arrivals, desk, tending  # noqa: F401
        from doenda.payments.deposits import lists as _deposits  # noqa: F401
        from doenda.payments.reconciliation import again as _again  # noqa: F401
        from doenda.payments.reconciliation import lists as _reconciliation  # noqa: F401
        from doenda.payments.reconciliation import tending as _daily  # noqa: F401

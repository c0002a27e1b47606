from typing import ClassVar

from django.apps import AppConfig


class BillingConfig(AppConfig):
    name = "doenda.billing"
    label = "billing"
    append_only: ClassVar[tuple[str, ...]] = (
        "billing_posting",
        "billing_externalfact",
        "billing_billevent",
        "billing_postingack",
    )

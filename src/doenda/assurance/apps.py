from typing import Any, ClassVar

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AssuranceConfig(AppConfig):
    name = "doenda.assurance"
    label = "assurance"
    append_only: ClassVar[tuple[str, ...]] = (
        "assurance_evidence",
        "assurance_transition",
        "assurance_waydecision",
        "assurance_offer",
        "assurance_incidentevent",
    )

    def ready(self) -> None:
        from doenda.assurance import (  # noqa: F401 - sweeps and subscribers
            baselines,
            incidents,
            no_way,
            pager,
            parents,
            standing,
        )

        post_migrate.connect(_ways_after_migrate, sender=self, dispatch_uid="doenda.assurance.ways")


def _ways_after_migrate(using: str, apps: Any, **_: Any) -> None:
    """The ways of `ways.toml` become rows as soon as there is a table for them."""
    from doenda.assurance import ways

    try:
        apps.get_model("assurance", "Way")
    except LookupError:
        return
    ways.ensure_ways(using)

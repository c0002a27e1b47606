from typing import ClassVar

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class KernelConfig(AppConfig):
    name = "doenda.kernel"
    label = "kernel"
    verbose_name = "kernel"
    append_only: ClassVar[tuple[str, ...]] = ()

    def ready(self) -> None:
        from django.conf import settings

        from doenda.kernel import clock, offset, secrecy
        from doenda.kernel.database.grants import grant_after_migrate

        named = ("SECRET_KEY", "DOENDA_LINK_KEYS", "DOENDA_SEALING_KEYS", "DOENDA_PROVIDERS", "DOENDA_SMPP")
        secrecy.know(secrecy.secrets_in({name: getattr(settings, name, "") for name in named}))
        secrecy.install()
        clock.runs_ahead_by(offset.current)
        post_migrate.connect(grant_after_migrate, dispatch_uid="doenda.kernel.grants")

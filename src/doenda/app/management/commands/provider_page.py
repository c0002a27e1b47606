"""`doenda provider_page`: docs/providers.md as the contract's docstrings have it."""

from typing import Any

from django.core.management.base import BaseCommand

from doenda.app.provider_page import page


class Command(BaseCommand):
    help = "Print docs/providers.md."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(page(), ending="")

from typing import ClassVar

from django.apps import AppConfig


class DunningConfig(AppConfig):
    name = "doenda.dunning"
    label = "dunning"
    append_only: ClassVar[tuple[str, ...]] = (
        "dunning_casestep",
        "dunning_promisebill",
        "dunning_duereminder",
        "dunning_harmundone",
    )

    def ready(self) -> None:
        from doenda.dunning import misled, network, news, nothing_works, run, telling  # noqa: F401 - they register

"""The house's order where imports do not show it: foreign keys, migrations, templates, URLs. And views' policies."""

import re
from collections.abc import Iterator
from pathlib import Path

from django.apps import apps
from django.db.migrations.loader import MigrationLoader
from django.urls import URLPattern, URLResolver, get_resolver

from doenda.access import policy

FLOORS = [
    "kernel",
    "access",
    "billing",
    "assurance",
    "notices",
    "payments",
    "dunning",
    "contact",
    "journeys",
    "channels",
    "probes",
    "console",
    "api",
    "sim",
    "demo",
    "app",
]
ROOMS = [config for config in apps.get_app_configs() if config.name.startswith("doenda.")]
POLICIES = {"public", "by_token", "by_session", "provider_doorbell", "demo_only", "staff"}


def floor(room: str) -> int:
    return FLOORS.index(room)


def test_every_room_stands_on_a_floor_of_the_design() -> None:
    assert {config.label for config in ROOMS} <= set(FLOORS)


def test_no_foreign_key_points_up() -> None:
    for config in ROOMS:
        for model in config.get_models():
            for field in model._meta.get_fields():
                target = getattr(field, "related_model", None)
                if field.concrete and target is not None and target._meta.app_label in FLOORS:
                    assert floor(target._meta.app_label) <= floor(config.label), (
                        f"{model.__name__}.{field.name} points up"
                    )


def test_no_migration_waits_for_a_higher_room() -> None:
    graph = MigrationLoader(None, ignore_no_migrations=True).graph
    for room, name in graph.nodes:
        if room not in FLOORS:
            continue
        for parent_room, parent_name in (parent.key for parent in graph.node_map[room, name].parents):
            if parent_room in FLOORS:
                assert floor(parent_room) <= floor(room), f"{room}.{name} waits for {parent_room}.{parent_name}"


def test_migrations_are_linear() -> None:
    graph = MigrationLoader(None, ignore_no_migrations=True).graph
    for config in ROOMS:
        own = [key for key in graph.nodes if key[0] == config.label]
        assert len(graph.leaf_nodes(config.label)) <= 1, f"{config.label} has two newest migrations: {own}"


def test_templates_use_only_their_own_room_or_lower_ones() -> None:
    for config in ROOMS:
        for path in Path(config.path).rglob("templates/**/*.html"):
            for used in re.findall(r"{%\s*(?:include|extends)\s+\"(\w+)/", path.read_text(encoding="utf-8")):
                room = {"web": "channels"}.get(used, used)
                assert floor(room) <= floor(config.label), f"{path.name} uses {used}"


def views(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[tuple[str, object]]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from views(pattern.url_patterns, prefix + str(pattern.pattern))
        else:
            yield prefix + str(pattern.pattern), pattern.callback


def test_every_view_declares_who_may_call_it() -> None:
    found = list(views(get_resolver().url_patterns))
    assert len(found) > 5
    for path, view in found:
        assert policy.of(view) in POLICIES, f"{path} declares no policy"


def test_a_view_without_a_policy_would_be_found() -> None:
    assert policy.of(lambda request: None) is None


def test_every_urls_module_belongs_to_the_room_that_serves_it() -> None:
    for path, view in views(get_resolver().url_patterns):
        room = view.__module__.split(".")[1]
        assert room in {"channels", "api", "demo"}, f"{path} is served from {room}"

"""Customers' texts: Project Fluent messages that each room keeps in `texts/ko.ftl` and `texts/en.ftl`.

A message's value is what a screen shows; its attributes are the other media (`.sms`, `.voice`) and parts (`.title`,
`.hint`). A text that is missing or lacks an argument is an error, never a blank or an id on a customer's screen.
"""

from functools import cache
from pathlib import Path

from django.apps import apps
from fluent.runtime import FluentBundle, FluentResource
from fluent.syntax import ast

LANGUAGES = ("ko", "en")


class TextMissing(KeyError):
    """No such text in that language and part."""


class TextBroken(ValueError):
    """The text could not be filled in: an argument is missing."""


def sources(lang: str) -> list[Path]:
    """The rooms' .ftl files of one language, lowest room first."""
    folders = [Path(config.path) / "texts" for config in apps.get_app_configs() if config.name.startswith("doenda.")]
    return [path for folder in folders if (path := folder / f"{lang}.ftl").exists()]


@cache
def bundle(lang: str) -> FluentBundle:
    if lang not in LANGUAGES:
        raise ValueError(f"no such language: {lang[:10]!r}")
    made = FluentBundle([lang], use_isolating=False)
    seen: dict[str, Path] = {}
    for path in sources(lang):
        resource = FluentResource(path.read_text(encoding="utf-8"))
        for entry in resource.body:
            if isinstance(entry, ast.Junk):
                raise TextBroken(f"{path}: {(entry.content or '').strip()[:120]!r} is not Fluent")
            if isinstance(entry, ast.Message | ast.Term):
                if entry.id.name in seen and isinstance(entry, ast.Message):
                    raise TextBroken(f"{path}: {entry.id.name} is already in {seen[entry.id.name]}")
                seen[entry.id.name] = path
        made.add_resource(resource)
    return made


def has(message_id: str, lang: str, part: str | None = None) -> bool:
    made = bundle(lang)
    if not made.has_message(message_id):
        return False
    message = made.get_message(message_id)
    return (message.value if part is None else message.attributes.get(part)) is not None


def say(message_id: str, lang: str, *, part: str | None = None, **args: str | int) -> str:
    """The text in `lang`. Raises TextMissing or TextBroken: both are found by `doenda check-journeys` first."""
    if not has(message_id, lang, part):
        raise TextMissing(f"{message_id}{'.' + part if part else ''} in {lang}")
    made = bundle(lang)
    message = made.get_message(message_id)
    pattern = message.value if part is None else message.attributes[part]
    assert pattern is not None
    text, errors = made.format_pattern(pattern, args)
    if errors:
        raise TextBroken(f"{message_id} in {lang}: {errors[0]}")
    return str(text)


def ids(lang: str = "ko") -> frozenset[str]:
    """Every message id of one language."""
    return frozenset(bundle(lang)._messages)

"""Which database the processes use: the one that DATABASE_URL names, or a PostgreSQL of our own in the data folder."""

import os
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from doenda.app.providers import WELL_KNOWN
from doenda.kernel import embedded, randomness


def embedded_environment() -> dict[str, str]:
    """Start or adopt the embedded server; the variables under which every process finds it and its secrets."""
    data = embedded.default_data()
    return urls(embedded.ensure(data)) | secrets_of(data)


def secrets_of(data: Path) -> dict[str, str]:
    """This installation's secrets: from the environment, else made once and kept in the data folder."""
    made = {
        "DOENDA_SECRET_KEY": _kept(data, "secret-key"),
        "DOENDA_LINK_KEYS": f"1:{_kept(data, 'link-key')}",
        "DOENDA_SEALING_KEYS": urlsafe_b64encode(bytes.fromhex(_kept(data, "sealing-key"))).decode(),
    }
    return {name: os.environ.get(name, value) for name, value in made.items()}


def _kept(data: Path, name: str) -> str:
    data.mkdir(mode=0o755, parents=True, exist_ok=True)
    path = data / name
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(randomness.token_bytes(32).hex(), encoding="ascii")
    return path.read_text(encoding="ascii")


def require_secrets() -> None:
    """A service that customers or providers reach does not run on secrets that everybody knows."""
    keys = [settings.SECRET_KEY, *settings.DOENDA_LINK_KEYS.values()]
    if settings.DOENDA_DEMO:
        return
    if any(key.startswith("not-a-secret") for key in keys):
        raise ImproperlyConfigured("set DOENDA_SECRET_KEY and DOENDA_LINK_KEYS (or NAME_FILE): see app/settings.py")
    if not settings.DOENDA_SEALING_KEYS:
        raise ImproperlyConfigured("set DOENDA_SEALING_KEYS (or its _FILE): account numbers are kept sealed")
    for name, entry in settings.DOENDA_PROVIDERS.items():
        if set(WELL_KNOWN.values()) & set(_words(entry)):
            raise ImproperlyConfigured(f"the provider {name} has a key that everybody knows: see app/providers.py")


def _words(entry: Mapping[str, Any]) -> Iterator[str]:
    for value in entry.values():
        if isinstance(value, str):
            yield value
        elif isinstance(value, list):
            yield from value


def urls(server: embedded.Server, database: str = "doenda") -> dict[str, str]:
    return {
        "DATABASE_URL": server.url(database, "doenda_app"),
        "DATABASE_OWNER_URL": server.url(database, "doenda_owner"),
    }

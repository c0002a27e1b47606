"""The console script and the secrets that it keeps."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.exceptions import ImproperlyConfigured

from doenda.app import environment, system
from doenda.app.providers import providers_of


def doenda(*args: str, **env: str) -> subprocess.CompletedProcess[str]:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("DOENDA_", "DATABASE_", "DJANGO_"))
    }
    return subprocess.run(
        [sys.executable, "-m", "doenda.app.cli", *args],
        env=kept | env,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_commands_are_written_with_dashes_and_need_no_database_for_the_proof() -> None:
    said = doenda("check-journeys", "--help")
    assert said.returncode == 0, said.stderr
    assert "--json" in said.stdout


def test_import_is_a_command_although_no_module_can_be_called_so() -> None:
    said = doenda("import", "--help", DATABASE_URL="postgresql://x@/x?host=/nowhere")
    assert said.returncode == 0, said.stderr
    assert "--kind" in said.stdout


def test_secrets_are_made_once_and_are_nobody_elses_to_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DOENDA_SECRET_KEY", "DOENDA_LINK_KEYS", "DOENDA_SEALING_KEYS"):
        monkeypatch.delenv(name, raising=False)
    first = environment.secrets_of(tmp_path)
    assert environment.secrets_of(tmp_path) == first
    assert len(set(first.values())) == 3
    assert stat.S_IMODE((tmp_path / "secret-key").stat().st_mode) == 0o600


def test_a_service_does_not_run_on_secrets_that_everybody_knows(settings: LazySettings) -> None:
    settings.DOENDA_DEMO = False
    with pytest.raises(ImproperlyConfigured, match="DOENDA_SECRET_KEY"):
        environment.require_secrets()
    settings.SECRET_KEY, settings.DOENDA_LINK_KEYS = "a" * 50, {"1": "b" * 50}
    with pytest.raises(ImproperlyConfigured, match="sandbox"):
        environment.require_secrets()
    settings.DOENDA_PROVIDERS = providers_of(
        lambda name, default="": "counter" if name == "DOENDA_OFFERED" else default
    )
    assert "sandbox" not in settings.DOENDA_PROVIDERS, "nobody can ring with a secret that everybody knows"
    environment.require_secrets()
    settings.DOENDA_SEALING_KEYS = []
    with pytest.raises(ImproperlyConfigured, match="DOENDA_SEALING_KEYS"):
        environment.require_secrets()


def test_a_provider_that_is_offered_and_not_set_up_stops_the_start_by_name() -> None:
    said = subprocess.run(
        [sys.executable, "-c", "from doenda.app import settings"],
        env=os.environ | {"DOENDA_OFFERED": "sandbox,tos"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "DOENDA_OFFERED names tos" in said.stderr


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "url"
    path.write_text("postgresql://somebody@/named-in-a-file?host=/nowhere\n", encoding="utf-8")
    code = "from doenda.app import settings; print(settings.DATABASES['default']['NAME'])"
    said = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"DATABASE_URL_FILE": str(path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.stdout.strip() == "named-in-a-file", said.stderr


def test_ports_are_free_and_all_different(tmp_path: Path) -> None:
    layout = system.lay_out(tmp_path, demo=True, port=0)
    assert len(set(layout.ports.values())) == len(layout.ports) == 7
    assert all("http://127.0.0.1:" in address for name, address in layout.env.items() if name.endswith("_URL"))

"""A page of ours that runs a provider's script: what it needs, and the only policy under which a script runs here."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.conf import settings
from django.utils.csp import CSP

from doenda.payments.models import Attempt
from doenda.payments.providers import get
from doenda.payments.providers.contract import Script

LAUNCHERS = Path(__file__).with_name("launchers")


@dataclass(frozen=True, slots=True)
class Launch:
    """`name` of the launcher, its `code`, the provider's `src`, and the public words (`client`) as JSON.

    `go`, `refused`, `without` and `elsewhere` are what its button and the others say, and what is said where it cannot
    run.
    """

    code: str
    src: str
    client: str
    script: Script
    go: str
    refused: str
    without: tuple[str, ...]
    elsewhere: str

    @property
    def policy(self) -> Mapping[str, list[str]]:
        """The site's own policy, opened for this provider's origins and for nobody else."""
        origins = list(self.script.origins)
        return settings.SECURE_CSP | {
            "script-src": [CSP.NONCE, *origins],
            "connect-src": origins,
            "frame-src": origins,
            "form-action": [CSP.SELF, *origins],
        }


def script_of(attempt: Attempt | None) -> Script | None:
    """What the attempt's provider has to run on our page, if it has to."""
    return get(attempt.provider).script if attempt is not None else None


def launch(
    attempt: Attempt, script: Script, *, go: str, refused: str, without: tuple[str, ...], elsewhere: str
) -> Launch:
    """The page of this attempt with its words."""
    words = json.dumps(attempt.details.get("client") or {}, ensure_ascii=True)
    return Launch(code_of(script.launcher), script.src, words, script, go, refused, without, elsewhere)


@cache
def code_of(launcher: str) -> str:
    """Our few lines. Raises FileNotFoundError, and ValueError for one that would end its own element."""
    code = (LAUNCHERS / f"{launcher}.js").read_text(encoding="utf-8")
    if "</" in code or "<!--" in code:
        raise ValueError(f"{launcher}.js cannot stand inside a page")
    return code

"""Which providers of money this installation has, from its environment: an entry each, secrets also from NAME_FILE.

`DOENDA_PROVIDERS` holds every provider that may be asked or may ring; `DOENDA_OFFERED` names those that customers are
told of. Adding one is a package under payments/providers and an entry here (docs/providers.md).
"""

from collections.abc import Callable
from typing import Any

type Env = Callable[..., str]


def providers_of(env: Env) -> dict[str, dict[str, Any]]:
    """Each provider's settings by its name. A list of keys has the newest first; all of them are live."""

    def several(name: str, default: str) -> list[str]:
        return [each.strip() for each in env(name, default).split(",") if each.strip()]

    return {
        "sandbox": {
            "url": env("DOENDA_SANDBOX_URL", "http://127.0.0.1:8101"),
            "key": env("SANDBOX_BANK_KEY", "sandbox-key"),
            "webhook_secrets": several("SANDBOX_WEBHOOK_SECRET", "sandbox-webhook-secret"),
        },
    }

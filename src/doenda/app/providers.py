"""Which providers of money this installation has, from its environment: an entry each, secrets also from NAME_FILE.

`DOENDA_PROVIDERS` holds every provider that may be asked or may ring; `DOENDA_OFFERED` names those that customers are
told of. A provider whose address or key is not given is not there; the sandbox is only where it is offered, as it is
unless other providers are named. Adding one is a package under payments/providers and an entry here
(docs/providers.md).
"""

from collections.abc import Callable
from typing import Any

type Env = Callable[..., str]

WELL_KNOWN = {
    "SANDBOX_BANK_KEY": "sandbox-key",
    "SANDBOX_WEBHOOK_SECRET": "sandbox-webhook-secret",
    "DEPOSIT_BANK_KEY": "deposit-key",
    "DEPOSIT_WEBHOOK_SECRET": "deposit-webhook-secret",
    "CLEARING_KEY": "clearing-key",
    "CLEARING_PROOF": "clearing-proof",
    "TOSS_SECRET_KEYS": "test_sk_doenda",
    "PORTONE_API_SECRETS": "portone-secret",
    "PORTONE_WEBHOOK_SECRETS": "whsec_cG9ydG9uZS13ZWJob29rLXNlY3JldA==",
}
"""What our own fakes take: everybody knows these, so a service that is no demo does not run on them."""


def offered_by(env: Env) -> list[str]:
    """The providers that customers are told of, by name."""
    return [each.strip() for each in env("DOENDA_OFFERED", "sandbox").split(",") if each.strip()]


def providers_of(env: Env) -> dict[str, dict[str, Any]]:
    """Each provider's settings by its name. A list of keys has the newest first; all of them are live."""

    def several(name: str) -> list[str]:
        return [each.strip() for each in env(name, WELL_KNOWN.get(name, "")).split(",") if each.strip()]

    def first(name: str) -> str:
        return several(name)[0]

    found: dict[str, dict[str, Any]] = {"counter": {"merchant": "counter"}}
    if "sandbox" in offered_by(env):
        found["sandbox"] = {
            "url": env("DOENDA_SANDBOX_URL", "http://127.0.0.1:8101"),
            "key": first("SANDBOX_BANK_KEY"),
            "webhook_secrets": several("SANDBOX_WEBHOOK_SECRET"),
        }
    if url := env("DOENDA_DEPOSITS_URL"):
        found["deposit"] = {
            "url": url,
            "keys": several("DEPOSIT_BANK_KEY"),
            "webhook_secrets": several("DEPOSIT_WEBHOOK_SECRET"),
        }
    if url := env("DOENDA_CLEARING_URL"):
        found["debit"] = {
            "url": url,
            "key": first("CLEARING_KEY"),
            "proofs": several("CLEARING_PROOF"),
            "institution": env("CLEARING_INSTITUTION", "9912345678"),
            "branch": env("CLEARING_BRANCH"),
            "deposit": env("CLEARING_DEPOSIT"),
        }
        if env("SEPA_CREDITOR_ID"):
            found["debit"]["sepa"] = {
                **{name: env(f"SEPA_{name}") for name in ("IBAN", "BIC")},
                "name": env("SEPA_NAME"),
                "creditor_id": env("SEPA_CREDITOR_ID"),
            }
    if url := env("DOENDA_TOSS_URL"):
        found["toss"] = {
            "url": url,
            "keys": several("TOSS_SECRET_KEYS"),
            "client_key": env("TOSS_CLIENT_KEY"),
            "merchant": env("TOSS_MERCHANT", "doenda"),
        }
    if url := env("DOENDA_PORTONE_URL"):
        found["portone"] = {
            "url": url,
            "secrets": several("PORTONE_API_SECRETS"),
            "webhook_secrets": several("PORTONE_WEBHOOK_SECRETS"),
            "store": env("PORTONE_STORE", "store-doenda"),
            "channel_keys": {
                method: env(f"PORTONE_CHANNEL_{method.upper()}", f"channel-key-{method}")
                for method in ("card", "transfer", "deposit")
            },
            "sdk": env("PORTONE_SDK", f"{url}/v2/browser-sdk.js"),
        }
    if key := env("STRIPE_KEY"):
        found["stripe"] = {
            "url": env("DOENDA_STRIPE_URL", "https://api.stripe.com"),
            "key": key,
            "account": env("STRIPE_ACCOUNT"),
            "publishable_key": env("STRIPE_PUBLISHABLE_KEY"),
            "webhook_secrets": several("STRIPE_WEBHOOK_SECRETS"),
            "script_url": env("STRIPE_SCRIPT"),
            "payment_method": env("STRIPE_PAYMENT_METHOD"),  # one for every charge: rehearsals and probes only
            "plain": bool(env("STRIPE_PLAIN")),  # a stand-in without search and lists by date
        }
    return found

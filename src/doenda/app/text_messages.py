"""What carries texts to phones, from the environment: the demo's handset network, or an SMS centre by SMPP 3.4.

docs/text-messages.md says what each setting means; `notices/gateways/smpp/configured.py` checks them.
"""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import ImproperlyConfigured

type Env = Callable[..., str]

GATEWAYS = ("handset", "smpp")
_WORDS = ("HOST", "SYSTEM_ID", "PASSWORD", "SYSTEM_TYPE", "SOURCE", "ANSWERS", "RECEIPTS")
_WHOLE = ("PORT", "SOURCE_TON", "SOURCE_NPI", "SEGMENTS", "WINDOW", "REPEATS")
_SECONDS = ("RATE", "ENQUIRE", "ANSWER", "DOUBT")
_FLAGS = ("TLS", "NATIONAL", "GSM7", "PAYLOAD", "VALIDITY")


def gateway_of(env: Env) -> str:
    """Its name. Raises ImproperlyConfigured for one that is not known."""
    name = env("DOENDA_GATEWAY", "handset")
    if name not in GATEWAYS:
        raise ImproperlyConfigured(f"DOENDA_GATEWAY is one of {', '.join(GATEWAYS)}, not {name!r}")
    return name


def smpp_of(env: Env, call: str) -> dict[str, Any]:
    """What `DOENDA_SMPP_*` gives, by name in small letters; what is not given is left to its default there.

    `call`: the number that customers know, from which texts come unless another source is named.
    """
    found: dict[str, Any] = {"source": "".join(each for each in call if each.isdigit())}
    readers: tuple[tuple[tuple[str, ...], Callable[[str], Any]], ...] = (
        (_WORDS, str),
        (_WHOLE, int),
        (_SECONDS, float),
        (_FLAGS, lambda value: value.lower() in {"1", "true", "yes", "on"}),
    )
    for names, read in readers:
        for name in names:
            if given := env(f"DOENDA_SMPP_{name}"):
                try:
                    found[name.lower()] = read(given)
                except ValueError:
                    raise ImproperlyConfigured(f"DOENDA_SMPP_{name} is no number: {given[:40]!r}") from None
    return found

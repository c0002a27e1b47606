"""Providers: one package each, found by their name in `DOENDA_PROVIDERS`."""

from collections.abc import Iterator
from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string

from doenda.payments.providers.contract import Provider

_CLASSES = {
    "sandbox": "doenda.payments.providers.sandbox.provider.Sandbox",
    "toss": "doenda.payments.providers.toss.provider.Toss",
    "portone": "doenda.payments.providers.portone.provider.PortOne",
    "stripe": "doenda.payments.providers.stripe.provider.Stripe",
    "deposit": "doenda.payments.providers.deposit.provider.Deposit",
    "debit": "doenda.payments.providers.debit.provider.Debit",
    "counter": "doenda.payments.providers.counter.provider.Counter",
}


def classes() -> Iterator[tuple[str, type[Provider]]]:
    """Every provider that there is, configured or not."""
    return ((name, import_string(path)) for name, path in _CLASSES.items())


@cache
def get(name: str) -> Provider:
    """The configured provider. Raises KeyError for a name that is not in the settings."""
    made: Provider = import_string(_CLASSES[name])(settings.DOENDA_PROVIDERS[name])
    return made

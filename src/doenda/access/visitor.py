"""Who is knocking, by network address: what wrong answers are counted against."""

from django.conf import settings
from django.http import HttpRequest


def address(request: HttpRequest) -> str:
    """The nearest address that is not one of our own proxies (`DOENDA_TRUSTED_PROXIES`).

    What a stranger writes into X-Forwarded-For counts only as far as our own proxies have added to it.
    """
    hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "")[:500].split(",") if hop.strip()]
    nearest = str(request.META.get("REMOTE_ADDR", ""))
    while nearest in settings.DOENDA_TRUSTED_PROXIES and hops:
        nearest = hops.pop()
    return nearest[:45]

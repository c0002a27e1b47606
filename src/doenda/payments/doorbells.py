"""Providers' webhooks: verified, stored, and then only a reason to ask (design rule 6)."""

import hmac
from collections.abc import Mapping
from datetime import timedelta

from django.db.models import Q

from doenda.kernel import clock, sweeps
from doenda.kernel.db import atomic
from doenda.kernel.ids import inside
from doenda.payments import inquiry, providers
from doenda.payments.models import Attempt, Doorbell

MAX_BODY = 100_000
KEPT = 20_000
FORGED_KEPT_AN_HOUR = 500
FORGED_KEPT = timedelta(days=2)
_NOT_PROVEN = Q(genuine=False) | Q(genuine=None)


def ring(provider: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Take one doorbell. False when it was forged; nothing is posted here, whatever it says.

    One that its provider does not sign is only a reason to ask, and of such, as of forged ones, only so many are kept.
    """
    terms = providers.get(provider)
    rung = terms.ring(headers, body[:MAX_BODY], clock.wall())
    attempt = _attempt(provider, rung.order_id)
    genuine = rung.genuine
    if rung.secret and genuine is not False:
        told = rung.secret.encode(errors="replace")
        genuine = attempt is not None and hmac.compare_digest(told, attempt.secret.encode())
    if genuine is not True and _unsigned_lately(provider) >= FORGED_KEPT_AN_HOUR:
        if genuine is None and attempt is not None:
            with atomic():
                inquiry.ask_now(attempt.id, says=rung.says)
        return genuine is None
    with atomic():
        row = Doorbell(
            provider=provider,
            transmission=rung.transmission.replace("\0", "?")[:80],
            genuine=genuine,
            order_id=rung.order_id.encode("ascii", "replace").decode().replace("\0", "?")[:64],
            body=body[:KEPT].decode(errors="replace").replace("\0", ""),
        )
        Doorbell.objects.bulk_create([row], ignore_conflicts=True)
        if genuine is not False and attempt is not None:
            inquiry.ask_now(attempt.id, says=rung.says)
    if genuine is not False and terms.nudges:
        sweeps.nudge(terms.nudges)
    return genuine is not False


def _attempt(provider: str, order_id: str) -> Attempt | None:
    try:
        return Attempt.objects.filter(pk=inside(order_id), provider=provider).first()
    except ValueError:
        return None


def _unsigned_lately(provider: str) -> int:
    since = clock.now() - timedelta(hours=1)
    return Doorbell.objects.filter(_NOT_PROVEN, provider=provider, created_at__gt=since).count()


@sweeps.sweep("old doorbells", every=600)
def forget_forged(limit: int = 100) -> int:
    """Whoever can reach us can ring: what was not proven to be genuine is not kept for ever."""
    with atomic():
        old = Doorbell.objects.filter(_NOT_PROVEN, created_at__lt=clock.now() - FORGED_KEPT)
        return Doorbell.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:limit])).delete()[0]

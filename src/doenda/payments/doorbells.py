"""Providers' webhooks: verified, stored, and then only a reason to ask (design rule 6)."""

from collections.abc import Mapping
from datetime import timedelta

from doenda.kernel import clock, sweeps
from doenda.kernel.db import atomic
from doenda.kernel.ids import inside
from doenda.payments import inquiry, providers
from doenda.payments.models import Attempt, Doorbell

MAX_BODY = 20_000
FORGED_KEPT_AN_HOUR = 500
FORGED_KEPT = timedelta(days=2)


def ring(provider: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Take one doorbell. True when it was genuine (also when it had rung before); nothing is posted here."""
    rung = providers.get(provider).ring(headers, body[:MAX_BODY], clock.wall())
    if not rung.genuine and _forged_lately(provider) >= FORGED_KEPT_AN_HOUR:
        return False
    with atomic():
        row = Doorbell(
            provider=provider,
            transmission=rung.transmission,
            genuine=rung.genuine,
            order_id=rung.order_id.encode("ascii", "replace").decode().replace("\0", "?"),
            body=body[:MAX_BODY].decode(errors="replace").replace("\0", ""),
        )
        Doorbell.objects.bulk_create([row], ignore_conflicts=True)
        if rung.genuine and (attempt := _attempt(provider, rung.order_id)) is not None:
            inquiry.ask_now(attempt.id)
    return rung.genuine


def _attempt(provider: str, order_id: str) -> Attempt | None:
    try:
        return Attempt.objects.filter(pk=inside(order_id), provider=provider).first()
    except ValueError:
        return None


def _forged_lately(provider: str) -> int:
    since = clock.now() - timedelta(hours=1)
    return Doorbell.objects.filter(provider=provider, genuine=False, created_at__gt=since).count()


@sweeps.sweep("old doorbells", every=600)
def forget_forged(limit: int = 100) -> int:
    """Whoever can reach us can ring: what was not genuine is not kept for ever."""
    with atomic():
        old = Doorbell.objects.filter(genuine=False, created_at__lt=clock.now() - FORGED_KEPT)
        return Doorbell.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:limit])).delete()[0]

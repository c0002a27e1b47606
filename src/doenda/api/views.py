"""Providers' webhooks. Stored before they are answered; believed never (design rule 6)."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from doenda.access.policy import provider_doorbell
from doenda.payments import doorbells, providers


@provider_doorbell
@csrf_exempt
@require_POST
def doorbell(request: HttpRequest, provider: str) -> HttpResponse:
    """What the provider takes for "received" once it is stored, 401 for a forged one, 404 for a provider that we do not
    have; after 5xx it rings again."""
    if provider not in settings.DOENDA_PROVIDERS:
        return HttpResponse(status=404)
    genuine = doorbells.ring(provider, request.headers, request.body)
    return HttpResponse(status=providers.get(provider).heard if genuine else 401)

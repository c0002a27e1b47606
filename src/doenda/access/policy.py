"""Every view says who may call it; a test fails one that does not (design rule 20)."""

from collections.abc import Callable
from functools import wraps
from ipaddress import ip_address
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse

type View = Callable[..., HttpResponse]


def _marked(view: View, policy: str) -> View:
    view.policy = policy  # type: ignore[attr-defined]
    return view


def public(view: View) -> View:
    """Anyone; shows nothing about any customer."""
    return _marked(view, "public")


def by_token(view: View) -> View:
    """Whoever holds the link in the path; the view looks it up and answers strangers alike."""
    return _marked(view, "by_token")


def by_session(view: View) -> View:
    """Whoever holds the unguessable address of a visit."""
    return _marked(view, "by_session")


def provider_doorbell(view: View) -> View:
    """A provider, proved by its signature or by asking it back; nothing in the body is believed."""
    return _marked(view, "provider_doorbell")


def demo_only(view: View) -> View:
    """Exists only in the demo, and answers only to this machine."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not settings.DOENDA_DEMO or not _from_loopback(request):
            raise Http404
        return view(request, *args, **kwargs)

    return _marked(guarded, "demo_only")


def _from_loopback(request: HttpRequest) -> bool:
    try:
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def of(view: Any) -> str | None:
    """The policy that a view declares."""
    return getattr(view, "policy", None)

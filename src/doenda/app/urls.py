"""Every address of the house."""

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("doenda.channels.web.urls")),
    path("webhooks/", include("doenda.api.urls")),
]
if settings.DOENDA_DEMO:
    urlpatterns.append(path("demo/", include("doenda.demo.urls")))
handler400 = "doenda.channels.web.views.bad_request"
handler404 = "doenda.channels.web.views.not_found"
handler500 = "doenda.channels.web.views.server_error"

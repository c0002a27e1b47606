"""Addresses of the demo, under `demo/`; only where DOENDA_DEMO is set."""

from django.urls import path

from doenda.demo import views

urlpatterns = [
    path("", views.page),
    path("live", views.live),
    path("fault", views.fault),
    path("heal", views.heal),
    path("jump", views.jump_ahead),
]

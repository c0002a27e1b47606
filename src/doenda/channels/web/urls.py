"""Addresses of the customer's pages. They are short: they are typed, and sent in text messages."""

from django.urls import path

from doenda.channels.web import status, views

urlpatterns = [
    path("", views.enter),
    path("p/<str:token>", views.bill),
    path("s/<str:address>", views.visit),
    path("s/<str:address>/return", views.returned),
    path("s/<str:address>/place", views.place),
    path("v/<str:token>", views.screen),
    path("status", status.status),
    path("status.json", status.status),
    path("robots.txt", views.robots),
    path("health", views.health),
]

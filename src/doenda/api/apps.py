from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "doenda.api"
    label = "api"

from django.apps import AppConfig


class DoendaAppConfig(AppConfig):
    name = "doenda.app"
    label = "app"

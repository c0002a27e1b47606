from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "doenda.demo"
    label = "demo"

from django.apps import AppConfig


class SimConfig(AppConfig):
    name = "doenda.sim"
    label = "sim"

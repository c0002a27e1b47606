from django.apps import AppConfig


class ChannelsConfig(AppConfig):
    name = "doenda.channels"
    label = "channels"

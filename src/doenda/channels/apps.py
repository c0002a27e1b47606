from django.apps import AppConfig


class ChannelsConfig(AppConfig):
    name = "doenda.channels"
    label = "channels"

    def ready(self) -> None:
        from doenda.channels.web import secrecy

        secrecy.install()

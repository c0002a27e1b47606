from django.apps import AppConfig


class ChannelsConfig(AppConfig):
    name = "doenda.channels"
    label = "channels"

    def ready(self) -> None:
        from doenda.channels.web import secrecy

        secrecy.install()

        from doenda.channels.voice import exchange
        from doenda.contact.queue import ringing

        ringing.dials_while(exchange.can_ring)

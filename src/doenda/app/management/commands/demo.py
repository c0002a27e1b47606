"""`doenda demo`: the whole system with a sample carrier, in front."""

from doenda.app.management.commands.up import Command as Up


class Command(Up):
    help = "The whole system with sandbox bank, switch, handset and a sample carrier; open the address that it prints."
    demo = True

    def add_arguments(self, parser):  # type: ignore[no-untyped-def]
        super().add_arguments(parser)
        parser.set_defaults(accounts=1000)

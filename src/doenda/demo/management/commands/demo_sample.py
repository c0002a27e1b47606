"""`doenda demo-sample`: load the sample carrier."""

from datetime import date
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from doenda.demo import morning, sample


class Command(BaseCommand):
    help = "Load the sample carrier (demo only); a second call only finishes what is missing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--accounts", type=int, default=1000)
        parser.add_argument("--seed", type=int, default=2014)
        parser.add_argument("--on", type=date.fromisoformat, help="the day from which all dates follow (today)")

        parser.add_argument("--wake", action="store_true", help="a new demo begins in the morning if it is night")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DOENDA_DEMO:
            raise CommandError("sample customers belong into a demo: set DOENDA_DEMO=1")
        try:
            loaded = sample.load(
                options["accounts"],
                options["seed"],
                options["on"],
                say=lambda line: self.stdout.write(f"sample: {line}"),
            )
        except (sample.SampleRefused, ValueError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"sample: {'already there' if loaded.again else 'loaded'}, {loaded.seconds:.1f} s")
        if options["wake"] and not loaded.again and (woken := morning.wake()):
            self.stdout.write(f"sample: it is night there, so the demo begins at {woken}")

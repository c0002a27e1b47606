"""`doenda up` and, with the demo's peers and sample carrier, `doenda demo`: the whole system, in front."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from doenda.app import system
from doenda.app.supervisor import Supervisor
from doenda.kernel import embedded


class Command(BaseCommand):
    help = "Run everything on this machine; walk every way; print `ready ADDRESS`. Ctrl-C stops it."
    demo = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--data", type=Path, default=None, help="the data folder (default: the installation's)")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--demo", action="store_true", default=self.demo, help="with sandbox bank, switch, handset")
        parser.add_argument("--providers", default=",".join(system.OFFERED), help="of money, comma separated (demo)")
        parser.add_argument("--accounts", type=int, default=0, help="size of the sample carrier (demo)")
        parser.add_argument("--fresh", action="store_true", help="forget the data folder first (demo)")
        parser.add_argument("--check", action="store_true", help="start, walk every way, stop")
        parser.add_argument("--fast", action="store_true", help="give up durability (tests only)")

    def handle(self, *args: Any, **options: Any) -> None:
        data = options["data"] or embedded.default_data() / ("demo" if options["demo"] else "")
        if options["fresh"] and options["demo"]:
            shutil.rmtree(data, ignore_errors=True)
        offered = [name.strip() for name in options["providers"].split(",") if name.strip()]
        layout = system.lay_out(data, demo=options["demo"], port=options["port"], offered=offered)
        own = "DATABASE_URL" not in os.environ
        services = system.services(layout, database=own, settings=embedded.FAST if options["fast"] else None)
        supervisor = Supervisor(services, data=data)

        def ready() -> None:
            (data / "layout.json").write_text(json.dumps({"base": layout.base, "env": layout.env}), encoding="utf-8")
            if options["demo"] and options["accounts"]:
                _run(layout, "demo_sample", "--wake", "--accounts", str(options["accounts"]))
            _run(layout, "prober", "--once")
            self.stdout.write(f"ready {layout.base}{'/demo/' if options['demo'] else ''}")
            self.stdout.flush()
            if options["check"]:
                supervisor.request_stop()

        code = supervisor.run(ready)
        if code:
            raise SystemExit(code)


def _run(layout: system.Layout, *command: str) -> None:
    """Run one of our own commands to its end; raises CalledProcessError, which stops the supervisor."""
    subprocess.run(  # noqa: S603 - our own interpreter and command
        [sys.executable, "-m", "doenda.app.cli", *command],
        env={**os.environ, **layout.env},
        check=True,
        stdout=sys.stderr,
    )

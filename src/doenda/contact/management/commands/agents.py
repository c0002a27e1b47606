"""`doenda agents`: who answers customers, and who is at work; for agents who have a telephone and no screen."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from doenda.access.models import User
from doenda.contact.models import Agent
from doenda.contact.queue import agents
from doenda.kernel import clock, words

LONGEST_SHIFT = 16.0


class Command(BaseCommand):
    help = "List the agents; employ one; begin and end their work. Agents' telephones ring by their user's name."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", nargs="?", default="list", choices=["list", "employ", "ready", "pause", "out"])
        parser.add_argument("name", nargs="?", default="", help="the user's name")
        parser.add_argument("--langs", nargs="+", default=["ko"], choices=["ko", "en"])
        parser.add_argument("--skills", nargs="*", default=[])
        parser.add_argument("--hours", type=float, default=8.0, help="how long the shift is (ready)")
        parser.add_argument("--reason", default="", help="why (pause)")

    def handle(self, *args: Any, **options: Any) -> None:
        what, name = options["what"], options["name"]
        if what == "list":
            self._list()
            return
        user = User.objects.filter(username=name).first()
        if user is None:
            raise CommandError(f"no user is called {name!r}")
        if what == "employ":
            agents.employ(user.pk, langs=options["langs"], skills=options["skills"])
            return
        agent = Agent.objects.filter(user=user).first()
        if agent is None:
            raise CommandError(f"{name} is no agent (`doenda agents employ {name}`)")
        if what == "ready":
            if not 0 < options["hours"] <= LONGEST_SHIFT:
                raise CommandError(f"a shift is up to {LONGEST_SHIFT:.0f} hours long")
            until = clock.now() + timedelta(hours=options["hours"])
            agents.ready(agent.pk, shift_until=until, by_telephone=True)
        elif what == "pause":
            agents.pause(agent.pk, options["reason"] or "a pause")
        else:
            agents.sign_out(agent.pk)

    def _list(self) -> None:
        for agent in Agent.objects.select_related("user").order_by("user__username"):
            since, reason = words.moment(agent.since, "en"), f" ({agent.reason})" if agent.reason else ""
            can = " ".join([*agent.langs, *agent.skills])
            self.stdout.write(f"{agent.user.username:<16} {agent.state:<8} since {since}{reason}  {can}")

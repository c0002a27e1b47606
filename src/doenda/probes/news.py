"""What people say starts walks at once: of the way that they mean, or of all ways of the channel on which they are."""

from django.db.models import QuerySet

from doenda.assurance import devices
from doenda.assurance.rule import Name
from doenda.kernel import clock, facts
from doenda.probes import turns
from doenda.probes.models import Turn

ANSWERS = 3
"""Walks that answer so many reports that the way is in doubt (assurance.rule: REPORTS_ANSWERED_BY)."""


@facts.subscribes("journeys.report", name="probes.reported")
def reported(fact: facts.Fact) -> None:
    """The next round of what was reported is due now, on the kind of device on which it was, too."""
    way, channel = str(fact.data.get("way", "")), str(fact.data.get("channel", "")).split(" ")[0]
    rounds: QuerySet[Turn, Turn] = Turn.objects.filter(confirms=False, due_at__gt=clock.now())
    kind = devices.cell(way, str(fact.data.get("device", "")))
    rounds = rounds.filter(way__in=[way, kind]) if way else rounds.filter(way__startswith=f"{channel}/")
    rounds.update(due_at=clock.now())


@facts.subscribes("assurance.way_changed", name="probes.in_doubt")
def in_doubt(fact: facts.Fact) -> None:
    """A way that people's words put in doubt is walked as often as the doubt asks for."""
    said = fact.data["to"] == Name.SUSPECT and fact.data["cause"].startswith("people say")
    if said and Turn.objects.filter(way=fact.data["way"], confirms=False).exists():
        turns.ask(fact.data["way"], ANSWERS, asked_by="")

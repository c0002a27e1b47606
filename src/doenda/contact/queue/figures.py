"""The line for supervisors: who stands, who works, who was lost, and how well waits were told. From rows alone, so that
nothing is forgotten when a process starts again."""

from collections import Counter
from datetime import datetime, timedelta

from django.db.models import Count

from doenda.contact.models import Agent, Dial, Holding, Ticket
from doenda.contact.queue import estimates, rows

STANDING = ("waiting", "away", "callback", "offered", "talking", "wrapping_up")
AT_WORK = ("ready", "offered", "talking", "wrap_up")


def figures(now: datetime, since: datetime) -> dict[str, float | int]:
    """Counts now, and of what ended since then; seconds. Figures of which there is nothing to say are left out."""
    tickets = Counter(dict(Ticket.objects.filter(state__in=STANDING).values_list("state").annotate(Count("pk"))))
    agents = Counter(dict(Agent.objects.values_list("state").annotate(Count("pk"))))
    ended = Counter(dict(Holding.objects.filter(waited_until__gt=since).values_list("end").annotate(Count("pk"))))
    dials = Counter(dict(Dial.objects.filter(ended_at__gt=since).values_list("end").annotate(Count("pk"))))
    found: dict[str, float | int] = {f"line.{state}": tickets[state] for state in STANDING}
    found |= {f"agents.{state}": agents[state] for state in Agent.State.values}
    found |= {f"waits.{end}": ended[end] for end in ("served", "gone", "dropped", "callback")}
    found |= {f"calls_back.{end}": count for end, count in sorted(dials.items())}
    head = rows.in_line(now).filter(state="waiting").first()
    if head is not None:
        found["head_waits_s"] = round((now - head.queued_at).total_seconds())
    kept = estimates.kept(since)
    for name, value in (("rmse_s", kept.rmse), ("bias_s", kept.bias), ("coverage", kept.coverage)):
        if value is not None:
            found[f"told.{name}"] = round(value, 3)
    return found


def lost(since: datetime) -> list[tuple[Ticket, datetime, timedelta]]:
    """Who gave up or was cut off since then and is not in line now: the ticket, when, and after how long."""
    found = Holding.objects.filter(
        end__in=("gone", "dropped"), waited_until__gt=since, ticket__state__in=("away", "gone")
    )
    listed = found.filter(ticket__joined_into=None).select_related("ticket").order_by("-waited_until")
    return [(one.ticket, one.waited_until, one.waited_until - one.created_at) for one in listed if one.waited_until]

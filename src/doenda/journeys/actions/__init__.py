"""The real actions behind `Do` steps, and what `Wait` steps wait for: each binds a declaration to the rooms below.

An action runs outside any transaction, commits its own work, and may be run again after a crash: everything it writes
is keyed by the session and its step. It answers with an outcome that `declarations.ACTIONS` lists for it.
"""

from doenda.journeys.actions import door, help_, own_act, paying, promising
from doenda.journeys.actions.binding import Context, bound, run
from doenda.journeys.actions.happenings import happened
from doenda.journeys.actions.receipts import that_paid
from doenda.journeys.actions.ways import by_page, elsewhere, instead, listed, on_its_way, opening, reachable

__all__ = [
    "Context",
    "bound",
    "by_page",
    "elsewhere",
    "happened",
    "instead",
    "listed",
    "on_its_way",
    "opening",
    "reachable",
    "run",
    "that_paid",
]
_ROOMS = (door, help_, own_act, paying, promising)

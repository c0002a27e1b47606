"""How often each way is walked: `schedules.toml`, and what follows from it for a way as it stands."""

import tomllib
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from django.conf import settings
from django.db.models import Max

from doenda.assurance import devices, standing
from doenda.assurance.models import Evidence
from doenda.assurance.rule import NAMED, Name, Outcome
from doenda.kernel import clock
from doenda.probes.models import ProbeRun

SOURCE = Path(__file__).with_name("schedules.toml")
_RETURNING = (Name.WITHDRAWN, Name.HALF_OPEN)


@dataclass(frozen=True, slots=True)
class Schedule:
    """One table of `schedules.toml`, which says what each field means. Raises ValueError for a bound that is none."""

    every: float = 30
    returning: float = 10
    on_silence: float = 0
    won_a_day: int = 0

    def __post_init__(self) -> None:
        if min(self.every, self.returning) < 1 or min(self.on_silence, self.won_a_day) < 0:
            raise ValueError("walks rest a second at least, and no bound is below zero")


@cache
def read(source: str = "") -> dict[str, Schedule]:
    """The schedules by provider, `default` among them. Raises ValueError naming the table, OSError."""
    found: dict[str, Schedule] = {"default": Schedule()}
    for name, table in tomllib.loads(Path(source or SOURCE).read_text(encoding="utf-8")).items():
        try:
            found[name] = Schedule(**table)
        except (TypeError, ValueError) as error:
            raise ValueError(f"probe schedule [{name}]: {error}") from error
    return found


def of(slug: str) -> Schedule:
    """The schedule of a way, by its provider; on one kind of device that kind's ("@chromium") or "@default"."""
    known = read(getattr(settings, "DOENDA_PROBE_SCHEDULES", ""))
    way, device = devices.parts(slug)
    if device:
        return known.get(devices.cell("", device)) or known.get(devices.cell("", "default")) or known["default"]
    return known.get(way.split("/")[2], known["default"])


def due(slug: str, begun: datetime, *, amount: int, every: float | None = None) -> datetime:
    """When the way is to be walked next, a walk of `amount` minor units having begun at `begun`.

    A proven way whose lease is long (a walk that costs something) is walked four times a lease only, and not while
    customers prove it; one in doubt is walked as often as any other. `every` overrides the schedule's.
    """
    schedule, way = of(slug), standing.one(slug)
    pause = schedule.every if every is None else every
    if way is not None and way.standing in _RETURNING:
        pause = min(pause, schedule.returning)
    if way is not None and way.standing in NAMED and way.proven_until is not None and way.last_proof_at is not None:
        pause = max(pause, (way.proven_until - way.last_proof_at).total_seconds() / 4)
        if schedule.on_silence and (paid := _last_paid(slug)) is not None:
            begun = max(begun, paid + timedelta(seconds=schedule.on_silence - pause))
    at = begun + timedelta(seconds=pause)
    if schedule.won_a_day and _walked_today(slug) * amount + amount > schedule.won_a_day:
        at = max(at, _tomorrow())
    return at


def _last_paid(slug: str) -> datetime | None:
    paid = Evidence.objects.filter(way_id=slug, outcome=Outcome.WORKED, synthetic=False)
    return paid.aggregate(last=Max("at"))["last"]  # type: ignore[no-any-return]


def _walked_today(slug: str) -> int:
    midnight = clock.at(clock.today(), 0, 0)
    return ProbeRun.objects.filter(way=slug, created_at__gte=midnight).count()


def _tomorrow() -> datetime:
    return clock.at(clock.today() + timedelta(days=1), 0, 0)

"""One way fails at its last step: within 60 s nothing names it, the misled are told, and it returns by proofs only.

All looking is done from outside, as customers do: the status board, a bill's page, the panel of the handset, the texts.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from doenda.app import scenes
from doenda.app.result import Result
from doenda.app.stage import Stage
from doenda.assurance import guidance
from doenda.assurance.models import Evidence, Exposure
from doenda.billing.models import Bill
from doenda.channels.web import walker
from doenda.dunning import outlook
from doenda.dunning.models import Misled
from doenda.kernel import clock, texts
from doenda.notices.models import Delivery, Notice

LIMIT_SECONDS = 60.0
RETURN_SECONDS = 600.0
HOLD_SECONDS = 180.0
MORNINGS = 5
METHOD, WAY = "transfer", "web/transfer/sandbox"


@dataclass
class _Watch:
    """Sources that name the way, and when each was first seen not to (seconds since the fault)."""

    sources: dict[str, Callable[[], bool]]
    begun: float = field(default_factory=clock.monotonic)
    silent: dict[str, float] = field(default_factory=dict)

    def look(self) -> bool:
        """True when all are silent."""
        for name, names in self.sources.items():
            if name not in self.silent and not names():
                self.silent[name] = clock.monotonic() - self.begun
        return len(self.silent) == len(self.sources)


def run(stage: Stage) -> Result:
    result = Result()
    told, tried, other = scenes.import_bills(stage, 3, overdue_days=3)
    noticed = any(_told_by_morning(stage, (told, tried)) for _ in range(MORNINGS))
    result.expect(noticed, "no notice named the way before the fault")
    known = scenes.wait_for(lambda: _board_names(stage), 60, every=1.0)
    result.expect(known, "the board did not name the way before the fault")
    dead_since = clock.now()
    stage.faults("bank", {METHOD: {"fault": "last_step_down"}})
    watch = _Watch({"board": lambda: _board_names(stage), "page": lambda: _page_names(other), "rows": _guided})
    met = walker.pay(scenes.link(tried), method=METHOD, patience=20.0)
    result.expect(met.outcome != "paid", "the fault failed nobody")
    scenes.wait_for(watch.look, LIMIT_SECONDS + 20, every=0.5)
    for name in watch.sources:
        seconds = watch.silent.get(name)
        result.expect(seconds is not None and seconds <= LIMIT_SECONDS, f"{name} named the way for {seconds} s")
        result.notes.append(f"{name}: silent after {seconds or float('nan'):.1f} s")
    _told(result, stage, watch, dead_since)
    result.expect(outlook.of(told.account_id).held, "the clock of who was told did not stop")
    result.expect(outlook.of(tried.account_id).held, "the clock of who tried did not stop")
    naming = _naming(stage, dead_since)
    result.expect(naming == 0, f"{naming} texts named the dead way")
    returned = _returns(result, stage)
    back = scenes.wait_for(lambda: any(_texts(stage, dead_since, kind) for kind in ("way-back", "fault-mended")), 90)
    result.expect(back, f"who was told heard nothing when it worked again: {_after(tried)}")
    closed = scenes.wait_for(lambda: not _open_incidents(stage), 30, every=1.0)
    result.expect(closed, f"open although the way is back: {_open_incidents(stage)}")
    incident = scenes.board(stage)["incidents"][-1]  # the first that was noticed
    result.figures = {
        "seconds_to_withdraw": round(watch.silent.get("rows", float("nan")), 1),
        "seconds_board": round(watch.silent.get("board", float("nan")), 1),
        "seconds_page": round(watch.silent.get("page", float("nan")), 1),
        "seconds_told": round(watch.silent.get("told", float("nan")), 1),
        "seconds_to_return": round(returned, 1),
        "notices_naming_dead": naming,
        "detection_seconds": round(incident["detection_seconds"], 1),
        "repair_seconds": round(incident["repair_seconds"] or float("nan"), 1),
    }
    return result


def _told_by_morning(stage: Stage, bills: tuple[Bill, ...]) -> bool:
    scenes.pass_days(stage, 1)
    return scenes.wait_for(lambda: all(_named(bill) for bill in bills), 25)


def _named(bill: Bill) -> bool:
    return Delivery.objects.filter(notice__bill=bill, ways__contains=[WAY]).exists()


def _board_names(stage: Stage) -> bool:
    return METHOD in scenes.board(stage)["methods"]


def _page_names(bill: Bill) -> bool:
    """Does a customer who opens the bill's link now find the way among what can be chosen?"""
    customer = walker.Walker(lang="en")
    customer.open(scenes.link(bill))
    customer.press("pay")
    return any(f"/{METHOD}/" in way for way in customer.radios("way"))


def _guided() -> bool:
    return WAY in {way.slug for way in guidance.read().named("notice")}


def _texts(stage: Stage, since: datetime, name: str) -> bool:
    """Has a text of this kind arrived, known by its first words?"""
    heads = [texts.say(f"notice-{name}", "ko", failed="X", amount="X", works="nothing").split("X")[0].strip()]
    return any(head[:12] in text for text in scenes.inbox_since(stage, since) for head in heads)


def _open_incidents(stage: Stage) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [each for each in scenes.board(stage)["incidents"] if each["open"]]
    return found


def _told(result: Result, stage: Stage, watch: _Watch, since: datetime) -> None:
    arrived = scenes.wait_for(lambda: _texts(stage, since, "misled"), 30)
    watch.silent["told"] = clock.monotonic() - watch.begun
    result.expect(arrived, "who tried was not told that it does not work")


def _naming(stage: Stage, since: datetime) -> int:
    """Texts since then that name the way as one that works."""
    running = Exposure.objects.filter(way_id=WAY, ended_at=None).first()
    withdrawn = running.committed_at if running is not None else since
    deliveries = Delivery.objects.filter(at__gt=withdrawn, ways__contains=[WAY]).count()
    names = [guidance.method_name(METHOD, lang) for lang in texts.LANGUAGES]
    said = [scenes.as_working(text) for text in scenes.inbox_since(stage, withdrawn)]
    return deliveries + sum(any(name in text for name in names) for text in said)


def _after(bill: Bill) -> str:
    """What became of telling the customer, for whoever must find out why."""
    notices = Notice.objects.filter(account_id=bill.account_id).values_list("kind", "state", "held_reason")
    rows = Misled.objects.filter(account_id=bill.account_id).values_list("way", "why", "told_at", "back_at")
    running = list(Exposure.objects.filter(ended_at=None).values_list("way_id", flat=True))
    return f"notices {list(notices)}, told {list(rows)}, failing {running}, now {clock.now()}"


def _returns(result: Result, stage: Stage) -> float:
    """Repair, and see that the way returns after its hold, by walks that passed since. Seconds from the repair."""
    withdrawn = Exposure.objects.get(way_id=WAY, ended_at=None).committed_at
    stage.faults("bank", {})
    repaired, begun = clock.now(), clock.monotonic()
    returned = scenes.wait_for(lambda: _board_names(stage), RETURN_SECONDS, every=1.0)
    seconds = clock.monotonic() - begun
    result.expect(returned, f"the way had not returned {seconds:.0f} s after its repair")
    held = (clock.now() - withdrawn).total_seconds()
    result.expect(held >= HOLD_SECONDS, f"it was named again {held:.0f} s after its withdrawal")
    proofs = Evidence.objects.filter(way_id=WAY, outcome="worked", at__gte=repaired).count()
    result.expect(proofs >= 2, f"it returned after {proofs} proofs")
    result.notes.append(f"returned after {proofs} proofs")
    return seconds

"""`doenda ways`: how every way stands and why, what an operator decides about one, and the log replayed.

doenda ways [--json]                                    how they stand now
doenda ways withdraw|vouch|retire|offer-again WAY --who NAME --reason TEXT
doenda ways close WAY --until 2026-01-31T09:00 --who NAME --reason TEXT
doenda ways report WAY --who NAME --reason TEXT         a clerk's or an agent's word that it does not work
doenda ways history WAY                                 its transitions, the newest last
doenda ways replay [WAY]                                the log from zero: the same transitions?
"""

import json
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from doenda.assurance import by_hand, evidence, replay, rule, standing
from doenda.assurance.models import Transition, Way
from doenda.assurance.standing import UnknownWay
from doenda.kernel import clock

_DECIDE = {
    "withdraw": by_hand.withdraw,
    "vouch": by_hand.vouch,
    "retire": by_hand.retire,
    "offer-again": by_hand.offer_again,
}
_DO = ("list", "close", "report", "history", "replay", *_DECIDE)


class Command(BaseCommand):
    help = "How every way stands and why; withdraw, vouch, close, retire by hand; replay the log of evidence."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("do", nargs="?", default="list", choices=_DO)
        parser.add_argument("way", nargs="?", default="")
        parser.add_argument("--who", default="", help="who decides it")
        parser.add_argument("--reason", default="", help="why: it is kept and shown")
        parser.add_argument("--until", default="", help="close: until when (the carrier's time, or with an offset)")
        parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")

    def handle(self, *args: Any, **options: Any) -> None:
        do, way = options["do"], options["way"]
        if do == "list":
            return self._list(json_only=options["json"])
        if do == "replay":
            return self._replay(way, json_only=options["json"])
        if not way:
            raise CommandError(f"{do} which way? doenda ways lists them")
        if do == "history":
            return self._history(way)
        return self._decide(do, way, options)

    def _decide(self, do: str, way: str, options: dict[str, Any]) -> None:
        who, reason = options["who"], options["reason"]
        try:
            if do == "close":
                by_hand.close(way, _instant(options["until"]), who=who, reason=reason)
            elif do == "report":
                _report(way, who, reason)
            else:
                _DECIDE[do](way, who=who, reason=reason)
        except UnknownWay as error:
            raise CommandError(f"no way {way!r} here; doenda ways lists them") from error
        except ValueError as error:
            raise CommandError(f"{error}: --who and --reason say which") from error
        self.stdout.write(f"{way}: {standing.current()[way].standing}")

    def _list(self, *, json_only: bool) -> None:
        found = [_row(each) for each in standing.current().values()]
        if json_only:
            self.stdout.write(json.dumps({"ok": True, "figures": {"ways": len(found)}, "ways": found}))
            return
        for each in found:
            line = "  ".join(
                (f"{each['way']:<26}", f"{each['standing']:<10}", f"proof {each['last_proof'] or '-':<26}")
            )
            self.stdout.write(f"{line}{each['points']:5.1f} of {rule.WITHDRAW_AT} points")

    def _history(self, way: str) -> None:
        for each in Transition.objects.filter(way_id=way).order_by("version"):
            local = clock.local(each.at)
            self.stdout.write(f"{local:%Y-%m-%d %H:%M:%S}  {each.was:>10} -> {each.now:<10}  {each.cause}")

    def _replay(self, way: str, *, json_only: bool) -> None:
        slugs = [way] if way else list(Way.objects.order_by("position", "slug").values_list("slug", flat=True))
        try:
            found = [replay.replay(slug) for slug in slugs]
        except Way.DoesNotExist as error:
            raise CommandError(f"no way {way!r} here; doenda ways lists them") from error
        ok = all(each.same for each in found)
        figures = {
            "ways": len(found),
            "evidence": sum(each.evidence for each in found),
            "transitions": sum(len(each.stored) for each in found),
            "differing": sum(not each.same for each in found),
        }
        if json_only:
            self.stdout.write(json.dumps({"ok": ok, "figures": figures}))
        else:
            for name, value in figures.items():
                self.stdout.write(f"  {name:<12}{value:>10,}")
            for each in found:
                if not each.same:
                    self.stdout.write(f"  {each.way}: stored {_words(each.stored)}; again {_words(each.again)}")
            self.stdout.write("ok" if ok else "not ok")
        if not ok:
            raise SystemExit(1)


def _report(way: str, who: str, reason: str) -> None:
    if not who.strip() or not reason.strip():
        raise ValueError("a report needs a person and what was seen")
    with transaction.atomic():
        evidence.report(way, who=f"staff {who}", said=f"{who}: {reason}")


def _row(each: standing.Standing) -> dict[str, Any]:
    return {
        "way": each.slug,
        "standing": each.standing.value,
        "since": clock.local(each.since).isoformat(timespec="seconds"),
        "last_proof": clock.local(each.last_proof_at).isoformat(timespec="seconds") if each.last_proof_at else None,
        "points": round(each.points, 2),
    }


def _words(found: tuple[tuple[str, str], ...]) -> str:
    return " ".join([found[0][0], *(now for _, now in found)]) if found else "nothing"


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandError(f"--until {text!r} is no instant: 2026-01-31T09:00") from error
    return instant if instant.tzinfo else instant.replace(tzinfo=clock.zone())

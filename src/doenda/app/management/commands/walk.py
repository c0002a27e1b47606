"""`doenda walk pay --channel web`: one walk through a channel, from outside, to the last step."""

import sys
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import connection

from doenda.app import scenes, system
from doenda.app.drills import books
from doenda.app.report import finish
from doenda.app.result import Result
from doenda.app.stage import Stage, stage
from doenda.channels.web import in_chromium, in_w3m, walker
from doenda.channels.web.walker import Walk
from doenda.probes import hands

METHODS = ("card", "transfer", "deposit")
"""What a walk from outside can pay with to the receipt: a debit takes a day, and a slip a clerk."""


class Command(BaseCommand):
    help = "Pay a bill to its receipt: one of a system of its own, or the one that --url opens."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("journey", choices=["pay"])
        parser.add_argument("--channel", choices=["web"], default="web")
        parser.add_argument("--browser", choices=["none", "chromium", "chromium-js", "w3m"], default="none")
        parser.add_argument("--method", choices=METHODS, default="card")
        parser.add_argument("--provider", choices=(*system.OFFERED, "toss", "portone"), default="sandbox")
        parser.add_argument("--lang", choices=["ko", "en"], default="ko")
        parser.add_argument("--parallel", type=int, default=1, help="so many customers pay the same bill at once")
        parser.add_argument("--url", help="a bill's link on a running system")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["url"]:
            result = Result()
            _tell(result, [_walk(options["url"], options)])
        else:
            result = _on_a_stage(options)
        finish(self, result, json_only=options["json"])


def _walk(url: str, options: dict[str, Any]) -> Walk:
    method, provider, hand = options["method"], options["provider"], _hand(options)
    match options["browser"]:
        case "chromium" | "chromium-js":
            scripts = options["browser"] == "chromium-js"
            return in_chromium.pay(
                url, method=method, provider=provider, lang=options["lang"], scripts=scripts, hand=hand
            )
        case "w3m":
            return in_w3m.pay(url, method=method, hand=hand)
    return walker.pay(url, method=method, provider=provider, lang=options["lang"], hand=hand)


def _hand(options: dict[str, Any]) -> hands.Hand | None:
    """Who brings the money of a deposit; None where nobody has to, or can."""
    return hands.hand(f"{options['channel']}/{options['method']}/{options['provider']}")


def _on_a_stage(options: dict[str, Any]) -> Result:
    result = Result()
    with stage(say=lambda line: sys.stderr.write(line + "\n"), offered=[options["provider"]]) as running:
        [bill] = scenes.import_bills(running, 1, overdue_days=3)
        link = scenes.link(bill)
        walks = _together(link, options) if options["parallel"] > 1 else [_walk(link, options)]
        _tell(result, walks)
        if options["provider"] == "sandbox":
            _compare(result, running, bill.amount)
    return result


def _compare(result: Result, running: Stage, amount: int) -> None:
    """The bank took the bill once, and its books are ours."""
    mismatches = books.until_agreed(running, 20)
    result.failures += mismatches
    charged = running.control("bank", "GET", "books")["by_order"]
    charges = sum(1 for order, net in charged.items() if net == amount)
    result.expect(charges == 1, f"the bill was charged {charges} times")
    result.figures |= {"charges": charges, "mismatches": len(mismatches)}


def _together(link: str, options: dict[str, Any]) -> list[Walk]:
    walks: list[Walk] = []

    def customer() -> None:
        walks.append(_walk(link, options))
        connection.close()

    threads = [threading.Thread(target=customer) for _ in range(options["parallel"])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return walks


def _tell(result: Result, walks: list[Walk]) -> None:
    for walk in walks:
        result.expect(walk.outcome == "paid", f"ended at {walk.outcome}: {walk.trouble or walk.text[-300:]}")
        result.notes.append(f"{walk.outcome} in {walk.seconds:.1f} s: {' > '.join(walk.steps)}")
    result.figures |= {
        "walks": len(walks),
        "outcome_paid": sum(walk.outcome == "paid" for walk in walks),
        "steps": max(len(walk.steps) for walk in walks),
        "seconds": round(max(walk.seconds for walk in walks), 2),
    }

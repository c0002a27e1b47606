"""`doenda drill NAME`: one fault, one storm or one cycle, from outside, on a system of its own."""

import sys
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from doenda.app.report import finish
from doenda.app.result import Result


class Command(BaseCommand):
    help = "Run one drill on a system of its own; exits 0 only if everything that it expects held."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("drill", choices=sorted(_DRILLS))
        parser.add_argument("--json", action="store_true")
        parser.add_argument("--walks", type=int, default=500, help="kill: how many customers pay")
        parser.add_argument("--payers", type=int, default=50, help="parallel-pay: how many pay one bill at once")
        parser.add_argument("--mandates", type=int, default=10_000, help="debit: how many customers are debited")
        parser.add_argument("--only", nargs="*", default=(), help="providers: these alone")
        parser.add_argument("--seed", type=int, default=1, help="kill: of the victims and the moments")

    def handle(self, *args: Any, **options: Any) -> None:
        finish(self, _DRILLS[options["drill"]](options), json_only=options["json"])


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")


def _unknown(options: dict[str, Any]) -> Result:
    from doenda.app.drills import unknown
    from doenda.app.stage import stage

    with stage(say=_say) as running:
        return unknown.run(running)


def _bank_dead(options: dict[str, Any]) -> Result:
    from doenda.app.drills import bank_dead
    from doenda.app.stage import stage

    with stage(say=_say) as running:
        return bank_dead.run(running)


def _kill(options: dict[str, Any]) -> Result:
    from doenda.app.drills import kill
    from doenda.app.stage import stage

    with stage(say=_say, offered=kill.PROVIDERS) as running:
        return kill.run(running, walks=options["walks"], seed=options["seed"])


def _bad_files(options: dict[str, Any]) -> Result:
    from doenda.app.drills import bad_files

    return bad_files.run()


def _providers(options: dict[str, Any]) -> Result:
    from doenda.app import conformance

    return conformance.run(options["only"])


def _debit(options: dict[str, Any]) -> Result:
    from doenda.app.drills import debit

    return debit.run(mandates=options["mandates"])


def _parallel_pay(options: dict[str, Any]) -> Result:
    from doenda.app.drills import parallel_pay
    from doenda.app.stage import stage
    from doenda.app.system import OFFERED

    with stage(say=_say, offered=OFFERED) as running:
        return parallel_pay.run(running, payers=options["payers"])


def _last_step(options: dict[str, Any]) -> Result:
    from doenda.app.drills import last_step
    from doenda.app.stage import stage

    with stage(say=_say) as running:
        return last_step.run(running)


_DRILLS: dict[str, Callable[[dict[str, Any]], Result]] = {
    "unknown": _unknown,
    "bank-dead": _bank_dead,
    "last-step": _last_step,
    "kill": _kill,
    "bad-files": _bad_files,
    "providers": _providers,
    "debit": _debit,
    "parallel-pay": _parallel_pay,
}

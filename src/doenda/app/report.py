"""How every command says what it found: a table for people, one JSON object for machines, an exit code for both."""

import json

from django.core.management.base import BaseCommand

from doenda.app.result import Result


def finish(command: BaseCommand, result: Result, *, json_only: bool) -> None:
    """Print the result and leave with 0 only if it is good. Raises SystemExit."""
    if json_only:
        command.stdout.write(json.dumps(result.as_json(), ensure_ascii=False))
    else:
        width = max((len(name) for name in result.figures), default=0)
        for name, value in result.figures.items():
            command.stdout.write(
                f"  {name:<{width}}  {value:,}" if isinstance(value, int) else f"  {name:<{width}}  {value}"
            )
        for note in result.notes:
            command.stdout.write(f"  {note}")
        for failure in result.failures:
            command.stdout.write(f"  FAILED: {failure}")
        command.stdout.write("ok" if result.ok else "not ok")
    if not result.ok:
        raise SystemExit(1)

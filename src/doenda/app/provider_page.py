"""docs/providers.md, put together from the contract's own docstrings: `doenda provider_page` prints it."""

import ast
import inspect
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from doenda.payments.providers import classes
from doenda.payments.providers.contract import Answer, Charge, Moves, Outcome, Provider, Ring

_MEMBER = re.compile(r'^ +([A-Z_]+) = "([a-z_]+)"  # (.+)$', re.MULTILINE)

INTRO = """# Providers of money

*This page is printed by `doenda provider_page` from the docstrings of `payments/providers/contract.py`; a test holds it
to them.*

A provider takes money for the carrier: a card gateway, a bank with deposit accounts, a clearing house that debits, a
counter. The house knows it by one class, which knows neither requests nor pages, so that a page, a voice menu and an
agent's screen all use the same one.

## Adding one

1. A package `payments/providers/NAME/` with `provider.py` (one class that inherits from `Provider`) and `codes.py`: two
   tables, the provider's statuses and its error codes, each to an outcome below. **A code that is not in them is
   `unknown`**, and so are a timeout, a 5xx and an answer that cannot be read: never write "failed" for what you do not
   know.
2. An entry in `payments/providers/__init__.py` and one in `app/providers.py` with its address and keys. Keys come from
   the environment or from files (`NAME_FILE`); where two are live, the newest stands first.
3. Its ways in `assurance/ways.toml` (channel/method/NAME) and, if it competes for a method, its cost in
   `payments/routes.toml`. `DOENDA_OFFERED` names the providers whose ways customers are told of.
4. A driver in `sim/drivers/NAME.py`; `doenda drill providers` then runs every behaviour against it: paid,
   refused, each unknown, doubled, late, forged, undone, refunded. It is not a provider of ours before that table is
   green.
5. Its doorbell is `POST /webhooks/NAME`: `ring` checks it, the house stores it and asks. Nothing it says is posted.
"""


def page() -> str:
    """The whole page as Markdown."""
    parts = [
        INTRO,
        "## Outcomes\n",
        _members(Outcome),
        "\n## When money moves\n",
        f"{inspect.getdoc(Moves)}\n",
        _members(Moves),
        "\n## What a class says of itself\n",
        *(f"- `{name}`: {text}" for name, text in _attributes()),
        "\n## What it does\n",
        *(f"**`{name}{_signature(method)}`** {_text(method)}\n" for name, method in _methods()),
        "## What goes in and comes out\n",
        *(f"**`{each.__name__}`** {_text(each)}\n" for each in (Charge, Answer, Ring)),
        "## Those that there are\n",
        "| provider | methods, and when their money moves | may need a script | longest | a person after |",
        "|---|---|---|---|---|",
        *(_row(name, made) for name, made in classes()),
        "",
    ]
    return "\n".join(parts)


def _members(kind: type) -> str:
    rows = [f"| `{value}` | {text} |" for _, value, text in _MEMBER.findall(inspect.getsource(kind))]
    return "\n".join(["| word | meaning |", "|---|---|", *rows])


def _attributes() -> Iterator[tuple[str, str]]:
    """Annotated names of the contract, each with the string that follows it."""
    body = ast.parse(inspect.getsource(Provider)).body[0]
    assert isinstance(body, ast.ClassDef)
    for here, after in zip(body.body, body.body[1:], strict=False):
        if isinstance(here, ast.AnnAssign) and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            yield ast.unparse(here.target), " ".join(str(after.value.value).split())


def _methods() -> Iterator[tuple[str, Any]]:
    return ((name, each) for name, each in vars(Provider).items() if inspect.isfunction(each) and name[0] != "_")


def _signature(method: Any) -> str:
    names = [name for name in inspect.signature(method).parameters if name != "self"]
    return f"({', '.join(names)})"


def _text(thing: Any) -> str:
    return " ".join((inspect.getdoc(thing) or "").split())


def _row(name: str, made: type[Provider]) -> str:
    methods = ", ".join(f"{method}: {when.value.replace('_', ' ')}" for method, when in made.methods.items())
    script = ", ".join(sorted(made.scripted)) or "none"
    return f"| {name} | {methods} | {script} | {_span(made.longest)} | {_span(made.a_person_after)} |"


def _span(time: timedelta) -> str:
    hours, minutes = divmod(int(time.total_seconds()) // 60, 60)
    return f"{hours} h" if hours and not minutes else f"{hours * 60 + minutes} min"

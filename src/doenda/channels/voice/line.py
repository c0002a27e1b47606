"""What a call stands on: the caller's end of the telephone, and the house behind it. Both are awaited."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol
from uuid import UUID

from doenda.channels.voice.asking import Asking
from doenda.channels.voice.desk import Heard
from doenda.channels.voice.queueing import Now, Place


class HungUp(Exception):
    """The caller is gone."""


class PlaceLost(Exception):
    """Nothing holds the place for this call any more (we were away for longer than its lease): stand in line again."""


class Met(Exception):
    """An agent has taken the call and waits in `bridge`."""

    def __init__(self, bridge: str, assignment: UUID) -> None:
        super().__init__(bridge)
        self.bridge, self.assignment = bridge, assignment


class Parted(Exception):
    """The other one of a talk is gone. `again`: the caller stands in line again, at the same place; `assignment`: of
    which talk, for a caller who may be in the next one by now."""

    def __init__(self, assignment: UUID | None = None, *, again: bool = False) -> None:
        super().__init__()
        self.assignment, self.again = assignment, again


class Moved(Exception):
    """The visit was moved on a page, or what it waited for has happened. `watch`: whose watching saw it."""

    def __init__(self, watch: object = None) -> None:
        super().__init__()
        self.watch = watch


type Interruption = PlaceLost | Met | Parted | Moved
"""What may come instead of a key, whatever is being said; `key` and `say` raise it."""


class Line(Protocol):
    """The caller's end of the telephone."""

    id: str
    """The call's own name among calls."""
    caller: str
    """The number from which they say they call; "" when withheld."""
    in_line: bool
    """Does the call stand in line just now? It is told when its place is lost."""
    holds: bool
    """Does it hold a place, in line or in a talk with an agent? Then that is renewed."""
    talks: UUID | bool
    """Is it with somebody from whom it can be parted? A caller: in which talk (assignment)."""
    watching: object
    """Whose `Moved` is of interest just now; None: nobody's."""

    async def say(self, texts: Sequence[str], lang: str) -> str | None:
        """Speak; the key that cut it short, or None. Raises HungUp."""

    async def key(self, within: float) -> str | None:
        """The next key, or None after so many seconds. Raises HungUp."""

    async def music(self, *, on: bool) -> None:
        """Music while somebody waits. Raises HungUp."""

    def tell(self, what: Interruption) -> None:
        """Let whoever serves this end know."""

    async def join(self, bridge: str) -> None:
        """Talk with whoever is in it. Raises HungUp; Parted if nobody is, any more."""

    async def gone(self) -> bool:
        """Is the caller certainly gone, and was it no passing "not there" that looked like it?"""

    async def close(self) -> None:
        """End it: only after everything was said."""


class House(Protocol):
    """`desk` and `queueing`, beside the calls."""

    async def opening(self, lang: str, caller: str) -> tuple[tuple[str, ...], Asking, tuple[tuple[str, ...], ...]]: ...
    async def begin(self, lang: str, caller: str, call: str) -> Heard: ...
    async def look(self, address: str, caller: str) -> Heard: ...
    def watching(self, line: Line, here: Heard) -> AbstractAsyncContextManager[None]:
        """Raises Moved in its block, from `say` or `key`, once the visit stands elsewhere, or a page has joined it."""

    async def page_digits(self, lang: str) -> tuple[Asking, tuple[tuple[str, ...], ...]]: ...
    async def take_up(self, code: str, caller: str, call: str) -> Heard | None: ...
    async def invite(self, address: str, caller: str, call: str, lang: str) -> str: ...
    async def answer(self, here: Heard, outcome: str, values: Mapping[str, str], caller: str, call: str) -> Heard: ...
    async def call_back(self, caller: str, lang: str) -> str: ...
    async def words(self, message: str, lang: str) -> str: ...
    async def open_now(self) -> bool: ...
    async def stand(self, call_id: str, lang: str, caller: str, address: str) -> Place: ...
    async def tell(self, call_id: str, ticket: UUID, lang: str) -> Now: ...
    async def paid_meanwhile(self, address: str) -> str: ...
    async def place_over(self, call_id: str, lang: str) -> str: ...
    async def let_go(self, call_id: str, *, dropped: bool) -> None: ...
    async def renew(self, call_ids: Sequence[str]) -> frozenset[str]: ...
    async def call_me(self, call_id: str, lang: str) -> str: ...
    async def put_back(self, assignment: UUID) -> None: ...

"""Who is next. A place is ordered by (priority, `queued_at`), whatever channel holds it; a callback stands like a call.

Priority rises with the contacts that we lost and with age, and never falls: rising moves the older first, so that
between two places of one priority the one that queued first stays first.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

type Key = tuple[int, float, int]
type Standing = Literal["waiting", "away", "callback", "dialling"]
"""How a place is held now: somebody is there; the call dropped; nobody, by wish; our call to the customer rings."""


@dataclass(frozen=True, slots=True)
class Place:
    """`queued_at` in seconds of any one clock; `id` decides between equals (a ticket's UUIDv7 as an integer)."""

    id: int
    queued_at: float
    priority: int = 0
    lang: str = ""
    skill: str = ""
    standing: Standing = "waiting"

    @property
    def key(self) -> Key:
        return -self.priority, self.queued_at, self.id


@dataclass(frozen=True, slots=True)
class Desk:
    """What an agent can take."""

    skills: Collection[str] = ()
    langs: Collection[str] = ()

    def serves(self, place: Place) -> bool:
        return (not place.skill or place.skill in self.skills) and (not place.lang or place.lang in self.langs)


class Line:
    """The places in their order. O(log n) to enter, to leave and to find how many stand before a place."""

    def __init__(self, places: Iterable[Place] = ()) -> None:
        self._keys: list[Key] = []
        self._places: dict[Key, Place] = {}
        self._of: dict[int, Key] = {}
        for place in places:
            self.put(place)

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[Place]:
        return (self._places[key] for key in self._keys)

    def __contains__(self, place_id: int) -> bool:
        return place_id in self._of

    def put(self, place: Place) -> None:
        """Enter it, or stand it where it now belongs."""
        self.drop(place.id)
        insort(self._keys, place.key)
        self._places[place.key], self._of[place.id] = place, place.key

    def drop(self, place_id: int) -> None:
        key = self._of.pop(place_id, None)
        if key is not None:
            del self._keys[bisect_left(self._keys, key)]
            del self._places[key]

    def ahead(self, place: Place) -> int:
        """How many stand before it, itself in line or not."""
        return bisect_left(self._keys, place.key)

    def head(self) -> Place | None:
        return self._places[self._keys[0]] if self._keys else None

    def next_for(self, desk: Desk, free: Collection[Desk], *, rings: bool = True) -> Place | None:
        """Whom a freed agent takes: the first who is there and whom the agent can serve.

        `free`: the free agents' desks, this one among them. Each callback further ahead keeps one that can serve it,
        while it rings and before, for it is rung at once: else it would lose its turn. Unless nothing `rings`: then it
        holds up nobody.
        """
        kept: list[Place] = []
        for place in self:
            if not desk.serves(place):
                continue
            if place.standing == "waiting":
                return place if can_spare(free, kept) else None
            if place.standing == "dialling" or (rings and place.standing == "callback"):
                kept.append(place)
        return None


def can_spare(free: Collection[Desk], kept: Collection[Place]) -> bool:
    """Whether one of these agents may serve somebody else, and enough are left for whom they are kept."""
    return not kept or len(kept) < sum(any(desk.serves(place) for place in kept) for desk in free)


def overtaken(line: Iterable[Place], taken: Place, desk: Desk, *, available: Callable[[Place], bool]) -> list[Place]:
    """Whom the agent passed over who stood before `taken` and could have been taken: an order violation each."""
    return [one for one in line if one.key < taken.key and desk.serves(one) and available(one)]


@dataclass(frozen=True, slots=True)
class Rises:
    """Policy: a step of priority for every `lost_a_step` lost contacts and for `after` seconds in line, to `most`."""

    lost_a_step: int
    after: float
    most: int


def priority(lost: int, waited: float, rises: Rises) -> int:
    """0 … `most`; `lost`: contacts of this customer that ended before a person answered, `waited` in seconds."""
    by_loss = -(-lost // rises.lost_a_step)
    return min(rises.most, by_loss + int(max(0.0, waited) // rises.after))

"""Our side's line in the story: the same agents and talks as then, by the line's own rules (contact.rules).

Its time is the hours in which the centre is open, one after the other: who stands there at closing is called back on
the next day, with the same place. None of its transitions ends a call from our side; a customer who has had enough of
waiting takes the callback that is offered every minute. Everything else is invented in scenario.toml.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import heappop

from doenda.demo.story.scenario import Scenario
from doenda.kernel import clock, randomness
from doenda.sim.centre.cases import Case
from doenda.sim.centre.centre import Caller, Centre


@dataclass(frozen=True, slots=True)
class Connected:
    """A customer with an agent, `waited` open seconds after the call. `said_until`: seconds by which that was promised;
    0: no number was said."""

    who: int
    waited: float
    said_until: float
    called_back: bool


class Telephone(Centre):
    """Agents for so many customers. `call` and `advance` in the order of time."""

    warm_up = 0.0

    def __init__(self, scenario: Scenario, customers: int, seed: int | str) -> None:
        load = scenario.others_in_need
        case = Case(
            "story",
            max(1, round(scenario.lines_a_thousand * customers / 1000)),
            lambda _: load,
            load,
            scenario.others_patience,
            callback=scenario.takes_callback,
            repeat=scenario.calls_again,
            mean=scenario.talk_seconds,
        )
        super().__init__(case, randomness.stream(f"telephone {seed}"))
        self.scenario = scenario
        self._day = timedelta(hours=scenario.closes - scenario.opens).total_seconds()
        self._connected: list[Connected] = []
        self._at(self.case.next_arrival(0.0, self.chance), "arrive", None)
        self._at(60.0, "rise", None)
        for number in range(1, scenario.days + 1):
            self._at(number * self._day, "close", None)

    def call(self, who: int, at: datetime, *, to_be_called: bool = False) -> None:
        """A customer calls; `to_be_called`: asked on the page for a call, and holds nothing."""
        self._at(max(self.now, self._open_seconds(at)), "asks" if to_be_called else "calls", who)

    def advance(self, until: datetime) -> list[Connected]:
        """Everything up to then; who was connected since the last time, in that order."""
        end = self._open_seconds(until)
        while self.events and self.events[0][0] <= end:
            self.now, _, what, whom = heappop(self.events)
            getattr(self, f"_{what}")(whom)
            self._dispatch()
        self.now = max(self.now, end)
        found, self._connected = self._connected, []
        return found

    def _open_seconds(self, at: datetime) -> float:
        local = clock.local(at)
        day = (local.date() - self.scenario.first_day).days
        since = (at - clock.at(local.date(), self.scenario.opens)).total_seconds()
        return day * self._day + min(max(0.0, since), self._day)

    def _calls(self, who: object) -> None:
        assert isinstance(who, int)
        self._enter(0, who)

    def _asks(self, who: object) -> None:
        assert isinstance(who, int)
        self._ask_callback(self._enter(0, who).place.id)

    def _close(self, _: object) -> None:
        """Nobody holds the line overnight: they are called when it opens, in the same order."""
        for place_id in list(self.there):
            self._ask_callback(place_id)

    def _give_up(self, whom: object) -> None:
        assert isinstance(whom, int)
        if whom in self.there and self.callers[whom].who:
            self._ask_callback(whom)
        else:
            super()._give_up(whom)

    def _unanswered(self, whom: object) -> None:
        """A customer of the story who was not reached is tried again, as policy says, and then in the next round."""
        assert isinstance(whom, int)
        who = self.callers[whom].who
        super()._unanswered(whom)
        if who and whom not in self.callers:
            self._at(self.now + self._day, "asks", who)

    def _taken(self, caller: Caller, waited: float) -> None:
        if caller.who:
            until = caller.high if caller.first else 0.0
            self._connected.append(Connected(caller.who, waited, until, caller.called_back))

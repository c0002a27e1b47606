"""A centre in virtual time, run by the house's own rules: order, estimates, telling, callbacks. Seconds."""

from collections import Counter, deque
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush
from itertools import count, islice
from math import inf

from doenda.contact import policy
from doenda.contact.rules import callback, order, telling, waits
from doenda.contact.rules.order import Desk, Line, Place
from doenda.contact.rules.telling import Told
from doenda.contact.rules.waits import Crowd, History, Minutes
from doenda.kernel.randomness import Chance
from doenda.sim.centre import others
from doenda.sim.centre.cases import STEADY, WARM_UP, Case
from doenda.sim.centre.score import OURS, Score

RETELL, RISE = 60.0, 60.0
RINGS, ANSWERS, COMES_BACK = 15.0, 0.8, 300.0
"""Mean seconds until a called-back customer answers; the share who do; mean seconds until a repeater calls again."""


@dataclass
class Caller:
    """`first`: what each predictor said at entry, with the said range; empty for one who need not wait. `who`: somebody
    whom the one that runs the centre knows; 0: nobody."""

    place: Place
    came: float
    lost: int = 0
    first: dict[str, float] = field(default_factory=dict)
    low: float = 0.0
    high: float = 0.0
    before: Told | None = None
    said: Minutes | None = None
    retold: list[tuple[float, dict[str, float], float | None]] = field(default_factory=list)
    announced: int | None = None
    tries: int = 0
    steady: bool = False
    called_back: bool = False
    answered: float | None = None
    who: int = 0


class Clocked:
    """Seconds that so many together spent at something, up to now and within a window that moves."""

    def __init__(self) -> None:
        self.now = self.total = 0.0
        self.many = 0
        self.course: deque[tuple[float, float, int]] = deque([(0.0, 0.0, 0)])

    def change(self, now: float, by: int) -> None:
        self.total += self.many * (now - self.now)
        self.now, self.many = now, self.many + by
        self.course.append((now, self.total, self.many))

    def within(self, now: float, window: float) -> float:
        since = now - window
        while len(self.course) > 1 and self.course[1][0] <= since:
            self.course.popleft()
        at, total, many = self.course[0]
        before = total + many * max(0.0, since - at)
        return self.total + self.many * (now - self.now) - before


class Past:
    """The window of our own history, as `queue.estimates.history` reads it from the rows."""

    def __init__(self) -> None:
        self.window = policy.current().history.total_seconds()
        self.lately = policy.current().lately.total_seconds()
        self.services: deque[float] = deque()
        self.gone: deque[float] = deque()
        self.came: deque[tuple[float, int]] = deque()
        self.ranks: Counter[int] = Counter()
        self.working, self.waiting = Clocked(), Clocked()

    def entered(self, now: float, rank: int) -> None:
        self.came.append((now, rank))
        self.ranks[rank] += 1

    def look(self, now: float, rank: int = 0) -> History:
        since = now - self.window
        for events in (self.services, self.gone):
            while events and events[0] <= since:
                events.popleft()
        while self.came and self.came[0][0] <= now - self.lately:
            self.ranks[self.came.popleft()[1]] -= 1
        return History(
            len(self.services),
            self.working.within(now, self.window),
            len(self.gone),
            self.waiting.within(now, self.window),
            sum(count for one, count in self.ranks.items() if one > rank),
            min(now, self.lately),
        )


class Centre:
    """Run one case; `score` says how it went. `warm_up`: nobody is told anything before."""

    warm_up = WARM_UP

    def __init__(self, case: Case, chance: Chance) -> None:
        self.case, self.chance, self.score = case, chance, Score()
        self.now, self.numbers = 0.0, count(1)
        self.line, self.past = Line(), Past()
        self.callers: dict[int, Caller] = {}
        self.there: dict[int, float] = {}
        third = case.agents // 3 if case.english else case.agents
        self.idle: deque[Desk] = deque(
            Desk((), ("ko", "en") if number < third else ("ko",)) for number in range(case.agents)
        )
        self.groups = list(Counter(self.idle).items())
        self.events: list[tuple[float, int, str, object]] = []
        self.last_served, self.asterisk = 0.0, others.Asterisk()
        self.ringing = 0
        self.rules = policy.current()

    def run(self, calls: int) -> Score:
        self._at(self.case.next_arrival(0.0, self.chance), "arrive", None)
        self._at(RISE, "rise", None)
        left = calls
        while left:
            self.now, _, what, whom = heappop(self.events)
            left -= what == "arrive"
            getattr(self, f"_{what}")(whom)
            self._dispatch()
        return self.score

    def _at(self, when: float, what: str, whom: object) -> None:
        heappush(self.events, (when, next(self.numbers), what, whom))

    # -- callers come, wait, give up

    def _arrive(self, _: object) -> None:
        self._at(self.case.next_arrival(self.now, self.chance), "arrive", None)
        self._enter(0)

    def _again(self, lost: object) -> None:
        assert isinstance(lost, int)
        self._enter(lost)

    def _enter(self, lost: int, who: int = 0) -> Caller:
        rank = order.priority(lost, 0.0, self.rules.rises)
        lang = "en" if self.chance.random() < self.case.english else "ko"
        caller = Caller(Place(next(self.numbers), self.now, rank, lang), self.now, lost, who=who)
        able = [desk for desk in self.idle if desk.serves(caller.place)]
        waits_ = len(able) <= self.line.ahead(caller.place) if able else True
        if waits_ and self.now > self.warm_up:
            self._predict(caller)
        self.callers[caller.place.id] = caller
        self.past.entered(self.now, rank)
        self.line.put(caller.place)
        self._stand(caller)
        caller.steady = self.case.patience == inf or self.chance.random() < STEADY
        if not caller.steady and (patience := self.case.gives_up_after(self.chance)) < inf:
            self._at(self.now + patience, "give_up", caller.place.id)
        if self.chance.random() < self.case.callback:
            self._at(self.now + self.rules.bounds.offer, "ask_callback", caller.place.id)
        if self.case.retold and caller.first:
            self._at(self.now + RETELL, "retell", caller.place.id)
        return caller

    def _stand(self, caller: Caller) -> None:
        self.there[caller.place.id] = caller.came
        self.past.waiting.change(self.now, 1)

    def _unstand(self, place_id: int) -> float | None:
        since = self.there.pop(place_id, None)
        if since is not None:
            self.past.waiting.change(self.now, -1)
        return since

    def _give_up(self, whom: object) -> None:
        assert isinstance(whom, int)
        if whom not in self.there:
            return
        self._unstand(whom)
        self.line.drop(whom)
        self.past.gone.append(self.now)
        caller = self.callers.pop(whom)
        if self.chance.random() < self.case.repeat:
            self._at(self.now + self.chance.expovariate(1 / COMES_BACK), "again", caller.lost + 1)

    def _rise(self, _: object) -> None:
        """As the sweep does: who waits long rises."""
        self._at(self.now + RISE, "rise", None)
        for place in list(self.line):
            lost = self.callers[place.id].lost
            rank = order.priority(lost, self.now - place.queued_at, self.rules.rises)
            if rank > place.priority:
                self._put(replace(place, priority=rank))

    def _put(self, place: Place) -> None:
        self.callers[place.id].place = place
        self.line.put(place)

    # -- what they are told

    def _crowd(self, place: Place) -> Crowd:
        ready = sum(desk.serves(place) for desk in self.idle)
        number, staying, pool = self.line.ahead(place), 0, None
        if self.case.english or self.case.callback:
            before = list(islice(self.line, number))
            staying = sum(one.standing in ("callback", "dialling") for one in before)
            pool = waits.pool(place, self.groups, [(one, 1) for one in before])
        able = sum(count for desk, count in self.groups if desk.serves(place))
        return Crowd(number, able, ready, staying, self._head(), pool)

    def _head(self) -> float | None:
        return self.now - min(self.there.values()) if self.there else None

    def _look(self, place: Place) -> History:
        return self.past.look(self.now, place.priority)

    def _predict(self, caller: Caller) -> None:
        crowd, history = self._crowd(caller.place), self._look(caller.place)
        wait = waits.estimate(crowd, history)
        if wait is None or wait.rule != "qlm" or history.mu is None:
            return
        told = telling.tell(crowd.ahead + 1, wait)
        assert told.minutes is not None
        caller.before, caller.said = told, told.minutes
        caller.low, caller.high = told.minutes.low * 60.0, told.minutes.high * 60.0
        caller.first = {
            OURS: wait.mean,
            "ql": others.ql(crowd.ahead, crowd.agents, history.mu),
            "les": self.last_served,
            "hol": crowd.head or 0.0,
            "asterisk": float(self.asterisk.holdtime),
        }
        caller.announced = self.asterisk.announces(0.0)

    def _retell(self, whom: object) -> None:
        assert isinstance(whom, int)
        if whom not in self.there:
            return
        self._at(self.now + RETELL, "retell", whom)
        caller = self.callers[whom]
        crowd = self._crowd(caller.place)
        wait = waits.estimate(crowd, self._look(caller.place))
        if wait is None or caller.before is None:
            return
        told = telling.tell(crowd.ahead + 1, wait, caller.before, caller.said)
        worse = told.position > caller.before.position
        if told.minutes is not None and caller.said is not None:
            self.score.raised += told.minutes.high > caller.said.high and not worse
        waited = self.now - caller.came
        said = {OURS: wait.mean, "les": max(0.0, self.last_served - waited)}
        said["asterisk"] = abs(self.asterisk.holdtime - waited)
        caller.retold.append((self.now, said, told.minutes.high * 60.0 if told.minutes else None))
        caller.before, caller.said = told, told.minutes or caller.said
        announced = self.asterisk.announces(waited)
        self.score.many_told += 1
        self.score.asterisk_raised += caller.announced is not None and announced > caller.announced
        caller.announced = announced

    # -- agents take them

    def _dispatch(self) -> None:
        """Every idle agent pulls, whom the line gives it; calls are begun where a callback's turn has come."""
        for desk in list(self.idle):
            place = self.line.next_for(desk, self.idle)
            if place is not None:
                self._take(desk, place)
        if self.case.callback and self.idle:
            self._dial()

    def _take(self, desk: Desk, place: Place) -> None:
        self._check(desk, place)
        self.idle.remove(desk)
        self.line.drop(place.id)
        caller = self.callers.pop(place.id)
        waited = self.now - caller.came
        self._unstand(place.id)
        seconds = self.case.handling(self.chance)
        self._at(self.now + seconds, "free", desk)
        self.past.working.change(self.now, 1)
        self.score.services += 1
        self._taken(caller, waited)
        if caller.called_back:
            self.score.callbacks += 1
            assert caller.answered is not None
            self.score.held.append(self.now - caller.answered)
            return
        self.last_served = waited
        self.asterisk.answered(waited)
        if caller.first:
            self.score.add(caller.first, caller.low, caller.high, waited, steady=caller.steady)
            self._settle_retold(caller)

    def _taken(self, caller: Caller, waited: float) -> None:
        """For whoever runs the centre: an agent talks with this caller now."""

    def _settle_retold(self, caller: Caller) -> None:
        for at, said, high in caller.retold:
            left = self.now - at
            for name, value in said.items():
                self.score.retold[name].append((value - left) ** 2)
            if high is None:
                self.score.no_number += 1
            else:
                self.score.retold_ranges += 1
                self.score.retold_within += left <= high

    def _check(self, desk: Desk, taken: Place) -> None:
        """Independent of the line's own order: everybody who stands anywhere is looked at, by when they came."""
        mine = self.callers[taken.id]
        key = (-mine.place.priority, mine.came, taken.id)
        callbacks = 0
        for place_id in self.there.keys() | (self._callbacks() if self.case.callback else set()):
            other = self.callers[place_id]
            one = other.place
            if (-one.priority, other.came, one.id) < key and one.lang in desk.langs:
                if one.standing == "waiting":
                    self.score.violations += 1
                    self.score.callbacks_jumped += mine.called_back
                else:
                    callbacks += 1
        self.score.callbacks_lost += callbacks > 0 and callbacks >= len(self.idle)

    def _free(self, whom: object) -> None:
        assert isinstance(whom, Desk)
        self.idle.append(whom)
        self.past.working.change(self.now, -1)
        self.past.services.append(self.now)

    # -- callbacks

    def _callbacks(self) -> set[int]:
        return {place.id for place in self.line if place.standing != "waiting"}

    def _ask_callback(self, whom: object) -> None:
        assert isinstance(whom, int)
        if self._unstand(whom) is None:
            return
        caller = self.callers[whom]
        caller.called_back = True
        self._put(replace(caller.place, standing="callback"))

    def _dial(self) -> None:
        mu = self.past.look(self.now).mu
        ring = self.rules.callback.ring.total_seconds()
        coming = callback.coming_free(ring, self.case.agents - len(self.idle), mu)
        for place in callback.due(self.line, free=len(self.idle), coming=coming, in_flight=self.ringing):
            self.ringing += 1
            self.score.over_dialled += self.ringing > len(self.idle)
            self._put(replace(place, standing="dialling"))
            rings = min(ring, self.chance.expovariate(1 / RINGS))
            answers = self.chance.random() < ANSWERS and rings < ring
            self._at(self.now + rings, "answered" if answers else "unanswered", place.id)

    def _answered(self, whom: object) -> None:
        assert isinstance(whom, int)
        self.ringing -= 1
        caller = self.callers[whom]
        caller.answered = self.now
        self._put(replace(caller.place, standing="waiting"))

    def _unanswered(self, whom: object) -> None:
        assert isinstance(whom, int)
        self.ringing -= 1
        caller = self.callers[whom]
        caller.tries += 1
        self.line.drop(whom)
        pauses = self.rules.callback.pauses
        if caller.tries <= len(pauses):
            self._at(self.now + pauses[caller.tries - 1], "dial_again", whom)
        else:
            self.score.callbacks_to_desk += 1
            del self.callers[whom]

    def _dial_again(self, whom: object) -> None:
        assert isinstance(whom, int)
        self._put(replace(self.callers[whom].place, standing="callback"))

"""Any course of things: callers come by any channel, drop, come again, are called back; agents come and go. After every
step the rows agree with each other, nobody was passed over, and nobody's `queued_at` moved."""

from collections.abc import Iterator
from datetime import timedelta
from random import Random

import pytest
from tests.contact.lines import agent

from doenda.contact import callbacks, dialling, numbers
from doenda.contact.models import Agent, Assignment, Dial, Holding, Ticket
from doenda.contact.queue import agents, entering, ringing, rows, serving, sweeping
from doenda.contact.rules.order import Line
from doenda.kernel import clock

CALLERS, AGENTS = 5, 3
LIVE = ("waiting", "away", "callback", "offered", "talking", "wrapping_up")
WITH_AGENT = {"offered": "offered", "talking": "talking", "wrapping_up": "wrap_up"}
STEPS = 120
WEIGHTS = {
    **dict.fromkeys(["call", "page", "ready", "take", "pull", "time"], 4),
    **dict.fromkeys(["drop", "plan", "finish", "sweep", "answer"], 3),
    **dict.fromkeys(["put_back", "no_answer", "pause", "out"], 1),
}


def course(seed: int) -> list[tuple[str, int]]:
    chance = Random(seed)
    chosen = chance.choices(list(WEIGHTS), list(WEIGHTS.values()), k=STEPS)
    passes = [5, 5, 5, 10, 10, 40, 40, 400]
    return [(what, chance.choice(passes) if what == "time" else chance.randrange(60)) for what in chosen]


def phone(number: int) -> str:
    return f"+8210{30000000 + number}"


class Course:
    """Runs the steps; remembers since when each live customer has stood."""

    def __init__(self, frozen: clock.Frozen) -> None:
        self.frozen = frozen
        self.calls = 0
        self.since: dict[object, object] = {}
        self.agents = [agent(f"agent-{n}", langs="ko en" if n else "ko") for n in range(AGENTS)]
        for number in range(CALLERS):
            numbers.prove(phone(number), None, "code")

    def step(self, what: str, whom: int) -> None:
        if what in ("call", "page", "drop", "plan"):
            whom %= CALLERS
        elif what != "time":
            whom %= AGENTS
        getattr(self, f"_{what}")(whom)
        self.agree()

    def _enter(self, channel: str, whom: int) -> None:
        self.calls += 1
        lang = "en" if whom == 4 else "ko"
        entering.enter(channel=channel, call_id=f"{whom}-{self.calls}", lang=lang, phone=phone(whom))

    def _call(self, whom: int) -> None:
        self._enter("call", whom)

    def _page(self, whom: int) -> None:
        self._enter("page", whom)

    def _drop(self, whom: int) -> None:
        held = Holding.objects.filter(ended_at=None, ticket__phone=phone(whom)).order_by("pk").first()
        if held is not None:
            entering.let_go(held.channel, held.call_id, "dropped")

    def _plan(self, whom: int) -> None:
        ticket = Ticket.objects.filter(phone=phone(whom), state__in=("waiting", "away", "callback")).first()
        if ticket is not None:
            callbacks.plan(ticket.pk)

    def _mine(self, whom: int) -> Assignment | None:
        return Assignment.objects.filter(agent=self.agents[whom], ended_at=None).first()

    def _ready(self, whom: int) -> None:
        one = self.agents[whom]
        before = self._expected(one)
        found = agents.ready(one.pk, shift_until=clock.now() + timedelta(hours=9))
        if found is not None:
            assert found.ticket_id.int == before

    def _expected(self, one: Agent) -> int | None:
        """Whom the pure rule names for this agent, were it free now."""
        free = [rows.desk(each) for each in Agent.objects.filter(state="ready").exclude(pk=one.pk)]
        line = Line(rows.places(clock.now()))
        place = line.next_for(rows.desk(one), [*free, rows.desk(one)], rings=ringing.possible(clock.now()))
        return place.id if place else None

    def _take(self, whom: int) -> None:
        if (mine := self._mine(whom)) is not None and mine.taken_at is None:
            serving.take(mine.pk)

    def _finish(self, whom: int) -> None:
        if (mine := self._mine(whom)) is not None and mine.taken_at is not None:
            serving.finish(mine.pk, by="user:lee", words="")

    def _put_back(self, whom: int) -> None:
        if (mine := self._mine(whom)) is not None and mine.taken_at is not None:
            serving.put_back(mine.pk)

    def _pause(self, whom: int) -> None:
        agents.pause(self.agents[whom].pk, "lunch")

    def _out(self, whom: int) -> None:
        agents.sign_out(self.agents[whom].pk)

    def _answer(self, _: int) -> None:
        if (dial := Dial.objects.filter(ended_at=None).first()) is not None:
            self.calls += 1
            assert dialling.answered(dial.pk, channel="call", call_id=f"back-{self.calls}") is not None

    def _no_answer(self, _: int) -> None:
        if (dial := Dial.objects.filter(ended_at=None).first()) is not None:
            dialling.ended(dial.pk, "silent")

    def _sweep(self, _: int) -> None:
        sweeping.lapse(100)
        begun = dialling.dial_due(100)
        if begun:
            assert Dial.objects.filter(ended_at=None).count() <= Agent.objects.filter(state="ready").count()
        callbacks.roll(100)

    def _pull(self, _: int) -> None:
        sweeping.pull_for_the_free(100)

    def _time(self, seconds: int) -> None:
        """Everybody goes on, unless it is so long that everything was down meanwhile."""
        self.frozen.advance(timedelta(seconds=seconds))
        if seconds < 400:
            for one in self.agents:
                agents.seen(one.pk)
            for held in Holding.objects.filter(ended_at=None):
                entering.renew(held.channel, [held.call_id])

    def agree(self) -> None:
        live = list(Ticket.objects.filter(state__in=LIVE))
        assert len({one.phone for one in live}) == len(live)
        open_ = {one.ticket_id: one for one in Assignment.objects.filter(ended_at=None)}
        held = set(Holding.objects.filter(ended_at=None).values_list("ticket", flat=True))
        states = {one.pk: one.state for one in Agent.objects.all()}
        for one in live:
            assert self.since.setdefault(one.pk, one.queued_at) == one.queued_at
            assert (one.pk in open_) == (one.state in WITH_AGENT)
            if one.pk in open_:
                assert states[open_[one.pk].agent_id] == WITH_AGENT[one.state]
            assert one.state != "waiting" or one.pk in held
            assert one.state not in ("away", "callback") or one.pk not in held
        busy = {pk for pk, state in states.items() if state in WITH_AGENT.values()}
        assert busy == {one.agent_id for one in open_.values()}
        assert held <= {one.pk for one in live}
        ringing_for = set(Dial.objects.filter(ended_at=None).values_list("ticket", flat=True))
        assert ringing_for <= {one.pk for one in live if one.state == "callback"}


@pytest.fixture
def telephone() -> Iterator[None]:
    before = ringing.dials_while(lambda: True)
    yield
    ringing.dials_while(before)


@pytest.mark.usefixtures("db", "telephone")
@pytest.mark.parametrize("seed", range(8))
def test_after_any_course_of_things_the_line_is_whole(seed: int, noon: clock.Frozen) -> None:
    run = Course(noon)
    for what, whom in course(seed):
        run.step(what, whom)
    assert Assignment.objects.count() > 3  # something happened

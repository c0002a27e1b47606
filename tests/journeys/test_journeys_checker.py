"""The proof: it holds for our journeys, it sees planted bugs, and its parts do what they say on toys."""

import json
from collections.abc import Iterator, Mapping
from io import StringIO

import pytest

from doenda.journeys.checker import by_both, rules
from doenda.journeys.checker.game import Board, Game, Position
from doenda.journeys.checker.planted import PLANTED, find
from doenda.journeys.checker.planting import Planted
from doenda.journeys.checker.proof import can, force
from doenda.journeys.checker.subject import Subject, check, noticed
from doenda.journeys.checker.worlds import (
    World,
    Worlds,
    WorldSet,
    all_worlds,
    every_world,
    fewer_worlds,
    likeness,
)
from doenda.journeys.declarations import ACTIONS, DEPENDENCIES, PAYMENTS, UNTIL, Action
from doenda.journeys.management.commands import check_journeys
from doenda.journeys.steps import Do, End, Journey, Show, Wait


@pytest.fixture(scope="module")
def board() -> Board:
    game = Game(Subject().journeys, Subject().actions, fewer_worlds())
    return Board(game, game.beginnings())


def test_no_journey_has_a_dead_end_in_any_world() -> None:
    report = check(Subject(), every_world(noticed(Subject())))
    assert [str(v) for v in report.violations] == []
    assert report.problems == ()
    assert report.worlds == 2 ** len(DEPENDENCIES) * 4 * 10
    assert report.states > 900_000_000


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.bug)
def test_a_planted_bug_is_found_for_its_own_reason(planted: Planted) -> None:
    assert find(planted, fewer_worlds()) is not None


def test_worlds_that_nothing_can_tell_apart_are_proven_as_one() -> None:
    """A lost webhook never closes a door, nor does the switch: the game reads neither, so one world stands for all."""
    subject = Subject()
    known = noticed(subject)
    assert set(DEPENDENCIES) - known == {"webhook", "switch"}
    worlds = every_world(known)
    read = _Read(worlds.failed)
    watched = Worlds(worlds.each, worlds.weights)
    watched.failed = read
    game = Game(subject.journeys, subject.actions, watched)
    assert len(Board(game, game.beginnings()).turns) > 1000
    assert read.keys_read <= known
    assert worlds.count(worlds.all) == sum(1 for _ in all_worlds())


def test_a_class_of_worlds_is_alike_in_all_that_the_game_reads() -> None:
    known = noticed(Subject())
    every = Worlds(all_worlds())
    alike: dict[object, WorldSet] = {}
    for number, world in enumerate(every.each):
        group = likeness(world, known)
        alike[group] = alike.get(group, 0) | 1 << number
    sets = [every.failed[each] for each in known] + [*every.open.values(), every.texts_arrive, every.some_way_works()]
    for where in sets:
        assert all(where & group in {0, group} for group in alike.values())


class _Read(dict[str, WorldSet]):
    """Remembers what was looked up."""

    def __init__(self, known: Mapping[str, WorldSet]) -> None:
        super().__init__(known)
        self.keys_read: set[str] = set()

    def __getitem__(self, key: str) -> WorldSet:
        self.keys_read.add(key)
        return super().__getitem__(key)


def test_with_everything_down_at_night_the_pay_button_alone_leads_to_a_dated_promise(board: Board) -> None:
    """The page that was missing in the story: no way works, and nobody is left before an empty list."""
    dark = next(w for w in board.game.worlds.each if len(w.failed) == len(DEPENDENCIES) and w.hour == "night")
    bit = 1 << board.game.worlds.each.index(dark)
    at = Position("pay", "bill", "web_link", "none", False, frozenset(), 0, "")
    for name in ("pay", "free", "none_open", "done"):
        move = next(m for m in board.turns[at].moves if m.name == name and m.worlds & bit)
        at = move.results[0].to
    assert at.step == "promised"
    assert at.clock_stopped
    assert UNTIL in at.knows


def _toy(*steps: Show | Wait | Do, **actions: Action) -> Board:
    """A journey of these steps to `paid`, in two worlds: everything works (bit 0), the inquiry is down (bit 1)."""
    journey = Journey("pay", version=1, start=steps[0].name, steps=(*steps, End("paid", goal="paid")))
    worlds = Worlds(World(frozenset(failed), "day", "active", "none") for failed in ((), ("inquiry",)))
    begin = Position("pay", steps[0].name, "web_link", "paid", False, frozenset(), 0, "")
    return Board(Game({"pay": journey}, actions, worlds), [begin])


def _won(board: Board, step: str) -> int:
    won, _ = force(board, lambda at: at.step == "paid")
    return next(where for at, where in won.items() if at.step == step)


def _action(name: str, up: str, down: str) -> Action:
    return Action(
        name,
        up=dict.fromkeys(PAYMENTS, frozenset(up.split())),
        down=dict.fromkeys(PAYMENTS, frozenset(down.split())),
        needs=frozenset({"inquiry"}),
    )


def test_nobody_is_made_to_wait_for_what_may_never_come() -> None:
    only_wait = Wait("asking", on="settled", presses=("again",), then={"again": "asking", "paid": "paid"})
    board = _toy(only_wait, settled=_action("settled", "paid", ""))
    assert _won(board, "asking") == 0
    reached = can(board, lambda at: at.step == "paid")
    assert next(where for at, where in reached.items() if at.step == "asking") == 0b01  # only where the inquiry works


def test_a_loop_is_no_progress_and_a_way_out_is() -> None:
    way_out = Wait(
        "asking", on="settled", presses=("again", "out"), then={"again": "asking", "out": "paid", "paid": "paid"}
    )
    assert _won(_toy(way_out, settled=_action("settled", "paid", "")), "asking") == 0b11


def test_an_action_is_lost_where_one_of_its_outcomes_is() -> None:
    """With the inquiry down the action may answer `stuck`, which leads to a page with no way on."""
    roll = Do("roll", action="gamble", then={"paid": "paid", "stuck": "pit"})
    pit = Wait("pit", on="never", presses=("again",), then={"again": "pit", "paid": "paid"})
    board = _toy(roll, pit, gamble=_action("gamble", "paid", "paid stuck"), never=_action("never", "", ""))
    assert _won(board, "roll") == 0b01


def test_answers_are_counted() -> None:
    two = _toy(Show("a", then={"on": "b"}), Show("b", then={"on": "paid"}))
    assert force(two, lambda at: at.step == "paid")[1] == 2
    one, _ = force(two, lambda at: at.step == "paid", answers=1)
    assert {at.step for at, where in one.items() if where} == {"b", "paid"}


def test_declared_outcomes_follow_the_dependency_of_the_chosen_way() -> None:
    start = ACTIONS["start_attempt"]
    assert "redirect" in start.possible("none", {"transfer"}, way="card")
    assert start.possible("none", {"card"}, way="card") == {"unknown", "our_fault", "certain_failure"}
    assert start.possible("unknown", way="card") == {"busy"}
    assert start.possible("paid", {"card"}, way="card") == {"nothing_due"}


def test_no_outcome_of_a_charge_is_possible_beside_another_charge() -> None:
    for action in ACTIONS.values():
        for payment in ("unknown", "paid"):
            for failed in ((), DEPENDENCIES):
                assert action.possible(payment, failed, way="card").isdisjoint(action.charges)


def test_a_violation_reads_as_a_path() -> None:
    planted = next(p for p in PLANTED if "straight to the ways" in p.bug)
    report = check(planted.change(Subject()), fewer_worlds())
    [found] = [v for v in report.violations if v.rule == planted.says]
    assert found.path == ("pay.bill", "--pay-->", "pay.method")
    assert found.world.startswith("failed: nothing; hour: day; line: active")
    assert planted.says in rules.SAFETY


def test_the_command_prints_one_object_and_fails_only_on_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    result = {"ok": True, "figures": {"states": 7}, "counterexamples": [], "problems": [], "planted": []}
    monkeypatch.setattr(check_journeys, "run_check", lambda: result)
    out = StringIO()
    command = check_journeys.Command(stdout=out)
    command.handle(json=True)
    assert json.loads(out.getvalue()) == result
    result |= {"ok": False, "counterexamples": ["a dead end"], "planted": [{"bug": "a bug", "found": None}]}
    with pytest.raises(SystemExit):
        command.handle(json=False)
    assert "a dead end" in out.getvalue()
    assert "planted and not found: a bug" in out.getvalue()


def test_a_set_of_worlds_knows_its_members() -> None:
    worlds = fewer_worlds()
    some = worlds.failed["card"] & worlds.failed["transfer"]
    members: Iterator[World] = worlds.members(some)
    assert all({"card", "transfer"} <= world.failed for world in members)
    assert worlds.plainest(some)[0].failed == {"card", "transfer"}


def test_every_state_of_a_call_and_a_page_is_looked_at_and_none_is_lost() -> None:
    found = by_both.check(Subject().journeys)
    assert not found.lost
    sides = {(at.call, at.page) for at in found.states}
    assert sides == {(True, False), (True, True), (False, True)}
    stops = {step.name for step in Subject().journeys["pay"].steps if step.stops}
    assert {at.step for at in found.states if at.journey == "pay" and at.page} >= stops

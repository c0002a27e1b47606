"""The baton: real connections, one actor at a time; locks are waited for, and whoever never ends is ended."""

from collections.abc import Callable
from uuid import UUID

from django.db import connection

from doenda.kernel import net
from doenda.kernel.db import atomic
from doenda.kernel.models import OutboxRow
from doenda.sim.interleaving.engine import Engine
from doenda.sim.interleaving.plans import Explorer, Walk, read


def row() -> OutboxRow:
    with atomic():
        made = OutboxRow(kind="test", key="one")
        made.save(force_insert=True)
    return made


def adds(pk: UUID, *, locked: bool) -> Callable[[], int]:
    """Read, add one, write: right only under the row's lock."""

    def act() -> int:
        with atomic():
            rows = OutboxRow.objects.select_for_update() if locked else OutboxRow.objects
            one = rows.get(pk=pk)
            one.tries += 1
            one.save(update_fields=["tries"])
            return one.tries

    return act


def ends(*, locked: bool) -> list[int]:
    """What the row says at the end of every schedule of two that add one, boundaries at every statement."""
    made, found = row(), []
    explorer = Explorer(2, preemptions=1)
    with Engine(2, inside=True) as engine:
        for walk in explorer.walks(100):
            with atomic():
                OutboxRow.objects.filter(pk=made.pk).update(tries=0)
            ended = engine.run({name: adds(made.pk, locked=locked) for name in "ab"}, walk)
            assert not ended.died
            assert not ended.hung
            found.append(OutboxRow.objects.get(pk=made.pk).tries)
    assert explorer.exact
    return found


def test_a_lost_update_shows_in_some_order_and_never_under_a_lock(committed_db: str) -> None:
    assert 1 in ends(locked=False)
    with atomic():
        OutboxRow.objects.all().delete()
    assert set(ends(locked=True)) == {2}


def test_everyone_has_a_connection_of_their_own_and_keeps_it(committed_db: str) -> None:
    def pid() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            return int(cursor.fetchone()[0])

    with Engine(2) as engine:
        first = engine.run({"a": pid, "b": pid}, Walk()).said
        again = engine.run({"a": pid, "b": pid}, Walk()).said
    assert first == again
    assert len({*first.values(), pid()}) == 3


def test_the_baton_is_handed_over_before_and_after_a_call_and_not_where_nothing_was_done(committed_db: str) -> None:
    calls: list[str] = []

    def line(request: net.Request) -> net.Reply:
        calls.append(request.dep)
        return net.Reply(200, {}, b"")

    def act(name: str) -> Callable[[], object]:
        def calls_twice() -> None:
            net.call(name, "GET", "http://nobody/")
            net.call(name, "GET", "http://nobody/")

        return calls_twice

    explorer, found = Explorer(2), set()
    with Engine(2) as engine, net.using(engine.through(line)):
        for walk in explorer.walks(100):
            calls.clear()
            engine.run({"a": act("a"), "b": act("b")}, walk)
            found.add("".join(calls))
    assert (explorer.possible, explorer.exact) == (20, True), "three parts each: before, between, after"
    assert len(found) == 6, "two calls each, in every order"


def test_locks_taken_in_different_orders_are_told(committed_db: str) -> None:
    one, other = row(), OutboxRow(kind="test", key="other")
    with atomic():
        other.save(force_insert=True)

    def both(first: OutboxRow, second: OutboxRow) -> Callable[[], None]:
        def act() -> None:
            with atomic():
                for each in (first, second):
                    OutboxRow.objects.select_for_update().get(pk=each.pk)

        return act

    with Engine(2, inside=True) as engine:
        ended = engine.run({"a": both(one, other), "b": both(other, one)}, Walk(read("ab")))
    assert ended.deadlocks == 1


def test_who_never_ends_is_ended_and_says_where_it_was(committed_db: str) -> None:
    def for_ever() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(60)")

    def circles() -> None:
        while True:
            engine.pause("round and round")

    with Engine(2, longest=0.5) as engine:
        slow = engine.run({"sleeps": for_ever, "other": int}, Walk(read("aab")))
        assert "sleeps goes on" in slow.hung
        circling = engine.run({"a": circles, "b": int}, Walk())
        assert "round and round" in circling.hung
        assert not engine.run({"a": int, "b": int}, Walk()).hung, "and the next run is as good as new"

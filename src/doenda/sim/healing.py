"""Healing: faults stop, letters arrive, people do their part, sweeps run, time goes on, until nothing is restless."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection

from doenda.kernel import clock
from doenda.payments.reconciliation import daily as recon
from doenda.sim import acts, building, work
from doenda.sim.acts import people
from doenda.sim.world import World

ROUNDS, STUCK = 120, 25
"""More than any world has been seen to need; one that does not come to rest by then, or in which nothing changes for
`STUCK` rounds and `HOLIDAYS`, has something wrong with it."""
HOLIDAYS = timedelta(days=9)
"""The longest time in which no bank works (Lunar New Year beside a weekend: five days), and the days around it."""
LONGEST = timedelta(hours=6)
SHORTEST = ((12, timedelta(seconds=1)), (24, timedelta(minutes=1)), (40, timedelta(hours=1)), (ROUNDS, LONGEST))
"""By round: time goes on at least so far, so that what is asked again and again does not keep the days from coming."""
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def heal(world: World) -> list[str]:
    """Bring the world to rest, and once more after the next morning's look at every bank's list: what no letter told is
    noticed only there. What was still restless in the last round; nothing if all is well."""
    world.points.asleep = True
    world.say("--- from here on nothing fails any more")
    everything_works(world)
    left = _until_nothing_is_restless(world, worked=clock.now())
    if not left:
        _the_next_morning(world)
        left = _until_nothing_is_restless(world, worked=clock.now() - DAY)
    return left


def _the_next_morning(world: World) -> None:
    world.now.set(clock.at(clock.today() + timedelta(days=1), recon.now().hour) + timedelta(minutes=1))
    work.look_at_the_lists(world)


def _until_nothing_is_restless(world: World, *, worked: datetime) -> list[str]:
    """`worked`: when what is done every hour, and every day, was done last. What is left."""
    left: list[str] = []
    since, still = clock.now(), 0
    every_hour = every_day = worked
    for number in range(ROUNDS):
        now = clock.now()
        hourly, daily = now - every_hour >= HOUR, now - every_day >= DAY
        one_round(world, hourly=hourly, daily=daily)
        every_hour, every_day = (now if hourly else every_hour), (now if daily else every_day)
        before, left = left, list(restless(world))
        if not left:
            return []
        since, still = (since, still + 1) if left == before else (now, 0)
        if still >= STUCK and now - since > HOLIDAYS:
            break
        due = work.next_due(world)
        least = next(step for until, step in SHORTEST if number < until)
        longest = DAY if all(each.endswith("instructed") for each in left) else LONGEST
        until = now + (max(least, min(longest, due - now)) if due is not None else longest)
        hour = work.next_hour(world)
        world.now.set(until if hour is None else min(until, hour))
    return left


def everything_works(world: World) -> None:
    world.step = None
    world.depth = 1
    try:
        acts.named("better")(world)
    finally:
        world.depth = 0


def one_round(world: World, *, hourly: bool, daily: bool) -> None:
    if hourly:
        building.prove(world)
    world.post.collect()
    while world.post.bag:
        world.post.deliver(world.post.bag.pop(0))
    if people.something_waits(world):
        people.all_that_waits(world)
    work.everything(world, hourly=hourly, daily=daily)


_RESTLESS = """
    SELECT 'attempt', account_id::text, provider, state, id FROM payments_attempt
    WHERE in_flight OR state = 'instructed'
    UNION ALL SELECT 'row', '', r.kind, r.reason, r.id FROM kernel_outboxrow r
    WHERE r.done_at IS NULL AND r.parked_at IS NULL AND NOT EXISTS (
        SELECT FROM notices_notice n WHERE r.kind = 'notice' AND n.id::text = r.key AND n.state = 'held')
    UNION ALL SELECT 'fact', '', kind, pending::text, id FROM kernel_factrow WHERE pending <> '{}'
    ORDER BY 1, 5
"""


def restless(world: World) -> Iterator[str]:
    """What still has to happen by itself."""
    with connection.cursor() as cursor:
        cursor.execute(_RESTLESS)
        found = cursor.fetchall()
    for what, account, name, state, _ in found:
        match what:
            case "attempt":
                yield f"an attempt of {world.label(UUID(account))} with {name} is {state}"
            case "row":
                yield f"a row of {name!r} waits: {state}"
            case _:
                yield f"{state} has not taken in {name}"
    if world.post.bag:
        yield "letters are under way"
    if work.unheard(world):
        yield "the deposit bank has more to tell"

"""Open pages hear at once what happened beside them, over a real socket, and nobody else hears anything."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import aiohttp
import pytest
from django.db import connections
from tests.channels.doors import PHONE
from tests.worlds import overdue_bill

from doenda.billing.models import Bill
from doenda.channels.live import serving, stream
from doenda.channels.live.stream import Now, Shown, follow
from doenda.channels.threads import Threads
from doenda.channels.watch import Watch
from doenda.contact.queue import entering
from doenda.journeys import sessions
from doenda.journeys.models import Session
from doenda.journeys.sessions import Standing, Visit
from doenda.kernel import clock
from doenda.kernel.db import atomic

SHOWN = Shown("A", "bill", 1, "", "ko")
HERE = Standing("bill", 1, screened=True)


class Reader:
    """What a page was sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []

    async def send(self, event: str, data: str) -> None:
        self.sent.append((event, data))


async def never(address: str, seen: Standing) -> Standing | None:
    await asyncio.Event().wait()
    return None


def beside(*told: Now) -> Callable[[str, str], Awaitable[Now]]:
    left = list(told)

    async def now(address: str, lang: str) -> Now:
        return left.pop(0) if len(left) > 1 else left[0]

    return now


def test_a_page_is_told_its_place_when_it_changes_and_to_load_again_when_its_visit_moves() -> None:
    reader, moved = Reader(), asyncio.Event()

    async def watched(address: str, seen: Standing) -> Standing | None:
        assert (address, seen) == ("A", HERE)
        await moved.wait()
        return Standing("method", 2, screened=True)

    async def run() -> None:
        told = beside(Now(("5분",)), Now(("5분",)), Now(("4분",)))
        task = asyncio.create_task(follow(SHOWN, send=reader.send, watched=watched, beside=told, every=0.01))
        while len(reader.sent) < 4:
            await asyncio.sleep(0.01)
        moved.set()
        await task

    asyncio.run(asyncio.wait_for(run(), 5))
    assert [each for each in reader.sent if each[0]] == [("place", '["5분"]'), ("place", '["4분"]'), ("moved", "")]


@pytest.mark.parametrize("now", [Now(None), Now(("x",), "call_me")])
def test_a_page_whose_choices_are_other_ones_now_is_loaded_again(now: Now) -> None:
    reader = Reader()
    asyncio.run(follow(SHOWN, send=reader.send, watched=never, beside=beside(now), every=0.01))
    assert reader.sent == [("moved", "")]


def test_a_page_that_is_gone_leaves_nothing_running() -> None:
    async def gone(event: str, data: str) -> None:
        raise ConnectionResetError

    async def run() -> int:
        with pytest.raises(ConnectionResetError):
            await follow(SHOWN, send=gone, watched=never, beside=beside(Now(("x",))), every=0.01)
        return len(asyncio.all_tasks())

    assert asyncio.run(run()) == 1


def test_many_watchers_are_one_look_at_a_time_and_a_failed_look_is_no_end() -> None:
    looks: list[set[str]] = []

    async def look(addresses: object) -> dict[str, Standing]:
        looks.append(set(addresses))  # type: ignore[call-overload]
        if len(looks) == 1:
            raise OSError("the database is away")
        return {each: Standing("bill", 2, screened=True) for each in looks[-1]}

    async def run() -> None:
        watch = Watch(look, every=0.01)
        await asyncio.gather(*(watch.moved(str(each), HERE) for each in range(50)))

    asyncio.run(asyncio.wait_for(run(), 5))
    assert looks == [{str(each) for each in range(50)}] * 2


# --- over a real socket


@pytest.fixture
def bill(db: None, noon: clock.Frozen, monkeypatch: pytest.MonkeyPatch) -> Bill:
    """Blocking work is done on the test's own connection, where its transaction is seen."""
    mine = connections["default"]

    async def here[T](self: object, work: Callable[[], T]) -> T:
        connections["default"] = mine
        return work()

    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    monkeypatch.setattr(Threads, "run", here)
    return overdue_bill(52_300, phone=PHONE)


def beside_a_call(bill: Bill) -> Visit:
    visit = sessions.open_session(
        "pay", channel="voice", lang="ko", account_id=bill.account_id, bill_id=bill.pk, call="call-1"
    )
    return sessions.screen(visit.address)


@asynccontextmanager
async def live() -> AsyncIterator[str]:
    ports: asyncio.Queue[int] = asyncio.Queue()
    task = asyncio.create_task(serving.serve("127.0.0.1", 0, ready=ports.put))
    yield f"http://127.0.0.1:{await ports.get()}/live"
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def events(answer: aiohttp.ClientResponse, until: str) -> list[tuple[str, str]]:
    found, event = [], ""
    async for line in answer.content:
        name, _, said = line.decode().strip().partition(": ")
        if name == "event":
            event = said
        elif name in {"data", "data:"} and event:
            found.append((event, said))
            if event == until:
                return found
    return found


def test_what_the_call_does_reaches_the_page_within_moments(bill: Bill, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "PLACE_EVERY", 0.2)
    visit = beside_a_call(bill)
    entering.enter(channel="call", call_id="call-1", lang="ko", phone=PHONE, account_id=bill.account_id)
    at = f"{visit.state.step}/{visit.state.version}"

    async def run() -> list[tuple[str, str]]:
        async with live() as url, aiohttp.ClientSession() as browser:
            query = {"at": at, "kind": "call_me", "lang": "ko"}
            async with browser.get(f"{url}/{visit.address}", params=query) as answer:
                assert answer.status == 200
                assert answer.headers["Cache-Control"] == "no-store"
                first = await events(answer, "place")
                await Threads(1, "test").run(keyed)
                return first + await events(answer, "moved")

    def keyed() -> None:
        sessions.answer(
            visit.address, step=visit.state.step, version=visit.state.version, outcome="pay", channel="voice"
        )

    heard = asyncio.run(asyncio.wait_for(run(), 20))
    assert heard[-1] == ("moved", "")
    assert heard[0][0] == "place"
    assert "상담원을 기다리고 있어요" in json.loads(heard[0][1])[0]


@pytest.mark.parametrize(
    ("address", "query", "status"),
    [
        ("NOBODY", "at=bill/0&lang=ko", 404),
        ("NOBODY", "at=bill/x&lang=ko", 400),
        ("NOBODY", "at=bill/0&lang=xx", 400),
        ("NOBODY", "", 400),
        ("NOBODY", "at=bill/99999999999&lang=ko", 400),
    ],
)
def test_strangers_and_nonsense_hear_nothing(bill: Bill, address: str, query: str, status: int) -> None:
    async def run() -> int:
        async with live() as url, aiohttp.ClientSession() as browser, browser.get(f"{url}/{address}?{query}") as answer:
            return answer.status

    assert asyncio.run(asyncio.wait_for(run(), 20)) == status


def test_a_visit_without_a_call_and_a_fifth_page_are_not_served(bill: Bill) -> None:
    alone = sessions.open_session("pay", channel="web", lang="ko", account_id=bill.account_id, bill_id=bill.pk)
    visit = beside_a_call(bill)

    async def run() -> list[int]:
        async with live() as url, aiohttp.ClientSession() as browser:
            query = {"at": f"{visit.state.step}/{visit.state.version}", "kind": "", "lang": "ko"}
            asked = [alone.address, *[visit.address] * (serving.MOST_A_VISIT + 1)]
            answers = [await browser.get(f"{url}/{each}", params=query) for each in asked]
            for each in answers:
                each.close()
            return [each.status for each in answers]

    assert asyncio.run(asyncio.wait_for(run(), 20)) == [404, *[200] * serving.MOST_A_VISIT, 503]


def test_pages_that_come_at_the_same_moment_are_counted_before_they_are_looked_up(
    bill: Bill, monkeypatch: pytest.MonkeyPatch
) -> None:
    visit = beside_a_call(bill)

    mine = connections["default"]

    async def slow[T](self: object, work: Callable[[], T]) -> T:
        await asyncio.sleep(0.2)
        connections["default"] = mine
        return work()

    monkeypatch.setattr(Threads, "run", slow)

    async def run() -> list[int]:
        async with live() as url, aiohttp.ClientSession() as browser:
            query = {"at": f"{visit.state.step}/{visit.state.version}", "kind": "", "lang": "ko"}
            asked = (browser.get(f"{url}/{visit.address}", params=query) for _ in range(12))
            answers = await asyncio.gather(*asked)
            for each in answers:
                each.close()
            return sorted(each.status for each in answers)

    assert asyncio.run(asyncio.wait_for(run(), 20)) == [*[200] * serving.MOST_A_VISIT, *[503] * 8]


def test_a_page_that_nobody_closed_is_told_that_its_session_is_gone(bill: Bill) -> None:
    with atomic():
        stranger = sessions.open_session("enter", channel="voice", lang="ko", call="call-2")
    shown = stranger.state

    async def run() -> list[tuple[str, str]]:
        async with live() as url, aiohttp.ClientSession() as browser:
            query = {"at": f"{shown.step}/{shown.version}", "kind": "", "lang": "ko"}
            await Threads(1, "test").run(lambda: sessions.screen(stranger.address))
            async with browser.get(f"{url}/{stranger.address}", params=query) as answer:
                await events(answer, "place")
                await Threads(1, "test").run(forgotten)
                return await events(answer, "moved")

    def forgotten() -> None:
        Session.objects.filter(pk=stranger.session.pk).update(moved_at=clock.now() - timedelta(days=2))
        sessions.forget_strangers(100)

    assert asyncio.run(asyncio.wait_for(run(), 30))[-1] == ("moved", "")

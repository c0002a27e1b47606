"""The public board says what works and what does not: never more than guidance names, in words and as JSON."""

from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser

import pytest
from django.db import OperationalError
from django.test import Client
from tests.worlds import World, world

from doenda.assurance import evidence, guidance
from doenda.kernel import clock, sweeps
from doenda.kernel.db import atomic
from doenda.kernel.ids import new_id, outside

CARD, TRANSFER = "web/card/sandbox", "web/transfer/sandbox"


@pytest.fixture
def shop(db: None, noon: clock.Frozen) -> Iterator[World]:
    with world() as made:
        guidance.forget()
        yield made


def record(way: str, outcome: str, times: int = 1, *, synthetic: bool = True) -> None:
    for _ in range(times):
        with atomic():
            evidence.record(way, outcome, source_kind="test", source_id=outside(new_id()), synthetic=synthetic)


def look() -> None:
    for name in ("standing", "no_way", "incidents"):
        sweeps.run(name)


def test_it_names_what_works_and_the_incident_of_what_does_not(shop: World, client: Client, noon: clock.Frozen) -> None:
    record(CARD, "worked")
    record(TRANSFER, "worked")
    noon.advance(timedelta(seconds=42))
    record(TRANSFER, "failed_by_us", 6, synthetic=False)
    look()
    said = client.get("/status.json").json()
    assert (said["known"], said["no_way"], said["methods"]) == (True, False, ["card"])
    (incident,) = said["incidents"]
    assert (incident["open"], incident["methods"], incident["detection_seconds"]) == (True, ["transfer"], 42.0)
    assert incident["timeline"][0]["what"] == "withdrawn"
    assert "sandbox" not in client.get("/status.json").content.decode(), (
        "whose fault it is is not the public's business"
    )


@pytest.mark.parametrize(
    ("lang", "works", "fault"),
    [("ko", "지금 되는 방법: 카드", "실시간 계좌이체 장애"), ("en", "Works now: card", "Fault: bank transfer")],
)
def test_the_page_says_the_same_in_both_languages(
    shop: World, client: Client, lang: str, works: str, fault: str
) -> None:
    record(CARD, "worked")
    record(TRANSFER, "worked")
    record(TRANSFER, "failed_by_us", 6, synthetic=False)
    look()
    page = client.get("/status", headers={"accept-language": lang, "accept": "text/html"}).content.decode()
    assert works in page
    assert fault in page
    assert "<script" not in page
    HTMLParser().feed(page)


def test_when_nothing_works_it_says_so_and_that_nobody_is_punished(shop: World, client: Client) -> None:
    record(CARD, "worked")
    for way in (CARD, TRANSFER):
        record(way, "failed_by_us", 6, synthetic=False)
    look()
    assert client.get("/status.json").json()["no_way"] is True
    page = client.get("/status", headers={"accept": "text/html"}).content.decode()
    assert "낼 수 있는 방법이 없어요" in page
    assert "정지도 없고" in page


def test_without_a_database_nothing_is_said_to_work(
    shop: World, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(days: int) -> None:
        raise OperationalError("away")

    monkeypatch.setattr("doenda.assurance.incidents.shown", away)
    reply = client.get("/status.json")
    assert reply.status_code == 503
    assert reply.json()["methods"] == []
    page = client.get("/status", headers={"accept": "text/html"})
    assert page.status_code == 503
    assert "확인할 수 없어요" in page.content.decode()


def test_it_is_json_for_who_asks_for_it_and_takes_nothing(shop: World, client: Client) -> None:
    assert client.get("/status", headers={"accept": "application/json"})["content-type"] == "application/json"
    assert client.get("/status", headers={"accept": "*/*"})["content-type"].startswith("text/html")
    assert client.post("/status").status_code == 405

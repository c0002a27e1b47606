"""The demo page: what it shows, what it breaks, and who may see it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from tests.demo.demo_tools import BASE, World

from doenda.access import policy
from doenda.assurance import evidence, ways
from doenda.billing.models import Account, Line
from doenda.demo import faults, inside, messages, sample, showing, timeline, urls
from doenda.dunning import run
from doenda.kernel import clock, net, outbox
from doenda.kernel.db import atomic
from doenda.kernel.ids import outside
from peers.bank import truth as bank_truth
from peers.bank.state import METHODS
from peers.handset import truth as handset_truth
from peers.switch import truth as switch_truth


def text(to: str, body: str) -> None:
    sent = {"id": outside(Account.objects.order_by("pk")[0].pk) + body[:5], "to": to, "from": "114"}
    reply = net.call("handset", "POST", "http://handset/v1/messages", json={**sent, "text": body, "kind": "LMS"})
    assert reply.status == 202


def test_every_view_is_for_the_demo_only() -> None:
    assert {policy.of(one.callback) for one in urls.urlpatterns} == {"demo_only"}


@pytest.mark.parametrize("address", ["/demo/", "/demo/live"])
def test_outside_the_demo_and_for_strangers_there_is_no_page(
    client: Client, world: World, db: None, settings: Any, address: str
) -> None:
    assert client.get(address, REMOTE_ADDR="192.0.2.7").status_code == 404
    settings.DOENDA_DEMO = False
    assert client.get(address).status_code == 404
    assert client.post("/demo/heal").status_code == 404


def test_the_hero_comes_first_with_what_he_owes(browse: Callable[..., str]) -> None:
    page = browse()
    assert "김민수" in page
    assert "Mr A of the story" in page
    assert "52,300원" in page
    assert "010-0000-1234" in page


def test_an_empty_house_says_how_to_fill_it(client: Client, world: World, db: None) -> None:
    assert "demo-sample" in client.get("/demo/").content.decode()
    assert client.get("/demo/live").status_code == 200


def test_a_message_shows_on_the_phone_and_only_our_own_link_can_be_tapped(browse: Callable[..., str]) -> None:
    text("+821000001234", f"납부하기: {BASE}/p/ABC. http://evil.test/x <script>")
    page = browse()
    assert f'<a href="{BASE}/p/ABC" target="phone" rel="noopener">{BASE}/p/ABC</a>' in page
    assert 'href="http://evil.test' not in page
    assert "&lt;script&gt;" in page
    assert "LMS · delivered" in page
    assert "납부하기" not in browse("/demo/?a=D0000002")


def test_peers_that_are_down_are_said_to_be(browse: Callable[..., str], world: World) -> None:
    world.down = {"bank", "switch", "handset"}
    page = browse()
    assert page.count("not reachable") >= 4
    assert "handset network is not reachable" in page


def test_scripts_and_styles_run_only_under_the_nonce(client: Client, carrier_of_ten: sample.Loaded) -> None:
    response = client.get("/demo/")
    said = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in said
    assert "frame-ancestors 'none'" in said
    nonce = said.split("script-src 'nonce-")[1].split("'")[0]
    assert f'<script nonce="{nonce}">' in response.content.decode()
    assert "unsafe" not in said


@pytest.mark.parametrize(("query", "name"), [("이서", "이서연"), ("5555", "Anna Petrova"), ("010-0000-3002", "박정희")])
def test_a_customer_is_found_by_name_or_number(browse: Callable[..., str], query: str, name: str) -> None:
    page = browse(f"/demo/?q={query}")
    cast = page.split('class="cast"')[1].split("</ul>")[0]
    assert name in cast
    assert cast.count("<li>") == 1


def test_nobody_found_leads_back_to_the_cast(browse: Callable[..., str]) -> None:
    assert "Nobody is called “zzz”" in browse("/demo/?q=zzz")


def test_one_tap_breaks_the_bank_and_one_heals_it(client: Client, browse: Callable[..., str], world: World) -> None:
    broken = client.post("/demo/fault", {"preset": "story", "a": "D0000002"})
    assert (broken.status_code, broken.headers["Location"]) == (303, "/demo/?a=D0000002")
    client.post("/demo/fault", {"peer": "bank", "key": "card", "fault": "refuse", "times": "once"})
    assert world.bank.faults.document() == {
        "transfer": {"fault": "last_step_down"},
        "card": {"fault": "refuse", "remaining": 1},
    }
    assert "transfers: the last step says: service fault" in browse()
    assert client.post("/demo/heal", {"peer": "bank"}).status_code == 303
    assert world.bank.faults.document() == {}


def test_healing_all_heals_all(client: Client, carrier_of_ten: sample.Loaded, world: World) -> None:
    client.post("/demo/fault", {"preset": "switch_lies"})
    client.post("/demo/fault", {"preset": "no_texts"})
    assert (world.switch.faults.one()["fault"], world.handset.faults.one()["fault"]) == ("lie", "never_delivered")
    client.post("/demo/heal")
    assert not world.switch.faults.board.get("*")
    assert not world.handset.faults.board.get("*")


def test_what_cannot_be_done_is_said(client: Client, carrier_of_ten: sample.Loaded, world: World) -> None:
    assert client.post("/demo/fault", {"peer": "bank", "key": "card", "fault": "lie"}).status_code == 400
    assert client.post("/demo/fault", {"peer": "switch", "key": "card", "fault": "lie"}).status_code == 400
    assert client.post("/demo/heal", {"peer": "moon"}).status_code == 400
    assert client.post("/demo/jump", {"step": "year"}).status_code == 400
    assert client.get("/demo/fault").status_code == 405
    world.down = {"handset"}
    answer = client.post("/demo/fault", {"preset": "no_texts"})
    assert (answer.status_code, answer.content) == (502, b"the handset is not reachable")


@pytest.mark.parametrize("address", ["/demo/fault", "/demo/heal", "/demo/jump"])
def test_another_site_cannot_press_the_buttons(client: Client, carrier_of_ten: sample.Loaded, address: str) -> None:
    assert client.post(address, {"step": "week"}, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


def test_the_peers_know_every_fault_that_the_panel_offers() -> None:
    assert {one.name for one in faults.BANK} == set(bank_truth.FAULTS)
    assert {one.name for one in faults.SWITCH} == set(switch_truth.FAULTS)
    assert {one.name for one in faults.HANDSET} == set(handset_truth.FAULTS)
    assert all(faults.known(one.peer, one.key, one.fault) for one in faults.PRESETS)
    assert set(faults.KEYS) == {"*", *METHODS}


def test_the_networks_truth_stands_beside_ours(carrier_of_ten: sample.Loaded, world: World) -> None:
    account = Account.objects.get(number="D0000001")
    line = Line.objects.get(account=account)
    body = {"serviceCharacteristic": [{"name": "barring", "value": "both"}]}
    address = f"http://switch{switch_truth.BASE}/service/{outside(line.pk)}"
    assert net.call("switch", "PATCH", address, json=body).status == 200
    row = inside.lines(account).rows[0]
    assert row.cells == ("010-0000-1234", "open", "-", "fully barred")
    assert row.tone == "warn"


def test_only_guidance_says_how_to_pay(browse: Callable[..., str]) -> None:
    assert "No way to pay may be named right now" in browse()
    ways.ensure_ways()
    with atomic():
        evidence.record("web/card/sandbox", "worked", source_kind="walk", source_id="1", synthetic=True)
    page = browse()
    named = page.split('id="live-named"')[1].split("</section>")[0]
    assert "카드" in named
    assert "계좌이체" not in named
    assert "● proven" in page
    assert "○ unproven" in page


def test_the_case_and_its_notice_are_on_the_timeline(browse: Callable[..., str]) -> None:
    assert "overdue, a case is about to open" in browse()
    run.sweep_cases(100)
    with atomic():
        effect = outbox.put("unknown_kind", "1", {})
    account = Account.objects.get(number="D0000001")
    told = timeline.of_account(account)
    assert [one.at for one in told] == sorted((one.at for one in told), reverse=True)
    assert {"billing", "ledger", "dunning", "notices"} <= {one.room for one in told}
    page = browse()
    assert "reminder decided" in page
    assert "reminded since 22 Oct" in page
    assert effect.kind in page


def test_the_next_step_is_the_earliest_that_lies_ahead(carrier_of_ten: sample.Loaded) -> None:
    late = Account.objects.get(number="D0000006")
    ahead = inside.next_step(late)
    assert ahead is not None
    assert ahead == (clock.at(clock.today().replace(day=25), 9), "a bill falls overdue")
    paid = Account.objects.create(number="Z", currency="KRW")
    assert inside.next_step(paid) is None


def test_live_parts_are_the_pages_own(client: Client, browse: Callable[..., str]) -> None:
    page, live = browse(), browse("/demo/live")
    ids = {part.split('"')[0] for part in live.split('id="live-')[1:]}
    assert ids == {"clock", "jump", "boards", "ways", "phone", "named", "case", "tables", "timeline"}
    assert all(f'id="live-{one}"' in page for one in ids)
    assert "<script" not in live


def test_an_inbox_that_makes_no_sense_is_no_inbox(browse: Callable[..., str]) -> None:
    def confused(request: net.Request) -> net.Reply:
        return net.Reply(200, {}, b"<html>")

    with net.using(confused):
        assert "handset network is not reachable" in browse()


def test_addresses_are_cut_out_of_a_text(settings: Any) -> None:
    settings.DOENDA_BASE_URL = BASE
    assert messages.parts("없음") == (messages.Part("없음"),)
    assert [part.link for part in messages.parts(f"{BASE}/p/X.\n(http://doenda.test.evil/p/X)")] == [
        f"{BASE}/p/X",
        "",
        "",
        "",
    ]


def test_ages_and_numbers_are_written_for_people() -> None:
    now = clock.now()
    assert showing.ago(None, now) == "never"
    assert inside.national("+821000001234") == "010-0000-1234"
    assert inside.national("+8225551234") == "+8225551234"
    assert showing.ago(now - timedelta(minutes=5), now) == "5 min ago"
    assert showing.ago(now + timedelta(days=3), now) == "in 3 days"

"""The gateway against the peer that demo and simulation use: the same handset network, without HTTP."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from tests.notices.notices_world import Customer

from doenda.kernel import clock, net, outbox
from doenda.notices import receipts
from peers.handset import Handset
from peers.http import NoAnswer, Request


@pytest.fixture
def peer(noon: clock.Frozen) -> Iterator[Handset]:
    handset = Handset(clock=lambda: clock.now().timestamp())

    def transport(request: net.Request) -> net.Reply:
        path = request.url.removeprefix("http://127.0.0.1:8103")
        try:
            response = handset.handle(Request(request.method, path, dict(request.headers), request.content))
        except NoAnswer as error:
            raise net.NoAnswer(str(error)) from error
        return net.Reply(response.status, dict(response.headers), response.body)

    with net.using(transport):
        yield handset


def fault(peer: Handset, name: str) -> None:
    document = json.dumps({"fault": name, "seconds": 1} if name else {}).encode()
    assert peer.handle(Request("PUT", "/_control/faults", {}, document)).status < 300


def work(peer: Handset, noon: clock.Frozen) -> None:
    outbox.sweep(100)
    noon.advance(timedelta(seconds=2))
    peer.tick(noon.instant.timestamp())
    receipts.sweep(100)


@pytest.mark.parametrize("name", ["", "down", "timeout_after"])
def test_the_peer_shows_one_text_and_its_receipt(
    name: str, customer: Customer, peer: Handset, prove: Callable[..., None], noon: clock.Frozen
) -> None:
    prove()
    notice = customer.told("suspension_notice", effective="2014-11-11")
    if name:
        fault(peer, name)
        work(peer, noon)
        fault(peer, "")
        noon.advance(timedelta(seconds=5))
    work(peer, noon)
    work(peer, noon)
    notice.refresh_from_db()
    assert notice.state == "delivered"
    [message] = peer.messages.values()
    assert (message.to, message.kind, message.state) == (customer.party.phone, "LMS", "delivered")


def test_an_undeliverable_text_ends_as_failed(
    customer: Customer, peer: Handset, prove: Callable[..., None], noon: clock.Frozen
) -> None:
    prove()
    fault(peer, "undeliverable")
    notice = customer.told("reminder")
    work(peer, noon)
    work(peer, noon)
    notice.refresh_from_db()
    assert (notice.state, notice.held_reason) == ("failed", "ABSENT_SUBSCRIBER")

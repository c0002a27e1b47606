"""The customer's pages, walked like a customer, with the bank, switch and handset as classes."""

from collections.abc import Iterator

import pytest
from tests.worlds import World, link, overdue_bill, world

from doenda.channels.web import walker


@pytest.fixture
def shop(db: None) -> Iterator[World]:
    with world() as made:
        yield made


@pytest.mark.parametrize("lang", ["ko", "en"])
@pytest.mark.parametrize("method", ["card", "transfer"])
def test_a_link_is_paid_to_the_receipt(shop: World, lang: str, method: str) -> None:
    bill = overdue_bill()
    walked = walker.pay(link(bill), method=method, lang=lang)
    assert (walked.outcome, walked.trouble) == ("paid", ""), walked
    assert walked.steps == ("pay.bill", "pay.method", "provider", "pay.away.returned", "pay.paid")
    assert "KRW 52,300" in walked.text
    bill.refresh_from_db()
    assert bill.state == "settled"
    assert shop.books()["net"] == 52300

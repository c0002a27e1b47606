"""What the tests of the doors share: whose clock stands, a code, the house's address, a bill paid in one line."""

from datetime import timedelta

from django.conf import settings
from tests.channels.customers import Audited, Customer
from tests.worlds import World, link

from doenda.access import codes
from doenda.billing.models import Bill
from doenda.dunning import holds, outlook
from doenda.kernel import clock
from doenda.kernel.db import atomic

PHONE = "+821000001234"
type Shop = tuple[World, Audited, Customer]


def stands(bill: Bill, until_after: timedelta = timedelta()) -> None:
    """The clock of the bill's account stands now, and still just before the end that was promised."""
    ahead = outlook.of(bill.account_id, bill_id=bill.id)
    assert ahead.held, ahead
    assert holds.running(bill.account_id)
    assert holds.running(bill.account_id, clock.now() + until_after)


def code_of(bill: Bill) -> str:
    with atomic():
        return codes.issue(bill.id, bill.account_id, PHONE)


def made_body(shop: Shop) -> str:
    return shop[1].bodies[-1].decode()


def base() -> str:
    return str(settings.DOENDA_BASE_URL)


def pay(customer: Customer, bill: Bill) -> None:
    customer.open(link(bill))
    customer.at_provider()
    customer.press("approve")
    assert customer.goes("returned").step == "pay.paid"

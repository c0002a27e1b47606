"""What a stranger, a thief of logs or another customer can learn from the pages: nothing."""

import json
import logging
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.channels.customers import Audited, Customer, audited
from tests.worlds import World, link, overdue_bill, settle_down

from doenda.access import codes, tokens
from doenda.billing.models import Bill
from doenda.channels.web import secrecy
from doenda.kernel import clock, net
from doenda.kernel.db import atomic

BASE = settings.DOENDA_BASE_URL
KNOWN, STRANGE = "010-0000-1234", "010-0000-7777"


@pytest.fixture
def shop(db: None, noon: clock.Frozen) -> Iterator[tuple[World, Audited]]:
    with audited() as found:
        yield found


def without_secrets(body: bytes, token: str) -> str:
    """The page without its signed field, its nonce and the address that the visitor knows anyway."""
    text = re.sub(r'name="f" value="[^"]*"', 'name="f"', body.decode())
    return re.sub(r'nonce="[^"]*"', "nonce", text).replace(token, "TOKEN")


def settled_long_ago(noon: clock.Frozen, number: str) -> str:
    bill = overdue_bill(number=number, phone="+821000008888")
    text = link(bill).rpartition("/")[2]
    customer = Customer()
    customer.open(link(bill))
    customer.at_provider()
    customer.press("approve")
    assert customer.goes("returned").step == "pay.paid"
    noon.advance(timedelta(days=30, minutes=1))
    return text


def test_dead_links_of_every_kind_are_one_page(shop: tuple[World, Audited], noon: clock.Frozen) -> None:
    _, auditor = shop
    old = settled_long_ago(noon, "OLD")
    bill = overdue_bill(number="REVOKED")
    revoked = link(bill).rpartition("/")[2]
    with atomic():
        tokens.revoke(bill.id)
    pages: dict[str, tuple[str, ...]] = {}
    for name, token in {
        "old": old,
        "revoked": revoked,
        "unknown": "A" * 26,
        "short": "AB",
        "long": "B" * 200,
        "korean": "가나다",
    }.items():
        shown = []
        customer = Customer()
        assert customer.open(f"{BASE}/p/{token}").status == 200
        shown.append(without_secrets(auditor.bodies[-1], token))
        for door in ("send_again", "code", "person"):
            customer.open(f"{BASE}/p/{token}")
            customer.goes(door)
            shown.append(without_secrets(auditor.bodies[-1], customer.page.url.rpartition("/")[2]))
        pages[name] = tuple(shown)
    for name, shown_ in pages.items():
        for mine, theirs in zip(shown_, pages["unknown"], strict=True):
            assert mine == theirs, name


@pytest.mark.parametrize("door", ["enter", "send_again", "callback"])
def test_known_and_unknown_numbers_are_told_alike(shop: tuple[World, Audited], door: str) -> None:
    _, auditor = shop
    bill = overdue_bill()
    with atomic():
        right = codes.issue(bill.id, bill.account_id, "+821000001234")
    wrong = f"{(int(right) + 1) % 10**6:06d}"
    said: dict[str, tuple[str, int, int]] = {}
    for phone in (STRANGE, KNOWN):
        customer = Customer()
        customer.open(f"{BASE}/")
        if door == "enter":
            presses: dict[str, str] = {"phone": phone, "code": wrong}
        else:
            customer.goes({"send_again": "send_again", "callback": "person"}[door])
            presses = {"phone": phone} | ({"when": "soonest"} if door == "callback" else {})
        with CaptureQueriesContext(connection) as seen:
            customer.goes("given", **presses)
        text = without_secrets(auditor.bodies[-1], customer.page.url.rpartition("/")[2]).replace(phone, "PHONE")
        said[phone] = (text, len(auditor.bodies[-1]), len(seen))
    assert said[KNOWN][:2] == said[STRANGE][:2]
    near = 12 if door == "callback" else 0  # a lock, a hold and its fact: some milliseconds
    assert abs(said[KNOWN][2] - said[STRANGE][2]) <= near, {phone: each[2] for phone, each in said.items()}


def test_ten_wrong_codes_lock_unknown_numbers_too(shop: tuple[World, Audited]) -> None:
    customer = Customer()
    customer.open(f"{BASE}/")
    for n in range(10):
        assert customer.goes("given", phone=STRANGE, code=f"{n:06d}").step == "enter.code"
    assert customer.goes("given", phone=STRANGE, code="999999").step == "enter.help"


def dump() -> str:
    """Every row of every table of ours, as text."""
    found = []
    with connection.cursor() as cursor:
        for model in apps.get_models():
            if model.__module__.startswith("doenda."):
                cursor.execute(f'SELECT to_json(t)::text FROM "{model._meta.db_table}" t')
                found += [row[0] for row in cursor.fetchall()]
    return "\n".join(found)


def test_no_link_code_or_address_is_in_a_row_or_a_log(
    shop: tuple[World, Audited], caplog: pytest.LogCaptureFixture
) -> None:
    made, _ = shop
    caplog.set_level(logging.DEBUG)
    bill = overdue_bill()
    with atomic():
        code = codes.issue(bill.id, bill.account_id, "+821000001234")
    secrets = {code, link(bill).rpartition("/")[2]}
    customer = Customer()
    customer.open(f"{BASE}/")
    customer.goes("send_again")
    customer.goes("given", phone=KNOWN)
    settle_down()
    customer.open(f"{BASE}/")
    customer.goes("given", phone=KNOWN, code="12")
    customer.goes("given", phone=KNOWN, code=code)
    secrets.add(customer.page.url.rpartition("/")[2])
    customer.at_provider()
    customer.press("approve")
    customer.goes("returned")
    for path in (f"/p/{'Q' * 26}", f"/s/{'Q' * 26}", f"/s/{'Q' * 26}/return", *(f"/p/{s}x/y" for s in secrets)):
        made.web.get(path)
        made.web.post(path, {"f": "forged"})
    rows = dump().replace(str(bill.amount), "")
    logs = "\n".join(
        f"{record.getMessage()} {record.args}" for record in caplog.records if record.name != "django.db.backends"
    )
    assert json.loads(rows.splitlines()[0])
    for secret in secrets:
        assert secret not in logs
        assert not re.search(rf"(?<!\d){secret}(?!\d)", rows), secret[:3]
    assert "Q" * 26 not in logs
    assert "django.request" in {record.name for record in caplog.records}, "the log that would have told"


def test_the_log_keeps_what_is_no_secret() -> None:
    assert secrecy.unkeyed("Not Found: /s/ABC/return") == "Not Found: /s/***/return"
    assert secrecy.unkeyed("GET /p/ABC?lang=en 404") == "GET /p/***?lang=en 404"
    assert secrecy.unkeyed("/webhooks/sandbox") == "/webhooks/sandbox"


def test_two_customers_side_by_side_see_only_their_own(shop: tuple[World, Audited]) -> None:
    _, auditor = shop
    people = {
        "mine": ("김민수", "+821000009642", 52300, "B-MINE"),
        "theirs": ("Alice Lindqvist", "+821000009753", 71900, "B-THEIRS"),
    }
    bills: dict[str, Bill] = {}
    for who, (name, phone, amount, number) in people.items():
        bills[who] = overdue_bill(amount, phone=phone, name=name, number=number)
    seen: dict[str, list[str]] = {"mine": [], "theirs": []}
    walkers = {who: Customer() for who in people}

    def each(do: str, **values: str) -> None:
        for who, customer in walkers.items():
            if do == "open":
                customer.open(link(bills[who]))
            elif do == "provider":
                customer.at_provider()
                continue
            else:
                customer.press(do, values)
            seen[who].append(auditor.bodies[-1].decode())

    for step in (
        "open",
        "already",
        "back",
        "person",
        "back",
        "more_time",
        "back",
        "pay",
        "provider",
        "approve",
        "returned",
    ):
        each(step)
    assert all(customer.page.step == "pay.paid" for customer in walkers.values())
    for who, other in (("mine", "theirs"), ("theirs", "mine")):
        name, phone, amount, number = people[other]
        pages = "\n".join(seen[who])
        for secret in (name, phone, phone[-4:], f"{amount:,}", number, str(bills[other].id)):
            assert secret not in pages, secret
        assert people[who][0] not in pages, "a page shows no name"
        assert people[who][1][3:] not in pages, "nor a whole number"
        assert f"-****-{people[who][1][-4:]}" in pages
        assert str(bills[who].id) not in pages
        assert str(bills[who].account_id) not in pages


def test_robots_and_health_say_nothing(shop: tuple[World, Audited]) -> None:
    made, _ = shop
    assert made.web.get("/robots.txt").content == b"User-agent: *\nDisallow: /\n"
    assert made.web.get("/health").content == b"ok"


@pytest.mark.parametrize(
    ("header", "lang"),
    [
        ("", "ko"),
        ("en-US,en;q=0.9", "en"),
        ("de-DE,de;q=0.9,en;q=0.1", "en"),
        ("ja", "en"),
        ("ko;q=0.1, en;q=0.9", "en"),
        ("en;q=nonsense, ko", "ko"),
        (",,;;q=", "ko"),
        ("x" * 5000, "en"),
    ],
)
def test_the_browsers_language_is_spoken(db: None, noon: clock.Frozen, header: str, lang: str) -> None:
    with audited(lang) as (made, _):
        said = net.call("web", "GET", f"{BASE}/", headers={"Accept-Language": header})
        assert said.status == 200
        assert made.web.get("/?lang=en", headers={"Accept-Language": header}).headers["Content-Language"] == "en"

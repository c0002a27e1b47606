"""Links and codes: what they open, for how long, and what guessing costs."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections

from doenda.access import codes, tokens, tries
from doenda.access.models import LinkToken, ShortCode, Tries
from doenda.kernel import clock
from doenda.kernel.db import atomic
from doenda.kernel.ids import new_id

PHONE = "+821000001234"


def issue() -> tuple[str, tuple[object, object]]:
    bill, account = new_id(), new_id()
    with atomic():
        return codes.issue(bill, account, PHONE), (bill, account)


def wrong(code: str, n: int = 0) -> str:
    return f"{(int(code) + 1 + n) % 10**6:06d}"


def test_a_code_opens_its_bill_at_its_number_only(db: None) -> None:
    code, subject = issue()
    found = codes.find(PHONE, code, "1.2.3.4")
    assert isinstance(found, tokens.Token)
    assert (found.subject_id, found.account_id) == subject
    assert codes.find("+821000009999", code, "1.2.3.4") is None


def test_the_same_bill_has_the_same_code_and_two_bills_have_two(db: None) -> None:
    bill, account = new_id(), new_id()
    with atomic():
        first = codes.issue(bill, account, PHONE)
        assert codes.issue(bill, account, PHONE) == first
        others = {codes.issue(new_id(), account, PHONE) for _ in range(20)}
    assert len(others | {first}) == 21


def test_ten_wrong_ones_lock_the_number_for_an_hour_whoever_asks(db: None, noon: clock.Frozen) -> None:
    code, _ = issue()
    for n in range(codes.PER_NUMBER):
        assert codes.find(PHONE, wrong(code, n), f"10.0.0.{n}") is None
    assert isinstance(codes.find(PHONE, code, "10.1.1.1"), codes.Throttled)
    noon.advance(timedelta(minutes=59))
    assert isinstance(codes.find(PHONE, code, "10.1.1.1"), codes.Throttled)
    noon.advance(timedelta(minutes=2))
    assert isinstance(codes.find(PHONE, code, "10.1.1.1"), tokens.Token)


def test_one_visitor_cannot_try_many_numbers(db: None, noon: clock.Frozen) -> None:
    code, _ = issue()
    for n in range(codes.PER_VISITOR):
        assert codes.find(f"+82100000{n:04d}", "000000", "1.2.3.4") is None
    assert isinstance(codes.find(PHONE, code, "1.2.3.4"), codes.Throttled)
    assert isinstance(codes.find(PHONE, code, "5.6.7.8"), tokens.Token)


def test_a_right_code_costs_nothing(db: None) -> None:
    code, _ = issue()
    for _ in range(codes.PER_NUMBER * 3):
        assert isinstance(codes.find(PHONE, code, "1.2.3.4"), tokens.Token)


def test_a_hundred_guesses_at_once_get_no_more_answers_than_ten(committed_db: str) -> None:
    code, _ = issue()

    def guess(n: int) -> bool:
        try:
            return codes.find(PHONE, wrong(code, n), f"10.0.0.{n}") is None
        finally:
            for connection in connections.all():
                connection.close()

    with ThreadPoolExecutor(10) as crowd:
        assert sum(crowd.map(guess, range(100))) == codes.PER_NUMBER


def test_old_tries_are_forgotten(db: None, noon: clock.Frozen) -> None:
    with atomic():
        tries.count("number:x")
    assert tries.forget(100) == 0
    noon.advance(tries.WINDOW + timedelta(seconds=1))
    assert tries.forget(100) == 1
    assert not Tries.objects.exists()


@pytest.mark.parametrize("text", ["", "A" * 25, "A" * 27, "a" * 26, "\0" * 26, "가" * 26, "A" * 10_000])
def test_what_is_no_link_opens_nothing(db: None, text: str) -> None:
    assert tokens.find(text) is None


def test_a_link_is_long_single_and_not_in_its_row(db: None) -> None:
    bill, account = new_id(), new_id()
    with atomic():
        text = tokens.issue("bill", bill, account)
        assert tokens.issue("bill", bill, account) == text
        others = {tokens.issue("bill", new_id(), account) for _ in range(50)}
    assert len(text) == 26
    assert text not in others
    row = LinkToken.objects.get(subject_id=bill)
    assert text not in str(row.__dict__)
    assert text.encode() not in bytes(row.digest)
    with atomic():
        assert tokens.revoke(bill) == 1
    assert tokens.find(text) is None
    with atomic():
        assert tokens.issue("bill", bill, account) != text, "a revoked link stays dead"


def test_keys_are_rotated_without_breaking_links_and_retired_ones_open_nothing(db: None, settings: object) -> None:
    settings.DOENDA_LINK_KEYS = {"1": "old"}  # type: ignore[attr-defined]
    bill, account = new_id(), new_id()
    with atomic():
        text, code = tokens.issue("bill", bill, account), codes.issue(bill, account, PHONE)
    settings.DOENDA_LINK_KEYS = {"1": "old", "2": "new"}  # type: ignore[attr-defined]
    assert tokens.find(text) is not None
    assert isinstance(codes.find(PHONE, code, "v"), tokens.Token)
    settings.DOENDA_LINK_KEYS = {"2": "new"}  # type: ignore[attr-defined]
    assert codes.find(PHONE, code, "v") is None
    with atomic():
        assert codes.issue(new_id(), account, PHONE), "another bill's old code is in nobody's way"
        assert codes.issue(bill, account, PHONE)
    assert ShortCode.objects.filter(subject_id=bill).count() == 1

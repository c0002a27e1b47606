"""The command with which people answer people."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from tests.worlds import overdue_bill

from doenda.access.models import AuditEntry
from doenda.contact import tickets
from doenda.dunning import holds
from doenda.kernel.ids import outside


def listed() -> dict[str, object]:
    out = StringIO()
    call_command("tickets", "--json", stdout=out)
    found: dict[str, object] = json.loads(out.getvalue())
    return found


def test_a_ticket_is_listed_answered_once_and_its_hold_ends(db: None) -> None:
    bill = overdue_bill()
    ticket, made = tickets.open_ticket(
        "person", key="t", channel="web", lang="ko", account_id=bill.account_id, bill_id=bill.pk, phone="+821000001234"
    )
    assert made
    assert holds.running(bill.account_id)
    assert listed()["figures"] == {"waiting": 1, "late": 0}
    call_command("tickets", "--answer", outside(ticket.pk), "--by", "agent:kim", "--words", "두 번 나눠 내기로 함")
    assert listed()["figures"] == {"waiting": 0, "late": 0}
    assert not holds.running(bill.account_id)
    assert AuditEntry.objects.filter(actor="agent:kim", action="ticket answered").count() == 1


@pytest.mark.parametrize("ticket", ["nonsense", "A" * 26])
def test_a_ticket_that_does_not_exist_is_named(db: None, ticket: str) -> None:
    with pytest.raises(CommandError, match="no such ticket"):
        call_command("tickets", "--answer", ticket, "--by", "agent:kim")


def test_asking_again_keeps_the_place_in_line(db: None) -> None:
    bill = overdue_bill()
    args = {"channel": "web", "lang": "ko", "account_id": bill.account_id, "bill_id": bill.pk}
    first, made = tickets.open_ticket("person", key="t", **args)  # type: ignore[arg-type]
    again, made_again = tickets.open_ticket("person", key="t", **args)  # type: ignore[arg-type]
    assert (made, made_again) == (True, False)
    assert again.queued_at == first.queued_at

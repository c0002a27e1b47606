"""What happens below that a person must take up: an outcome that nobody could learn, money whose source is unknown."""

from uuid import UUID

from doenda.contact.tickets import open_ticket
from doenda.kernel import facts
from doenda.kernel.facts import Fact


@facts.subscribes("payments.person_owns", name="contact.own_unknown")
def own_unknown(fact: Fact) -> None:
    """An attempt's outcome is now a person's to find out."""
    open_ticket(
        "unknown_outcome",
        key=f"unknown-{fact.data['attempt']}",
        channel="system",
        lang="ko",
        account_id=UUID(str(fact.account_id)),
        words=f"attempt {fact.data['attempt']}: {fact.data['reason']}",
    )


@facts.subscribes("payments.overpaid", name="contact.ask_where_to_refund")
def ask_where_to_refund(fact: Fact) -> None:
    """The customer was told that we will ask where to send what was paid too much: somebody has to call, by a day."""
    if fact.data["back"] == "asked":
        open_ticket(
            "refund",
            key=f"refund-{fact.data['case']}",
            channel="system",
            lang="ko",
            account_id=UUID(str(fact.account_id)),
            words=f"refund case {fact.data['case']}: {fact.data['amount']} paid too much by {fact.data['way']}",
        )

"""What happens below that a person must take up: an outcome that nobody could learn, or that does not match."""

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

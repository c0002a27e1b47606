"""How a customer stands in front of the journey: in this process through the engine, or on the pages through WSGI.

Both show the same steps and take the same answers, so that one mind (`visits`) walks either.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

from doenda.channels.web.walker import Walker
from doenda.journeys import actions, sessions
from doenda.kernel import net
from doenda.payments import providers
from doenda.payments.models import Attempt

RETURNED = "away.returned"
type Approve = Callable[[str], str]
"""Presses "approve" on the bank's page at an address; the address to which the bank then sends the customer."""


class Body(Protocol):
    """`step`: where the customer stands, by the journey's own words; "away" is the provider's page."""

    @property
    def step(self) -> str: ...

    def ways(self) -> list[str]:
        """The ways that are offered here (slugs)."""

    def press(self, outcome: str, values: Mapping[str, str] | None = None) -> None: ...

    def approve(self) -> None:
        """On the provider's page: pay there, come back, and say that it is right."""

    def back(self) -> None:
        """The provider's page stops in this browser: back to our page."""

    def number(self) -> str:
        """The account number, or slip, that is shown."""


class InProcess:
    """The engine and its actions, in the way in which the web channel calls them."""

    def __init__(self, account_id: UUID, bill_id: UUID, lang: str, approve: Approve) -> None:
        self._approve = approve
        self._visit = sessions.open_session("pay", channel="web", lang=lang, account_id=account_id, bill_id=bill_id)

    @property
    def step(self) -> str:
        return self._visit.state.step

    def ways(self) -> list[str]:
        return [way.slug for way in actions.listed("ways_to_pay", self._visit.session)]

    def press(self, outcome: str, values: Mapping[str, str] | None = None) -> None:
        state = self._visit.state
        self._visit = sessions.answer(
            self._visit.address, step=state.step, version=state.version, outcome=outcome, values=values
        )

    def _attempt(self) -> Attempt:
        return Attempt.objects.get(pk=UUID(self._visit.state.data["attempt"]))

    def approve(self) -> None:
        attempt = self._attempt()
        back = urlsplit(self._approve(attempt.redirect_url)).query
        said = providers.get(attempt.provider).returned(dict(parse_qsl(back, keep_blank_values=True)))
        brought = {"order_id": said.order_id, "ref": said.ref, "paid_amount": said.amount, "token": said.token}
        self.press("returned", {name: value for name, value in brought.items() if value})

    def back(self) -> None:
        """Our page is still where it was."""

    def number(self) -> str:
        into: dict[str, Any] = self._attempt().details["pay_into"]
        return str(into["number"])


class OnPages:
    """The whole web channel: pages read, forms filled in, redirects followed."""

    def __init__(self, url: str, lang: str) -> None:
        self._walker = Walker(lang=lang)
        self._walker.open(url)

    @property
    def step(self) -> str:
        step = self._walker.page.step
        return "away" if step == "provider" else step.removeprefix("pay.")

    def ways(self) -> list[str]:
        return self._walker.radios("way")

    def press(self, outcome: str, values: Mapping[str, str] | None = None) -> None:
        self._walker.press(outcome, values)

    def approve(self) -> None:
        if self._walker.page.step != "provider":
            self._walker.open(next(link for link in self._walker.page.links if link.startswith("http")))
        self._walker.press("approve")
        if self.step == RETURNED:
            self._walker.press("returned")

    def back(self) -> None:
        """By the browser's own button, to our last page, which shows where the visit stands by now."""
        ours = next(page for page in reversed(self._walker.pages) if page.step != "provider")
        self._walker.open(ours.url)

    def number(self) -> str:
        into = self._walker.page.into
        assert into is not None, "no number is shown"
        return into[0]


def approve_at(url: str) -> str:
    """See `Approve`: through the net seam, as a browser would."""
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    return net.call("payer", "POST", url, content=b"decision=approve", headers=form).headers["location"]

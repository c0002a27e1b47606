"""The suite finds the mistakes that are known of peers: each is planted in the sandbox provider, and a row fails."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from doenda.app.conformance.behaviours import ALL
from doenda.app.conformance.run import bench, check
from doenda.kernel.ids import new_id
from doenda.payments import providers
from doenda.payments.providers.contract import Answer, BackTo, Charge, Outcome, Returned, Ring
from doenda.payments.providers.sandbox.provider import Sandbox


class TimeoutMeansFailed(Sandbox):
    """Hyperswitch's rule: no answer is a failure."""

    def confirm(self, charge: Charge, *, first_try: bool) -> Answer:
        answer = super().confirm(charge, first_try=first_try)
        return replace(answer, outcome=Outcome.REFUSED) if answer.outcome is Outcome.UNKNOWN else answer


class NeverReachedMeansFailed(Sandbox):
    """A refused connection is certain, also when an earlier request may have arrived."""

    def confirm(self, charge: Charge, *, first_try: bool) -> Answer:
        return super().confirm(charge, first_try=True)


class NotFoundMeansRefused(Sandbox):
    """GOV.UK Pay's: what the provider does not know was never taken."""

    def inquire(self, charge: Charge) -> Answer:
        answer = super().inquire(charge)
        return replace(answer, outcome=Outcome.REFUSED) if answer.outcome is Outcome.NOT_FOUND else answer


class VoidsWithoutAsking(Sandbox):
    def void(self, charge: Charge) -> Answer:
        return Answer(Outcome.GIVEN_BACK, "VOID")


class NewKeyAfterAnError(Sandbox):
    def refund(self, charge: Charge, *, amount: int, key: str, reason: str, back_to: BackTo | None = None) -> Answer:
        return super().refund(charge, amount=amount, key=f"refund-{new_id()}", reason=reason)


class RefundsAllOfIt(Sandbox):
    def refund(self, charge: Charge, *, amount: int, key: str, reason: str, back_to: BackTo | None = None) -> Answer:
        return super().refund(charge, amount=charge.amount, key=key, reason=reason)


class KnowsTheAmountBetter(Sandbox):
    """CVE-2026-9189's neighbour: the amount is ours, whatever was paid."""

    def inquire(self, charge: Charge) -> Answer:
        return replace(super().inquire(charge), amount=charge.amount)


class KnowsTheMerchantBetter(Sandbox):
    def inquire(self, charge: Charge) -> Answer:
        return replace(super().inquire(charge), merchant=self.merchant)


class BelievesAnySignature(Sandbox):
    def ring(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Ring:
        return replace(super().ring(headers, body, now), genuine=True)


class ForgetsTheTime(Sandbox):
    def ring(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Ring:
        stamp = headers.get("Sandbox-Timestamp") or headers.get("sandbox-timestamp") or "0"
        at = datetime.fromtimestamp(int(stamp), now.tzinfo) + timedelta(seconds=1)
        return super().ring(headers, body, at)


class HearsNothing(Sandbox):
    def ring(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Ring:
        return replace(super().ring(headers, body, now), genuine=False)


class GoesOnWhoeverTurnedBack(Sandbox):
    def returned(self, query: Mapping[str, str]) -> Returned:
        return replace(super().returned(query), failed="", cancelled=False)


class RefusesWhatItDoesNotKnow(Sandbox):
    """A 5xx or a word that nobody listed is a refusal."""

    def inquire(self, charge: Charge) -> Answer:
        answer = super().inquire(charge)
        return answer if answer.outcome is Outcome.PAID else replace(answer, outcome=Outcome.REFUSED)


PLANTED = {
    TimeoutMeansFailed: "unknown: timeout after",
    NeverReachedMeansFailed: "not reached",
    NotFoundMeansRefused: "unknown: hidden",
    VoidsWithoutAsking: "unknown: timeout before",
    NewKeyAfterAnError: "refund same key twice",
    RefundsAllOfIt: "refund part",
    KnowsTheAmountBetter: "wrong amount",
    KnowsTheMerchantBetter: "wrong merchant",
    BelievesAnySignature: "webhook forged",
    ForgetsTheTime: "webhook replayed",
    HearsNothing: "duplicate webhook",
    GoesOnWhoeverTurnedBack: "redirect",
    RefusesWhatItDoesNotKnow: "unknown: error before",
}


@pytest.fixture
def planted(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, db: None) -> Iterator[type[Sandbox]]:
    kind: type[Sandbox] = request.param
    monkeypatch.setitem(providers._CLASSES, "sandbox", f"{kind.__module__}.{kind.__name__}")
    yield kind
    providers.get.cache_clear()


@pytest.mark.parametrize("planted", PLANTED, indirect=True, ids=lambda kind: kind.__name__)
def test_a_known_mistake_of_peers_fails_its_row(planted: type[Sandbox]) -> None:
    row = next(one for one in ALL if one.name == PLANTED[planted])
    with bench("sandbox", inside=True) as house, pytest.raises(AssertionError):
        check(house, row)

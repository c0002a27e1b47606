"""Debits by file: `peers.clearing`, the clearing house, over whole cycles of days on the house's clock."""

import base64
import hashlib
from datetime import datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings

from doenda.kernel import clock, net, sweeps
from doenda.kernel.ids import inside, new_id
from doenda.payments.debit import (  # their sweeps register themselves
    answers,  # noqa: F401
    files,  # noqa: F401
    home,  # noqa: F401
    mandates,
    policy,
)
from doenda.payments.debit.models import DebitItem, Mandate
from doenda.sim import driver
from doenda.sim.line import Peer
from doenda.sim.places import stand

KEY = "clearing-key"
RICH, POOR = 10_000_000, 10
SEALING = [base64.urlsafe_b64encode(b"conformance".ljust(32, b".")).decode()]


class Driver(driver.Driver):
    name = "debit"
    method = ""
    debit_method = "debit"
    own_rows = True
    rings = False
    lacks: ClassVar = {
        "bells": "the clearing house does not ring: its answers are fetched",
        "redirect": "there is no page to go to: nobody has to do anything",
        "deposit": "nobody brings money: it is fetched by the mandate",
        "any amount": "a record is carried out whole or not at all",
        "refund part": "through the house a debit goes back whole",
        "wrong amount": "a result of another amount fits no record, and is parked for the desk: its own tests",
        "wrong merchant": "a result file of another institution is refused whole: its own tests",
        "paid twice over": "a debit that its cut-off has passed and another payment: the drill of parallel payments",
    }
    sweeps = ("debit files", "debit answers", "debits home")

    def open(self) -> Peer:
        self._until: datetime | None = None
        self._balance = RICH
        return self.place.peer("clearing", "peers.clearing.truth.Clearing")

    def config(self) -> dict[str, Any]:
        return {
            "url": self.peer.url,
            "key": KEY,
            "proofs": ["clearing-proof"],
            "institution": "9912345678",
            "branch": "0040000",
            "deposit": "1234567890",
        }

    def prepare(self) -> None:
        self._keys = getattr(settings, "DOENDA_SEALING_KEYS", None)
        settings.DOENDA_SEALING_KEYS = SEALING

    def tidy(self) -> None:
        settings.DOENDA_SEALING_KEYS = self._keys

    def moves_money(self, request: net.Request) -> bool:
        return request.method == "PUT" and "/v1/files/" in request.url

    def taken(self, order_id: str, ref: str) -> int:
        """What is missing on the payer's account, which nothing else touches."""
        item = DebitItem.objects.filter(attempt=inside(order_id), kind="debit").select_related("mandate").first()
        if item is None:
            return 0
        number = mandates.number_of(item.mandate)
        accounts = {one[1]: one[2] for one in self.peer.control("GET", "books")["accounts"]}
        return (POOR if accounts[number] <= POOR else RICH) - int(accounts[number])

    def will_refuse(self) -> None:
        self._balance = POOR

    def heal(self) -> None:
        super().heal()
        self._balance = RICH

    def mandate(self, account_id: UUID) -> UUID:
        """A mandate of an account at the house with, or without, enough on it; each cycle has a day of its own."""
        if self._until is not None and clock.now() < self._until:
            stand((self._until - clock.now()).total_seconds())
        number = str(new_id().int)[-12:]
        account = {"bank": "088", "number": number, "balance": self._balance}
        self.peer.control("POST", "accounts", {"accounts": [account]})
        proof = hashlib.sha256(b"the signed form").hexdigest()
        consent = mandates.Consent("signature", "debit-ko-1", clock.now(), "conformance", proof)
        source = mandates.Source("bank", "cms", number, "김표본", "088", "800101")
        made: Mandate = mandates.request(account_id, source, consent)
        return mandates.activate(made.pk).pk

    def file_out(self, order_id: str) -> None:
        self._file(DebitItem.objects.get(attempt=inside(order_id), kind="debit"))

    def settle_debit(self, order_id: str) -> None:
        self._cycle(DebitItem.objects.get(attempt=inside(order_id), kind="debit"))

    def hand_out(self, order_id: str) -> None:
        """A refund is a record of the next file."""
        self._cycle(DebitItem.objects.get(attempt=inside(order_id), kind="refund"))

    def _file(self, item: DebitItem) -> None:
        self._to(policy.of_scheme(item.scheme, item.day).cut_off_at(item.day) + timedelta(minutes=1))
        for name in ("debit files", "outbox"):
            sweeps.run(name)

    def _cycle(self, item: DebitItem) -> None:
        """The file goes out at its cut-off, the house clears it, and at their hour its answers come home."""
        self._file(item)
        self.peer.control("POST", "clear", {"day": "9999-12-31"})
        self._to(policy.of_scheme(item.scheme, item.day).results_due(item.day) + timedelta(minutes=5))
        self._home()

    def _home(self) -> None:
        for name in ("debit answers", "debits home"):
            sweeps.run(name)
        self._until = clock.now() + timedelta(hours=1)

    def _to(self, instant: datetime) -> None:
        if instant > clock.now():
            stand((instant - clock.now()).total_seconds())

    def undo(self, order_id: str, ref: str) -> None:
        """Days later the payer's bank takes it back."""
        item = DebitItem.objects.select_related("file").get(attempt=inside(order_id), kind="debit")
        stand(3 * 86_400)
        assert item.file is not None
        returned = {"file": item.file.name, "serial": item.serial}
        self.peer.control("POST", "returns", {"day": f"{clock.today():%Y-%m-%d}", "returns": [returned]})
        self._home()

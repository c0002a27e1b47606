"""PortOne's webhooks (2024-04-25, Standard Webhooks): checked here, believed nowhere."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from doenda.payments.providers.contract import Ring
from doenda.payments.providers.portone.codes import SAYS

TOLERANCE = timedelta(minutes=5)


class Bell:
    """A store's doorbell; up to two secrets are alive at a time. Raises ValueError for one that is not base64."""

    def __init__(self, secrets: Sequence[str], store: str) -> None:
        try:
            self._keys = [base64.b64decode(one.removeprefix("whsec_"), validate=True) for one in secrets]
        except ValueError:
            raise ValueError("portone: a webhook secret is not whsec_ and base64") from None
        if not all(self._keys):
            raise ValueError("portone: a webhook secret is empty")  # anybody could sign with that
        self._store = store

    def read(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Ring:
        """Genuine: signed over id, time and raw body by a live secret, within five minutes of now.

        A genuine one that is not about a payment of our store (billing keys, another store behind the same address) is
        heard and names no order: there is nothing to ask.
        """
        lower = {name.lower(): value for name, value in headers.items()}
        ident, stamp = lower.get("webhook-id", "")[:80], lower.get("webhook-timestamp", "")[:20]
        try:
            said = json.loads(body)
            kind, data = str(said["type"]), said["data"]
            store, order_id = str(data.get("storeId", "")), str(data.get("paymentId", ""))[:64]
            fresh = abs(now.timestamp() - int(stamp)) <= TOLERANCE.total_seconds()
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return Ring(ident, "", genuine=False)
        genuine = fresh and bool(ident) and self._signed(lower, f"{ident}.{stamp}.".encode() + body)
        if genuine and (store != self._store or not kind.startswith("Transaction.")):
            return Ring(ident, "", genuine=True)
        return Ring(ident, order_id, genuine=genuine, says=SAYS.get(kind))

    def _signed(self, headers: Mapping[str, str], content: bytes) -> bool:
        given = [one.partition(",") for one in headers.get("webhook-signature", "")[:2000].split(" ")]
        found = [text.encode() for version, _, text in given if version == "v1"]
        right = [base64.b64encode(hmac.digest(key, content, hashlib.sha256)) for key in self._keys]
        return any(hmac.compare_digest(one, each) for one in found for each in right)

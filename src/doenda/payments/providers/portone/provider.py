"""PortOne V2 as a provider. Our order id is its paymentId, so every question can be asked by our own id."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlsplit

from doenda.payments.providers.contract import (
    Answer,
    BackTo,
    Charge,
    Feed,
    Moves,
    Outcome,
    Provider,
    Returned,
    Ring,
    Script,
)
from doenda.payments.providers.portone import codes, reading
from doenda.payments.providers.portone.bell import Bell
from doenda.payments.providers.portone.reading import Unreadable
from doenda.payments.providers.portone.wire import Said, Wire, code_of, payment_path

ASK_SECONDS = 4.0
VALID_HOURS = 168  # of an account whose deposit has no last moment of its own
USUAL_BANK = "088"
PAGE = 200


class PortOne(Provider):
    """Config: url, secrets (newest first), webhook_secrets, store, channel_keys by method, sdk (the script's address);
    and if wanted: confirm_seconds, origins (all that the script may reach), deposit_bank, page (lines of a feed).

    `start` of a deposit and `refund` make two calls where one cannot do: an account's number, and what became of an
    earlier cancellation, are told only by the payment itself.
    The card and transfer channels must be set to manual approval at PortOne: only then does money wait for `confirm`.
    """

    name: ClassVar[str] = "portone"
    methods: ClassVar[Mapping[str, Moves]] = {
        "card": Moves.AT_CONFIRM,
        "transfer": Moves.AT_CONFIRM,
        "deposit": Moves.AT_DEPOSIT,
    }
    source_unknown: ClassVar = frozenset({"deposit"})
    listens_every: ClassVar[timedelta] = timedelta(hours=6)
    scripted: ClassVar = frozenset({"card", "transfer"})
    returns_amount: ClassVar[bool] = False
    longest: ClassVar[timedelta] = timedelta(minutes=10)

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.merchant: str = config["store"]
        self._wire = Wire(config["url"], self.merchant, config["secrets"])
        self._bell = Bell(config["webhook_secrets"], self.merchant)
        self._channels: Mapping[str, str] = config["channel_keys"]
        # PortOne asks for a read timeout of 60 s, and closing the line does not stop a payment. A customer does not
        # wait that long: after these seconds the charge is UNKNOWN, and PortOne is asked what became of it.
        self._seconds = float(config.get("confirm_seconds", 6.0))
        self._bank = str(config.get("deposit_bank", USUAL_BANK))
        self._page = int(config.get("page", PAGE))
        sdk = urlsplit(config["sdk"])
        origins = tuple(config.get("origins") or (f"{sdk.scheme}://{sdk.netloc}",))
        self.script = Script(launcher="portone", src=config["sdk"], origins=origins)

    def start(self, charge: Charge) -> Answer:
        """Pin the amount before a browser can name another one; or have an account issued, which needs no browser."""
        channel = self._channels.get(charge.method)
        if not channel:
            return Answer(Outcome.OUR_FAULT, "NO_CHANNEL")
        if charge.method == "deposit":
            return self._issue(charge, channel)
        body = {"totalAmount": charge.amount, "currency": charge.currency}
        said = self._post(charge, "/pre-register", body, key=f"start-{charge.order_id}")
        if not said.done:
            return Answer(Outcome.OUR_FAULT, said.words)
        client = {
            "storeId": self.merchant,
            "channelKey": channel,
            "paymentId": charge.order_id,
            "orderName": charge.name,
            "totalAmount": str(charge.amount),
            "currency": f"CURRENCY_{charge.currency}",
            "payMethod": codes.PAY_METHODS[charge.method],
            "redirectUrl": charge.return_url,
            "forceRedirect": "true",
            "locale": codes.LOCALES.get(charge.lang, "EN_US"),
        }
        return Answer(Outcome.NEEDS_REDIRECT, "READY", charge.order_id, order_id=charge.order_id, client=client)

    def _issue(self, charge: Charge, channel: str) -> Answer:
        """An account that was issued without our seeing its number is nobody's: no one can pay into it."""
        bank = codes.bank_name(charge.bank or self._bank)
        if not bank:
            return Answer(Outcome.OUR_FAULT, "BANK_NOT_LISTED")
        expiry = {"dueDate": charge.until.isoformat()} if charge.until else {"validHours": VALID_HOURS}
        account: dict[str, Any] = {"bank": bank, "expiry": expiry, "option": {"type": "NORMAL"}}
        body: dict[str, Any] = {
            "channelKey": channel,
            "method": {"virtualAccount": account},
            "orderName": charge.name,
            "amount": {"total": charge.amount},
            "currency": charge.currency,
        }
        if charge.payer:
            account["remitteeName"] = charge.payer
        said = self._post(charge, "/instant", body, key=f"start-{charge.order_id}", timeout=self._seconds)
        if not said.done:
            return Answer(Outcome.OUR_FAULT, said.words)
        issued = self._look(charge)
        if issued.outcome is Outcome.NEEDS_DEPOSIT and issued.amount == charge.amount:
            return issued
        return Answer(Outcome.OUR_FAULT, "ACCOUNT_NOT_SEEN")

    def returned(self, query: Mapping[str, str]) -> Returned:
        """No amount comes back: `confirm` sends ours to be checked, and the inquiry compares again."""
        payment_id = str(query.get("paymentId", ""))[:64]
        failed = code_of(query.get("pgCode")) or code_of(query.get("code"))
        if not failed and ("code" in query or "pgCode" in query):
            failed = "FAILED"
        cancelled = not codes.CANCELLED_BY_PAYER.isdisjoint({query.get("pgCode", ""), query.get("code", "")})
        token = "" if failed else str(query.get("paymentToken", ""))[:500]
        return Returned(payment_id, payment_id, "", token, failed, cancelled)

    def confirm(self, charge: Charge, *, first_try: bool) -> Answer:
        """With the amount and the currency, which PortOne compares before any money moves: success means they match.

        Without a token the payer has not approved (or the channel takes the money by itself): then it is only asked.
        """
        if not charge.token:
            return self._look(charge)
        body = {"paymentToken": charge.token, "totalAmount": charge.amount, "currency": charge.currency}
        key = f"confirm-{charge.order_id}"
        said = self._post(charge, "/confirm", body, key=key, timeout=self._seconds)
        if not said.done:
            return Answer(said.outcome(codes.CODES, certain=first_try), said.words)
        summary = said.document.get("payment", said.document)
        if not isinstance(summary, Mapping) or not summary.get("paidAt"):
            return Answer(Outcome.UNKNOWN, "HTTP_200")
        return Answer(
            Outcome.PAID,
            "PAID",
            ref=charge.order_id,
            order_id=charge.order_id,
            amount=charge.amount,
            currency=charge.currency,
            merchant=self.merchant,
        )

    def inquire(self, charge: Charge) -> Answer:
        """A question that fails says nothing of the money, whatever was wrong with it."""
        return self._look(charge)

    def void(self, charge: Charge) -> Answer:
        """Close the account; what became of one that no longer waits is asked. For card and transfer PortOne knows no
        void before the money is taken: the payment is looked at, and one that is not there or not confirmed is
        NOT_FOUND, which counts only after the longest time."""
        if charge.method != "deposit":
            return self._look(charge)
        said = self._wire.post(payment_path(charge.order_id, "/virtual-account/close"), {}, timeout=self._seconds)
        if said.done:
            return Answer(Outcome.GIVEN_BACK, "CLOSED", charge.order_id, order_id=charge.order_id)
        if said.code == "PAYMENT_NOT_WAITING_FOR_DEPOSIT":
            return self._look(charge)
        return Answer(said.outcome(codes.CLOSE_CODES, certain=False), said.words)

    def refund(self, charge: Charge, *, amount: int, key: str, reason: str, back_to: BackTo | None = None) -> Answer:
        """Look first, then cancel. PortOne forgets a key after three hours, and answers a kept one with what was true
        then; so the cancellation carries the key's mark, and is only asked for if none with that mark is there and the
        balance is still what was just seen. REQUESTED is UNKNOWN: the same call again learns how it ended."""
        if charge.method == "deposit" and (back_to is None or not codes.bank_name(back_to.bank)):
            return Answer(Outcome.REFUSED, "REFUND_ACCOUNT_NEEDED")
        seen = self._wire.get(payment_path(charge.order_id), timeout=ASK_SECONDS)
        if not seen.done:
            return Answer(Outcome.UNKNOWN, seen.words)
        try:
            if earlier := reading.earlier(seen.document, key):
                return earlier
            cancellable = reading.cancellable(seen.document)
        except Unreadable:
            return Answer(Outcome.UNKNOWN, "UNREADABLE")
        body: dict[str, Any] = {
            "reason": f"{reason[:80]} {reading.mark(key)}",
            "amount": amount,
            "currentCancellableAmount": cancellable,
        }
        if charge.method == "deposit" and back_to is not None:
            account = {"bank": codes.bank_name(back_to.bank), "number": back_to.number, "holderName": back_to.holder}
            body["refundAccount"] = account
        # The key names the balance, because the body does: another body under one key is forbidden. Two of these keys
        # cannot both succeed, since the first to succeed changes the balance.
        said = self._post(charge, "/cancel", body, key=f"{key}-{cancellable}", timeout=self._seconds)
        if not said.done:
            return Answer(said.outcome(codes.CANCEL_CODES, certain=True), said.words)
        return reading.cancellation(said.document.get("cancellation") or {})

    def ring(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Ring:
        """See `Bell`."""
        return self._bell.read(headers, body, now)

    def transactions(self, since: datetime, until: datetime, cursor: str = "") -> Feed:
        """What moved, by the time of the event. One line that cannot be read fails the page: none may be lost."""
        asked = {"from": since.isoformat(), "until": until.isoformat(), "size": self._page}
        if cursor:
            asked["cursor"] = cursor
        said = self._wire.get("/payment-events-by-cursor", timeout=30.0, asked=asked)
        if not said.done:
            return Feed((), code=said.words)
        try:
            items = said.document["items"]
            lines = tuple(reading.event(one["paymentEvent"]) for one in items)
            after = str(items[-1]["cursor"]) if len(items) >= self._page else ""
        except (KeyError, TypeError, Unreadable):
            return Feed((), code="UNREADABLE")
        return Feed(lines, cursor=after)

    def _look(self, charge: Charge) -> Answer:
        said = self._wire.get(payment_path(charge.order_id), timeout=ASK_SECONDS)
        if not said.done:
            gone = said.code == "PAYMENT_NOT_FOUND" and said.status == 404
            return Answer(Outcome.NOT_FOUND if gone else Outcome.UNKNOWN, said.words)
        try:
            return reading.payment(said.document)
        except Unreadable:
            return Answer(Outcome.UNKNOWN, "UNREADABLE")

    def _post(
        self, charge: Charge, act: str, body: Mapping[str, Any], *, key: str, timeout: float = ASK_SECONDS
    ) -> Said:
        return self._wire.post(payment_path(charge.order_id, act), body, timeout=timeout, key=key)

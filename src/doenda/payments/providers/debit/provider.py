"""Debits by file as a provider: it answers from our own rows; what they say comes from the clearing house's files."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Sum

from doenda.kernel import clock
from doenda.kernel.db import atomic
from doenda.kernel.ids import inside, new_id, outside
from doenda.payments.debit import policy, tries
from doenda.payments.debit.models import DebitItem, Mandate
from doenda.payments.models import Attempt, AttemptBill
from doenda.payments.moves import locked
from doenda.payments.providers.contract import Answer, BackTo, Charge, Feed, Moves, Outcome, Provider, Ring
from doenda.payments.providers.debit.codes import WORDS
from doenda.payments.states import IN_FLIGHT, State

S = DebitItem.State


class Debit(Provider):
    """Money moves by instruction: INSTRUCTED until the result file has come, a day or more later."""

    name = "debit"
    methods: ClassVar = {"debit": Moves.AT_INSTRUCTION}
    longest = timedelta(days=5)
    refund_within = timedelta(days=5)
    takes_part_back = True
    refunds_later = True

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.merchant: str = config["institution"]
        self._sepa = "sepa" in config

    def start(self, charge: Charge) -> Answer:
        """Put the debit of the account's mandate on the next day whose cut-off is ahead; no network is needed."""
        with atomic():
            account, attempt = locked(inside(charge.order_id))
            item = _item(attempt.id)
            if item is not None:
                return self._answer(item, attempt)
            mandate = _mandate(account.pk, charge.mandate)
            refused = _why_not(attempt, mandate)
            if not refused and tries.next_days([attempt.pk])[attempt.pk] is None:
                refused = "TRIES_USED_UP"
            if refused or mandate is None:
                return Answer(Outcome.REFUSED, refused)
            terms = policy.of_scheme(mandate.scheme, clock.today())
            served = mandate.scheme != "sepa" or self._sepa
            if not served or attempt.currency != terms.currency or attempt.amount > terms.largest:
                return Answer(Outcome.REFUSED, "NOT_BY_DEBIT")
            item = DebitItem(
                id=new_id(),
                attempt=attempt,
                account=account,
                mandate=mandate,
                scheme=mandate.scheme,
                day=terms.open_day(clock.now()),
                amount=attempt.amount,
            )
            item.insert()
            Attempt.objects.filter(pk=attempt.pk).update(mandate_id=mandate.pk)
            return self._answer(item, attempt)

    def inquire(self, charge: Charge) -> Answer:
        """What the rows say. A debit that was never put on a day is NOT_FOUND."""
        attempt = Attempt.objects.get(pk=inside(charge.order_id))
        item = _item(attempt.id)
        return Answer(Outcome.NOT_FOUND, "NO_DEBIT") if item is None else self._answer(item, attempt)

    def void(self, charge: Charge) -> Answer:
        """Recall the debit before its cut-off. PENDING "TOO_LATE" once its file is built: then the result decides."""
        with atomic():
            _, attempt = locked(inside(charge.order_id))
            item = _item(attempt.id, lock=True)
            if item is None:
                return Answer(Outcome.GIVEN_BACK, "NO_DEBIT")
            if item.state == S.WAITING:
                item.state, item.code, item.result_at = S.RECALLED, "RECALLED", clock.now()
                item.save(update_fields=["state", "code", "result_at"])
            answer = self._answer(item, attempt)
        return Answer(Outcome.PENDING, "TOO_LATE") if answer.outcome is Outcome.INSTRUCTED else answer

    def refund(self, charge: Charge, *, amount: int, key: str, reason: str, back_to: BackTo | None = None) -> Answer:
        """Put a refund record into the next file; PENDING until its result has come. The same key is the same record.

        Our own record (see formats/cms_table.py); SEPA has none: there a person sends a transfer.
        """
        if back_to is not None:
            return Answer(Outcome.REFUSED, "ONLY_TO_ITS_SOURCE")
        with atomic():
            account, attempt = locked(inside(charge.order_id))
            known = DebitItem.objects.filter(kind="refund", key=key).select_for_update().first()
            if known is not None:
                return _refund_answer(known)
            item = _item(attempt.id, lock=True)
            if item is None or item.state != S.PAID:
                return Answer(Outcome.REFUSED, "NOT_PAID")
            if item.scheme != "cms":
                return Answer(Outcome.REFUSED, "NO_REFUND_RECORD")
            if not 0 < amount <= item.amount - _on_its_way_back(attempt.id):
                return Answer(Outcome.REFUSED, "MORE_THAN_TAKEN")
            back = DebitItem(
                kind="refund",
                key=key,
                attempt=attempt,
                account=account,
                mandate_id=item.mandate_id,
                scheme=item.scheme,
                day=policy.of_scheme(item.scheme, clock.today()).open_day(clock.now()),
                amount=amount,
            )
            back.insert()
            return _refund_answer(back)

    def ring(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Ring:
        """The clearing house does not ring: its answers are fetched."""
        return Ring("", "", genuine=False)

    def transactions(self, since: datetime, until: datetime, cursor: str = "") -> Feed:
        from doenda.payments.debit import feed

        return feed.page(since, until, cursor)

    def _answer(self, item: DebitItem, attempt: Attempt) -> Answer:
        due = policy.of_scheme(item.scheme, item.day).results_due(item.day)
        ref = outside(item.pk)
        if item.state in (S.WAITING, S.FILED):
            return Answer(Outcome.INSTRUCTED, "INSTRUCTED", ref, order_id=outside(attempt.id), due_at=due)
        if item.state == S.RECALLED:
            return Answer(Outcome.GIVEN_BACK, item.code, ref)
        outcome = WORDS[item.code].outcome if item.code in WORDS else Outcome.UNKNOWN
        if outcome is not Outcome.PAID:
            return Answer(outcome, item.code, ref, order_id=outside(attempt.id))
        return Answer(
            Outcome.PAID,
            item.code,
            ref,
            order_id=outside(attempt.id),
            amount=item.amount,
            currency=attempt.currency,
            merchant=self.merchant,
            given_back=_given_back(attempt.id),
            at=item.created_at,  # a proof counts from the instruction
        )


def _item(attempt_id: UUID, *, lock: bool = False) -> DebitItem | None:
    rows = DebitItem.objects.filter(attempt=attempt_id, kind="debit")
    return (rows.select_for_update() if lock else rows).first()


def _mandate(account_id: UUID, wanted: str) -> Mandate | None:
    """The mandate that was named, else the account's; only one that is active and the account's own."""
    found = Mandate.objects.filter(account_id=account_id, state=Mandate.State.ACTIVE)
    return (found.filter(pk=wanted) if wanted else found).first()


def _why_not(attempt: Attempt, mandate: Mandate | None) -> str:
    """Why this attempt cannot be a debit, or ""."""
    if mandate is None:
        return "NO_MANDATE"
    if mandate.kind != Mandate.Kind.BANK:
        return "CARD_MANDATE"
    bills = AttemptBill.objects.filter(attempt=attempt).values("bill")
    busy = sorted(IN_FLIGHT | {State.INSTRUCTED})
    others = AttemptBill.objects.filter(bill__in=bills, attempt__state__in=busy).exclude(attempt=attempt)
    return "ALREADY_INSTRUCTED" if others.exists() else ""


def _on_its_way_back(attempt_id: UUID) -> int:
    rows = DebitItem.objects.filter(attempt=attempt_id, kind="refund").exclude(state__in=[S.RECALLED, S.REFUSED])
    return rows.aggregate(sum=Sum("amount"))["sum"] or 0


def _given_back(attempt_id: UUID) -> int:
    rows = DebitItem.objects.filter(attempt=attempt_id, kind="refund", state=S.PAID)
    return rows.aggregate(sum=Sum("amount"))["sum"] or 0


def _refund_answer(item: DebitItem) -> Answer:
    ref = outside(item.pk)
    if item.state == S.PAID:
        return Answer(Outcome.GIVEN_BACK, item.code, ref)
    if item.state in (S.REFUSED, S.RECALLED):
        return Answer(Outcome.REFUSED, item.code, ref)
    return Answer(Outcome.PENDING, str(item.state).upper(), ref)

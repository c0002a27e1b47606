"""A mandate's life: asked for with its proof of consent, active, ended. One active mandate an account.

A registration file (in the manner of EB13/EB14) is the carrier's choice: `activate` is called when the house has
registered the mandate, or at once where the carrier's contract lets it register by the first debit.
"""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from doenda.billing import accounts
from doenda.kernel import clock, facts
from doenda.kernel.db import atomic
from doenda.kernel.ids import new_id, outside
from doenda.kernel.sealing import open_sealed, reseal, seal, under_newest
from doenda.payments.debit.formats.sepa import iban_fits
from doenda.payments.debit.models import DebitItem, Mandate


class NotAMandate(ValueError):
    """What was given cannot be a mandate; the message names the field, never its value."""


@dataclass(frozen=True, slots=True)
class Consent:
    """Proof that the payer agreed: how, to which text, when, who was there, and the digest of the stored proof."""

    how: str
    text: str
    at: datetime
    visitor: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Source:
    """What is debited. `number` is an account number, an IBAN, or a billing key; it never shows in a repr."""

    kind: str
    scheme: str
    number: str = field(repr=False)
    holder: str = ""
    bank: str = ""
    check: str = field(default="", repr=False)
    shown: str = ""
    """The last two digits to display where `number` is a billing key."""


def request(account_id: UUID, source: Source, consent: Consent) -> Mandate:
    """A new mandate, not active yet. Raises NotAMandate."""
    _check(source, consent)
    ident = new_id()
    with atomic():
        account = accounts.lock(account_id)
        mandate = Mandate(
            id=ident,
            account=account,
            kind=source.kind,
            scheme=source.scheme,
            payer=outside(ident)[-20:],
            bank=source.bank,
            sealed_number=seal(source.number.encode()),
            last_two=(source.shown or source.number)[-2:],
            holder=source.holder,
            sealed_check=seal(source.check.encode()) if source.check else b"",
            consent=consent.how,
            consent_text=consent.text,
            consent_at=consent.at,
            consent_visitor=consent.visitor,
            consent_sha256=consent.sha256,
        )
        mandate.save(force_insert=True)
    return mandate


def _check(source: Source, consent: Consent) -> None:
    digits = {"cms": source.number.isascii() and source.number.isdigit() and 6 <= len(source.number) <= 16}
    letters = {"sepa": iban_fits(source.number)}
    wanted = {
        "kind": (source.kind, source.scheme) in {("bank", "cms"), ("bank", "sepa"), ("card", "toss")},
        "number": (digits | letters | {"toss": 0 < len(source.number) <= 200}).get(source.scheme, False),
        "shown": source.scheme != "toss" or len(source.shown) == 2,
        "bank": source.scheme != "cms" or (len(source.bank) == 3 and source.bank.isdigit()),
        "check": len(source.check) <= 13 and source.check.isascii(),
        "holder": 0 < len(source.holder) <= 70,
        "consent": consent.how in Mandate.Consent.values and bool(consent.text) and bool(consent.visitor),
        "consent.sha256": len(consent.sha256) == 64 and not set(consent.sha256) - set("0123456789abcdef"),
    }
    for name, ok in wanted.items():
        if not ok:
            raise NotAMandate(f"{name}: missing or not possible")


def activate(mandate_id: UUID) -> Mandate:
    """The mandate holds from now on; one that held before ends. Raises NotAMandate for one that has ended."""
    with atomic():
        mandate = _locked(mandate_id)
        if mandate.state == Mandate.State.ACTIVE:
            return mandate
        if mandate.state != Mandate.State.REQUESTED:
            raise NotAMandate("state: this mandate has ended")
        for other in Mandate.objects.filter(account=mandate.account_id, state=Mandate.State.ACTIVE):
            _end(other, Mandate.State.CANCELLED, "replaced")
        mandate.state, mandate.active_at = Mandate.State.ACTIVE, clock.now()
        mandate.save(update_fields=["state", "active_at"])
        _tell(mandate)
    return mandate


def refuse(mandate_id: UUID, reason: str) -> Mandate:
    """The payer's bank does not know the payer, or not this consent."""
    with atomic():
        mandate = _locked(mandate_id)
        if mandate.state == Mandate.State.REQUESTED:
            _end(mandate, Mandate.State.REFUSED, reason)
    return mandate


def cancel(mandate_id: UUID, reason: str) -> Mandate:
    """Nothing is instructed under it any more; what waits for a file is recalled by the next sweep. Always possible."""
    with atomic():
        mandate = _locked(mandate_id)
        if mandate.ended_at is None:
            _end(mandate, Mandate.State.CANCELLED, reason)
    return mandate


def end_locked(mandate_id: UUID, reason: str) -> None:
    """The payer's bank says that no debit can succeed any more. In the caller's transaction, the account locked."""
    mandate = Mandate.objects.select_for_update().get(pk=mandate_id)
    if mandate.ended_at is None:
        _end(mandate, Mandate.State.CANCELLED, reason)


def _locked(mandate_id: UUID) -> Mandate:
    accounts.lock(Mandate.objects.values_list("account_id", flat=True).get(pk=mandate_id))
    return Mandate.objects.select_for_update().get(pk=mandate_id)


def _end(mandate: Mandate, state: Mandate.State, reason: str) -> None:
    """In the caller's transaction, with the account locked."""
    now = clock.now()
    mandate.state, mandate.ended_at, mandate.reason = state, now, reason[:80]
    mandate.save(update_fields=["state", "ended_at", "reason"])
    waiting = DebitItem.objects.filter(mandate=mandate, state=DebitItem.State.WAITING, kind="debit")
    waiting.update(state=DebitItem.State.RECALLED, code="MANDATE_ENDED", result_at=now)
    _tell(mandate)


def _tell(mandate: Mandate) -> None:
    told = {"mandate": str(mandate.pk), "state": str(mandate.state), "kind": mandate.kind, "reason": mandate.reason}
    facts.record("payments.mandate_changed", mandate.account_id, told | {"last_two": mandate.last_two})


def active(account_id: UUID) -> Mandate | None:
    """The account's mandate that holds now."""
    return Mandate.objects.filter(account_id=account_id, state=Mandate.State.ACTIVE).first()


def number_of(mandate: Mandate) -> str:
    """The account number, IBAN or billing key, opened: only for what leaves the house. Raises CannotOpen."""
    return open_sealed(mandate.sealed_number).decode()


def check_of(mandate: Mandate) -> str:
    """The check field, opened. Raises CannotOpen."""
    return open_sealed(mandate.sealed_check).decode() if mandate.sealed_check else ""


def rotate(limit: int = 1000) -> int:
    """Seal again under the newest key, `limit` mandates at a time from the oldest; returns how many were rewritten.

    Run it after a new key was put first; the old one may go once it returns 0 for mandates and for files alike.
    """
    done = 0
    for mandate in Mandate.objects.order_by("pk").iterator(chunk_size=1000):
        if done == limit:
            break
        if under_newest(mandate.sealed_number) and (not mandate.sealed_check or under_newest(mandate.sealed_check)):
            continue
        check = reseal(mandate.sealed_check) if mandate.sealed_check else b""
        with atomic():
            Mandate.objects.filter(pk=mandate.pk).update(
                sealed_number=reseal(mandate.sealed_number), sealed_check=check
            )
        done += 1
    return done

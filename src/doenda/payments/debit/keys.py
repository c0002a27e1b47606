"""Kept cards' keys: an attempt's row holds the mandate's id, `opened` puts the key in its place for one request."""

from dataclasses import replace
from uuid import UUID

from doenda.payments.debit import mandates
from doenda.payments.debit.models import Mandate
from doenda.payments.providers.contract import Charge

METHOD = "billing"


def opened(asked: Charge) -> Charge:
    """The charge as the provider of a kept card needs it: `mandate` is the billing key. Others are left as they are.

    A mandate that has ended since gives no key: the provider then refuses the charge. Raises CannotOpen.
    """
    try:
        ident = UUID(asked.mandate)
    except ValueError:
        return asked  # opened already, or nothing to open
    if asked.method != METHOD:
        return asked
    mandate = Mandate.objects.filter(pk=ident, kind=Mandate.Kind.CARD, state=Mandate.State.ACTIVE).first()
    return replace(asked, mandate=mandates.number_of(mandate) if mandate else "")

"""The text to which a customer agrees before anything may be debited, as it is shown and as it is proven."""

from django.conf import settings

from doenda.kernel import texts


def shown(lang: str) -> str:
    """The whole text of the present version (`journey_pay.CONSENT`), in that language."""
    return texts.say("pay-mandate-consent", lang, carrier=settings.DOENDA_CARRIER[lang])

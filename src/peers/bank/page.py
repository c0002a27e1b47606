"""The bank's own page, where the customer approves."""

from peers import page
from peers.bank.moves import way_back
from peers.bank.state import CANCELED, DONE, IN_PROGRESS, PARTIAL_CANCELED, READY, Payment
from peers.http import Response
from peers.page import amount_words, language

__all__ = ["amount_words", "language", "show", "trouble"]

_OURS = {
    "ko": {
        "bank": "샌드박스은행",
        "note": "시험용 은행 · 실제 돈은 움직이지 않아요",
        "503": "은행 결제창에 장애가 있어요. 돈은 빠져나가지 않았어요. 가맹점으로 돌아가 다른 방법으로 결제해 주세요.",
    },
    "en": {
        "bank": "Sandbox Bank",
        "note": "A bank for trials · no real money moves",
        "503": "The bank's payment page has a fault. No money was taken. Go back to the merchant and pay another way.",
    },
}
WORDS = page.with_own(_OURS)


def show(payment: Payment, lang: str) -> Response:
    """The page as the payment's status asks for it."""
    rows = (
        ("order", payment.order_name),
        ("merchant", payment.merchant),
        ("method", WORDS[lang][payment.method]),
        ("number", payment.order_id),
    )
    amount = amount_words(payment.amount, payment.currency)
    return page.show(WORDS, lang, rows, amount, _doors(payment, lang), f"?lang={'en' if lang == 'ko' else 'ko'}")


def _doors(payment: Payment, lang: str) -> str:
    if payment.status not in (READY, IN_PROGRESS) or payment.hidden_until is not None:
        approved = payment.status in (IN_PROGRESS, DONE, PARTIAL_CANCELED, CANCELED)
        return page.over(WORDS, lang, way_back(payment), approved=approved)
    action = f"/pay/{payment.payment_key}?lang={lang}"
    return page.form(WORDS, lang, action, approved=payment.status == IN_PROGRESS)


def trouble(status: int, lang: str) -> Response:
    """A page that says what is wrong, and that no money moved by it."""
    return page.trouble(WORDS, status, lang)

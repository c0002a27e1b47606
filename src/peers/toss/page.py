"""Toss's hosted page, where the customer approves: plain HTML, one form, two buttons, no script and no cookie."""

from html import escape

from peers.bank.page import STYLE, amount_words
from peers.bank.page import WORDS as BANK_WORDS
from peers.bank.page import language as bank_language
from peers.http import Request, Response
from peers.toss.moves import way_back
from peers.toss.state import CANCELED, DONE, IN_PROGRESS, PARTIAL_CANCELED, READY, Payment

_OURS = {
    "ko": {
        "bank": "토스페이먼츠 시험 결제창",
        "note": "시험용 결제창 · 실제 돈은 움직이지 않아요",
        "503": "결제창에 장애가 있어요. 돈은 빠져나가지 않았어요. 가맹점으로 돌아가 다른 방법으로 결제해 주세요.",
    },
    "en": {
        "bank": "Toss Payments trial checkout",
        "note": "A checkout for trials · no real money moves",
        "503": "The checkout has a fault. No money was taken. Go back to the merchant and pay another way.",
    },
}
language = bank_language
WORDS = {lang: BANK_WORDS[lang] | _OURS[lang] for lang in _OURS}


def show(payment: Payment, request: Request, lang: str) -> Response:
    """The page as the payment's status asks for it."""
    words = WORDS[lang]
    rows = (
        ("order", payment.order_name),
        ("merchant", payment.merchant),
        ("method", words[payment.method]),
        ("number", payment.order_id),
    )
    listed = "".join(f"<div><dt>{words[name]}</dt> <dd>{escape(value)}</dd></div>" for name, value in rows)
    other = "en" if lang == "ko" else "ko"
    return _page(
        200,
        lang,
        words["title"],
        f"""<section><p class="label">{words["amount"]}</p>
<p class="sum">{amount_words(payment.amount, payment.currency)}</p>
<dl>{listed}</dl></section>
{_doors(payment, lang)}
<p class="lang"><a href="?lang={other}" lang="{other}" hreflang="{other}">{words["other"]}</a></p>""",
    )


def _doors(payment: Payment, lang: str) -> str:
    words = WORDS[lang]
    if payment.status not in (READY, IN_PROGRESS) or payment.hidden_until is not None:
        yes = payment.status in (IN_PROGRESS, DONE, PARTIAL_CANCELED, CANCELED)
        said = words["approved" if yes else "over"]
        return f'<p>{said}</p>\n<a class="back" href="{escape(way_back(payment))}">{words["back"]}</a>'
    said = f"<p>{words['approved']}</p>\n" if payment.status == IN_PROGRESS else ""
    return f"""{said}<form method="post" action="/checkout/{escape(payment.key)}?lang={lang}">
<button class="go" type="submit" name="decision" value="approve">승인 Approve</button>
<button class="no" type="submit" name="decision" value="cancel">취소 Cancel</button>
</form>
<p class="hint">{words["hint"]}</p>"""


def trouble(status: int, lang: str) -> Response:
    """A page that says what is wrong, and that no money moved by it."""
    words = WORDS[lang]
    return _page(status, lang, words["trouble"], f"<section><p>{words[str(status)]}</p></section>")


def _page(status: int, lang: str, title: str, inside: str) -> Response:
    words = WORDS[lang]
    text = f"""<!doctype html>
<html lang="{lang}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} - {words["bank"]}</title><style>{STYLE}</style></head>
<body><header><div><strong>{words["bank"]}</strong> <small>{words["note"]}</small></div></header>
<main><h1>{title}</h1>
{inside}
</main></body></html>
"""
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Cache-Control": "no-store",
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
        "Referrer-Policy": "no-referrer",
    }
    return Response(status, headers, text.encode())

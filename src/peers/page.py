"""What the fakes' payment pages share: plain HTML, one form, two buttons, no script and no cookie.

A peer brings its own words (`bank`, `note`, `503`, ...) and says where its form posts and what its status means.
"""

from collections.abc import Mapping, Sequence
from html import escape

from peers.http import Request, Response

type Words = Mapping[str, Mapping[str, str]]

EXPONENTS = {"KRW": 0, "JPY": 0, "VND": 0, "CLP": 0, "ISK": 0, "KWD": 3, "BHD": 3, "JOD": 3, "OMR": 3, "TND": 3}

_COMMON = {
    "ko": {
        "title": "결제 승인",
        "amount": "결제 금액",
        "order": "결제 내용",
        "merchant": "받는 곳",
        "method": "결제 방법",
        "number": "주문 번호",
        "card": "신용·체크카드",
        "transfer": "계좌이체",
        "hint": "승인하시면 가맹점으로 돌아가서 결제가 끝나요. 취소하시면 돈이 빠져나가지 않아요.",
        "approved": "이미 승인하셨어요.",
        "over": "이 결제는 끝났어요. 여기서는 더 하실 일이 없어요.",
        "back": "가맹점으로 돌아가기",
        "404": "이런 결제는 없어요. 돈은 빠져나가지 않았어요.",
        "400": "승인 또는 취소를 골라 주세요. 돈은 빠져나가지 않았어요.",
        "trouble": "결제창을 열 수 없어요",
        "other": "English",
    },
    "en": {
        "title": "Approve the payment",
        "amount": "Amount",
        "order": "For",
        "merchant": "Paid to",
        "method": "By",
        "number": "Order number",
        "card": "Credit or debit card",
        "transfer": "Account transfer",
        "hint": "Approve, and the payment is completed back at the merchant. Cancel, and no money is taken.",
        "approved": "You have approved this payment.",
        "over": "This payment is over. There is nothing more to do here.",
        "back": "Back to the merchant",
        "404": "There is no such payment. No money was taken.",
        "400": "Choose Approve or Cancel. No money was taken.",
        "trouble": "The payment page cannot be opened",
        "other": "한국어",
    },
}

STYLE = """
:root{color-scheme:light dark;
--paper:#f4f6f9;--card:#fff;--ink:#16202c;--soft:#55606e;--line:#d9dfe7;--navy:#14315c;--go:#14315c}
@media(prefers-color-scheme:dark){:root{
--paper:#10151c;--card:#1a222d;--ink:#eef2f6;--soft:#a7b2bf;--line:#344150;--go:#2f5fa8}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);
font:18px/1.6 -apple-system,"Apple SD Gothic Neo","Malgun Gothic",
"Noto Sans KR","Nanum Gothic",sans-serif;word-break:keep-all;overflow-wrap:anywhere}
header{background:var(--navy);color:#fff}
header div,main{max-width:30rem;margin:0 auto}
header div{padding:.9rem 1rem}
header strong{font-size:1.15rem}header small{display:block;font-size:.83rem;color:#d5deeb}
main{padding:1.25rem 1rem 2rem}
h1{font-size:1.3rem;margin:.2rem 0 1rem}
section{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:1.25rem}
.sum{margin:0;font-size:2rem;font-weight:700;line-height:1.25;font-variant-numeric:tabular-nums}
.label{margin:0;color:var(--soft);font-size:.9rem}
dl{margin:1rem 0 0;border-top:1px solid var(--line)}
dl div{display:flex;gap:1rem;justify-content:space-between;padding:.55rem 0;border-bottom:1px solid var(--line)}
dl div:last-child{border-bottom:0;padding-bottom:0}
dl div:last-child dd{font-size:.8rem}
dt{color:var(--soft);flex:none}dd{margin:0;text-align:right}
button,.back{display:block;width:100%;min-height:3.2rem;margin-top:.75rem;padding:.6rem 1rem;border-radius:10px;
border:2px solid var(--go);font:inherit;font-weight:700;text-align:center;cursor:pointer;text-decoration:none}
.go{background:var(--go);color:#fff}.no,.back{background:transparent;color:var(--ink);border-color:var(--line)}
:focus-visible{outline:3px solid #e0a100;outline-offset:2px}
.hint{color:var(--soft);font-size:.9rem}.lang{font-size:.9rem}a{color:inherit}
"""


def with_own(ours: Words) -> Words:
    """The words that every page has, and a peer's own, by language."""
    return {lang: {**_COMMON[lang], **ours[lang]} for lang in _COMMON}


def language(request: Request, usual: str = "") -> str:
    """`ko` or `en`: what the address says, else `usual`, else what the browser prefers, else Korean."""
    preferred = (each.strip()[:2] for each in request.header("accept-language").lower().split(","))
    wished = (request.query.get("lang", ""), usual, *preferred)
    return next((each for each in wished if each in _COMMON), "ko")


def amount_words(amount: int, currency: str) -> str:
    """`KRW 52,300`: readable in every alphabet and text browser."""
    exponent = EXPONENTS.get(currency, 2)
    whole, part = divmod(amount, 10**exponent)
    return f"{currency} {whole:,}" + (f".{part:0{exponent}d}" if exponent else "")


def show(
    words: Words,
    lang: str,
    rows: Sequence[tuple[str, str]],
    amount: str,
    doors: str,
    other_page: str,
) -> Response:
    """The page of one payment: `rows` are (word, value), `amount` is in words, `doors` is `form` or `over`.

    `other_page`: where the same page stands in the other language.
    """
    mine, other = words[lang], "en" if lang == "ko" else "ko"
    listed = "".join(f"<div><dt>{mine[name]}</dt> <dd>{escape(value)}</dd></div>" for name, value in rows)
    return _document(
        200,
        words,
        lang,
        mine["title"],
        f"""<section><p class="label">{mine["amount"]}</p>
<p class="sum">{amount}</p>
<dl>{listed}</dl></section>
{doors}
<p class="lang"><a href="{escape(other_page)}" lang="{other}" hreflang="{other}">{mine["other"]}</a></p>""",
    )


def form(words: Words, lang: str, action: str, *, approved: bool) -> str:
    """The two buttons. `approved`: the customer has pressed the first one before."""
    mine = words[lang]
    said = f"<p>{mine['approved']}</p>\n" if approved else ""
    return f"""{said}<form method="post" action="{escape(action)}">
<button class="go" type="submit" name="decision" value="approve">승인 Approve</button>
<button class="no" type="submit" name="decision" value="cancel">취소 Cancel</button>
</form>
<p class="hint">{mine["hint"]}</p>"""


def over(words: Words, lang: str, way_back: str, *, approved: bool) -> str:
    """Nothing is left to press: what became of it, and the way back to the merchant."""
    mine = words[lang]
    said = mine["approved" if approved else "over"]
    return f'<p>{said}</p>\n<a class="back" href="{escape(way_back)}">{mine["back"]}</a>'


def trouble(words: Words, status: int, lang: str, word: str = "") -> Response:
    """A page that says what is wrong, and that no money moved by it."""
    mine = words[lang]
    inside = f"<section><p>{mine[word or str(status)]}</p></section>"
    return _document(status, words, lang, mine["trouble"], inside)


def _document(status: int, words: Words, lang: str, title: str, inside: str) -> Response:
    mine = words[lang]
    text = f"""<!doctype html>
<html lang="{lang}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} - {mine["bank"]}</title><style>{STYLE}</style></head>
<body><header><div><strong>{mine["bank"]}</strong> <small>{mine["note"]}</small></div></header>
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

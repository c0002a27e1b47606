"""PortOne's script for a shop's page, and the page that it leads to: one form, two buttons, no script, no cookie."""

from html import escape
from urllib.parse import urlencode

from peers.bank.page import STYLE, amount_words
from peers.bank.page import WORDS as BANK_WORDS
from peers.http import Request, Response
from peers.portone import moves
from peers.portone.state import READY, Payment

_OURS = {
    "ko": {
        "bank": "포트원 시험 결제창",
        "note": "시험용 결제창 · 실제 돈은 움직이지 않아요",
        "503": "결제창에 장애가 있어요. 돈은 빠져나가지 않았어요. 가맹점으로 돌아가 다른 방법으로 결제해 주세요.",
        "404": "이런 결제는 없어요. 돈은 빠져나가지 않았어요.",
        "bad": "결제 요청이 올바르지 않아요. 돈은 빠져나가지 않았어요.",
    },
    "en": {
        "bank": "PortOne trial checkout",
        "note": "A checkout for trials · no real money moves",
        "503": "The checkout has a fault. No money was taken. Go back to the merchant and pay another way.",
        "404": "There is no such payment. No money was taken.",
        "bad": "The payment was not asked for in the right way. No money was taken.",
    },
}
WORDS = {lang: BANK_WORDS[lang] | _OURS[lang] for lang in _OURS}

SDK = """(function () {
  "use strict";
  var here = (document.currentScript || {}).src || "%(base)s/v2/browser-sdk.js";
  var base = here.split("/").slice(0, 3).join("/");
  var names = ["storeId", "channelKey", "paymentId", "orderName", "totalAmount", "currency", "payMethod",
               "redirectUrl", "locale"];
  window.PortOne = {
    requestPayment: function (asked) {
      var words = [];
      for (var i = 0; i < names.length; i += 1) {
        if (asked[names[i]] !== undefined && asked[names[i]] !== null) {
          words.push(names[i] + "=" + encodeURIComponent(asked[names[i]]));
        } else if (names[i] !== "locale") {
          throw new Error("requestPayment: " + names[i] + " is missing");
        }
      }
      window.location.assign(base + "/checkout?" + words.join("&"));
      return new Promise(function () {});
    }
  };
}());
"""


def sdk(base_url: str) -> Response:
    """The script: it knows `PortOne.requestPayment` and always redirects (`forceRedirect`)."""
    headers = {"Content-Type": "text/javascript; charset=utf-8", "Cache-Control": "public, max-age=300"}
    return Response(200, headers, (SDK % {"base": base_url}).encode())


def language(request: Request) -> str:
    """`ko` or `en`: what the page's own link says, else the shop's locale, else the browser, else Korean."""
    said = request.query.get("lang") or request.query.get("locale", "")[:2].lower()
    if said in WORDS:
        return said
    preferred = (each.strip()[:2] for each in request.header("accept-language").lower().split(","))
    return next((each for each in preferred if each in WORDS), "ko")


def show(payment: Payment, request: Request, lang: str, now: float) -> Response:
    """The page as the attempt's status asks for it."""
    words = WORDS[lang]
    rows = (
        ("order", payment.order_name),
        ("merchant", payment.store),
        ("method", words[payment.method]),
        ("number", payment.payment_id),
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
{_doors(payment, request, lang, now)}
<p class="lang"><a href="{_address(request, other)}" lang="{other}" hreflang="{other}">{words["other"]}</a></p>""",
    )


def _doors(payment: Payment, request: Request, lang: str, now: float) -> str:
    words = WORDS[lang]
    if payment.status != READY or payment.hidden_until is not None:
        back = escape(moves.way_back(payment, now))
        return f'<p>{words["over"]}</p>\n<a class="back" href="{back}">{words["back"]}</a>'
    said = f"<p>{words['approved']}</p>\n" if payment.token and payment.token_until > now else ""
    return f"""{said}<form method="post" action="{_address(request, lang)}">
<button class="go" type="submit" name="decision" value="approve">승인 Approve</button>
<button class="no" type="submit" name="decision" value="cancel">취소 Cancel</button>
</form>
<p class="hint">{words["hint"]}</p>"""


def _address(request: Request, lang: str) -> str:
    return escape(f"/checkout?{urlencode(request.query | {'lang': lang})}")


def trouble(status: int, lang: str, word: str = "") -> Response:
    """A page that says what is wrong, and that no money moved by it."""
    words = WORDS[lang]
    return _page(status, lang, words["trouble"], f"<section><p>{words[word or str(status)]}</p></section>")


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

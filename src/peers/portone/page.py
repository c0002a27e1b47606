"""PortOne's script for a shop's page, and the page that it leads to."""

from urllib.parse import urlencode

from peers import page
from peers.http import Request, Response
from peers.page import amount_words
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
WORDS = page.with_own(_OURS)

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
    return page.language(request, request.query.get("locale", "")[:2].lower())


def show(payment: Payment, request: Request, lang: str, now: float) -> Response:
    """The page as the attempt's status asks for it."""
    rows = (
        ("order", payment.order_name),
        ("merchant", payment.store),
        ("method", WORDS[lang][payment.method]),
        ("number", payment.payment_id),
    )
    amount = amount_words(payment.amount, payment.currency)
    other = _address(request, "en" if lang == "ko" else "ko")
    return page.show(WORDS, lang, rows, amount, _doors(payment, request, lang, now), other)


def _doors(payment: Payment, request: Request, lang: str, now: float) -> str:
    if payment.status != READY or payment.hidden_until is not None:
        return page.over(WORDS, lang, moves.way_back(payment, now), approved=False)
    approved = bool(payment.token) and payment.token_until > now
    return page.form(WORDS, lang, _address(request, lang), approved=approved)


def _address(request: Request, lang: str) -> str:
    return f"/checkout?{urlencode(request.query | {'lang': lang})}"


def trouble(status: int, lang: str, word: str = "") -> Response:
    """A page that says what is wrong, and that no money moved by it."""
    return page.trouble(WORDS, status, lang, word)

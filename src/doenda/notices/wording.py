"""A notice's words, put together when it is sent: from the rows as they are then, never stored.

Texts travel as CP949 (KS X 1001 and its extension): what it cannot hold is replaced by what it can. A short text has
90 bytes, of which carriers take ten for their own first line.
"""

import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings

from doenda.access import codes, tokens
from doenda.assurance.guidance import OfferedWay, method_name, names
from doenda.billing import owed
from doenda.billing.models import Account, Bill, Line
from doenda.kernel import clock, texts, words
from doenda.kernel.money import Money, ascii_words
from doenda.notices.kinds import KINDS, Kind
from doenda.notices.models import Notice

SHORT_BYTES = 80
LONG_BYTES = 2000
_REPLACED = str.maketrans({"₩": "￦", "–": "-", "—": "-", "\u00a0": " ", "\u202f": " ", "•": "·", "−": "-"})


@dataclass(frozen=True, slots=True)
class Text:
    """What a gateway gets: `kind` is SMS or LMS."""

    body: str
    kind: str


@dataclass(frozen=True, slots=True)
class Debt:
    """What a notice is about, as it is now: the bill it opens (None: none), the amount due, and of how many bills."""

    bill: Bill | None
    due: Money
    bills: int = 1


def with_links() -> bool:
    """Does this carrier put links into texts? Korean carriers teach their customers that theirs have none."""
    return bool(getattr(settings, "DOENDA_NOTICE_LINKS", settings.DOENDA_DEMO))


def debt(notice: Notice, account: Account) -> Debt:
    """What is owed at this moment, part payments and credits counted: the bill's, or all that is overdue."""
    kind = KINDS[notice.kind]
    if notice.bill is not None and not kind.whole:
        return Debt(notice.bill, Money(notice.bill.remaining if notice.bill.state == "open" else 0, account.currency))
    bills = owed.overdue(account.pk, clock.today()) if kind.whole else owed.open_bills(account.pk)
    oldest = notice.bill or (Bill.objects.get(pk=bills[0].bill_id) if bills else None)
    if oldest is not None and bills and oldest.state != "open":
        oldest = Bill.objects.get(pk=bills[0].bill_id)
    return Debt(oldest, Money(sum(bill.remaining for bill in bills), account.currency), len(bills))


def compose(notice: Notice, found: Debt, phone: str, ways: tuple[OfferedWay, ...]) -> Text:
    """The text to send to `phone` (E.164). Makes the link and the code that it needs, in the caller's transaction."""
    kind, lang = KINDS[notice.kind], notice.lang
    args = arguments(notice, found, phone, ways)
    name = f"notice-{notice.kind.replace('_', '-')}"
    if kind.full or (with_links() and kind.opens):
        whole = "\n\n".join([texts.say(name, lang, **args), *_more(notice, kind, args)])
        return sized(f"[{args['carrier']}] {whole}")
    return sized(texts.say(name, lang, part="sms", **args))


def _more(notice: Notice, kind: Kind, args: dict[str, str]) -> list[str]:
    """The lines after a full text: what moved, how to pay now, where, whom to tell if it is wrong."""
    lang, parts = notice.lang, []
    if "fee_after" in args:
        parts.append(texts.say("notice-fee-ahead", lang, **args))
    if kind.asks and "until" in args and notice.kind != "promise_due":
        parts.append(texts.say("notice-moved", lang, **args))
    lines = [texts.say("notice-ways", lang, **args)] if kind.asks or (kind.names and "ways" in args) else []
    if kind.opens and "code" in args and (lines or not kind.names):
        part = None if with_links() else "sms" if args["door"] == "voice" else "site"
        lines.append(texts.say("notice-open", lang, part=part, **args))
    if lines:
        parts.append("\n".join(lines))
    if kind.objection:
        parts.append(texts.say("notice-object", lang, **args))
    return parts


def arguments(notice: Notice, found: Debt, phone: str, ways: tuple[OfferedWay, ...]) -> dict[str, str]:
    """What the texts may say, already in words. Only what is known is there: a text that needs more is an error."""
    lang, bill = notice.lang, found.bill
    args = {
        "carrier": settings.DOENDA_CARRIER[lang],
        "call": settings.DOENDA_CALL,
        "site": settings.DOENDA_BASE_URL.removeprefix("https://").removeprefix("http://"),
        "amount": money(found.due, lang),
        "bills": "one" if found.bills <= 1 else str(found.bills),
    }
    args |= _lines(notice, lang)
    args["works"] = "something" if ways else "nothing"
    args["door"] = "voice" if any(way.channel == "voice" for way in ways) else "site"
    args["where"] = f"114/{args['call']}" if args["door"] == "voice" else args["site"]
    if ways:
        args["ways"] = names(ways, lang)
    if bill is not None:
        args |= {
            "billed": words.month(bill.bill_date, lang),
            "period": words.month(bill.period_start or bill.bill_date, lang),
            "due": words.day(bill.due_date, lang),
            "due_short": words.day_short(bill.due_date, lang),
        }
    if bill is not None and KINDS[notice.kind].opens:
        args["code"] = codes.issue(bill.pk, notice.account_id, phone)
        if with_links():
            args["link"] = f"{settings.DOENDA_BASE_URL}/p/{tokens.issue('bill', bill.pk, notice.account_id)}"
    if invitation := notice.params.get("screen"):
        token = tokens.issue("screen", UUID(invitation), notice.account_id)
        args["link"] = f"{settings.DOENDA_BASE_URL}/v/{token}"
    return args | _of_params(notice.params, notice, lang)


def _of_params(params: dict[str, Any], notice: Notice, lang: str) -> dict[str, str]:
    args = {"whose": str(params.get("whose") or "customer"), "longest_days": str(params.get("longest_days") or "none")}
    args |= {"back": str(params.get("back") or "asked"), "next": "none"}
    currency = str(params.get("currency") or notice.account.currency)
    for name, argument in (("amount", "paid"), ("fee", "fee")):
        if params.get(name) is not None:
            args[argument] = money(Money(int(params[name]), currency), lang)
    for name in ("until", "answer_by", "day", "next"):
        if params.get(name):
            args[name] = _when(str(params[name]), lang)
    if params.get("fee") and params.get("fee_after") and _day(str(params["fee_after"])) >= clock.today():
        args["fee_after"] = _when(str(params["fee_after"]), lang)
    if params.get("failed"):
        args["failed"] = ", ".join(method_name(method, lang) for method in params["failed"])
    if params.get("effective"):
        first = _day(str(params["effective"]))
        args |= {
            "effective": words.day(first, lang),
            "effective_short": words.day_short(first, lang),
            "last_day": words.day(first - timedelta(days=1), lang),
        }
    return args


def _lines(notice: Notice, lang: str) -> dict[str, str]:
    """How the account's lines stand: "open", "barred" (coming back: nothing keeps them so), or what still keeps them.

    "line": the masked number that the notice is about, if there are several.
    """
    mine = list(Line.objects.filter(account_id=notice.account_id).values_list("pk", "number", "barring"))
    barred = any(barring != Line.Barring.NONE for _, _, barring in mine)
    due = [bill for bill in owed.overdue(notice.account_id, clock.today()) if bill.may_bar]
    said = {"lines": ("stays" if barred else "owes") if due else ("barred" if barred else "open"), "line": "none"}
    if due:
        said["overdue"] = money(Money(sum(bill.remaining for bill in due), due[0].currency), lang)
    about = [number for pk, number, _ in mine if str(pk) == notice.params.get("line")]
    if about and len(mine) > 1:
        said["line"] = words.masked_phone(about[0])
    return said


def money(amount: Money, lang: str) -> str:
    """52,300원, and KRW 52,300 where the language has no sign that every phone shows."""
    return words.amount(amount, lang) if lang == "ko" else ascii_words(amount)


def _day(text: str) -> date:
    return clock.local(datetime.fromisoformat(text)).date() if "T" in text else date.fromisoformat(text)


def _when(text: str, lang: str) -> str:
    """A day, or a moment; the last minute of a day is that day, and so is the midnight that ends it."""
    if "T" not in text:
        return words.day(date.fromisoformat(text), lang)
    instant = datetime.fromisoformat(text)
    local = clock.local(instant)
    if (local.hour, local.minute) in {(0, 0), (23, 59)}:
        return words.day((local - timedelta(minutes=1)).date(), lang)
    return words.moment(instant, lang)


def sized(body: str) -> Text:
    """The body as CP949 can carry it, and the kind of message that its length needs."""
    safe = carried(body)
    size = len(safe.encode("cp949"))
    if size > LONG_BYTES:
        raise ValueError(f"a text of {size} bytes does not fit into a long message")
    return Text(safe, "SMS" if size <= SHORT_BYTES else "LMS")


def carried(body: str) -> str:
    """`body` with every letter that CP949 lacks replaced: by its base letter if it has one, else by a question mark."""
    return "".join(_letter(letter) for letter in unicodedata.normalize("NFC", body).translate(_REPLACED))


def _letter(letter: str) -> str:
    plain = "".join(part for part in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(part))
    for candidate in (letter, plain):
        try:
            candidate.encode("cp949")
        except UnicodeEncodeError:
            continue
        return candidate
    return "?"

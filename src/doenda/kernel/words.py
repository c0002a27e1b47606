"""How amounts, days and moments are written in customers' languages; arguments of texts come from here."""

from datetime import date, datetime

from babel.dates import format_date, format_time

from doenda.kernel import clock
from doenda.kernel.money import Money
from doenda.kernel.money import words as amount

__all__ = ["amount", "amount_both", "day", "day_short", "masked_name", "masked_phone", "moment", "month"]


def amount_both(money: Money, lang: str) -> str:
    """The amount with its Latin label where the language's own form is not ASCII."""
    return f"{amount(money, lang)} ({money.currency} {money.decimal:,})"


def day(value: date, lang: str) -> str:
    """ "10월 31일(금)", "Fri 31 October"."""
    if lang == "ko":
        return f"{value.month}월 {value.day}일({format_date(value, 'EEE', locale='ko')})"
    return format_date(value, "EEE d MMMM", locale=lang)


def day_short(value: date, lang: str) -> str:
    """For text messages: "11/11(화)", "Tue 11 Nov"."""
    if lang == "ko":
        return f"{value.month}/{value.day}({format_date(value, 'EEE', locale='ko')})"
    return format_date(value, "EEE d MMM", locale=lang)


def month(value: date, lang: str) -> str:
    """ "9월", "September"."""
    return f"{value.month}월" if lang == "ko" else format_date(value, "MMMM", locale=lang)


def moment(instant: datetime, lang: str) -> str:
    """ "10월 31일(금) 오후 3시 20분", "Fri 31 October, 3:20 pm" on the carrier's clock."""
    local = clock.local(instant)
    if lang == "ko":
        minutes = f" {local.minute}분" if local.minute else ""
        return f"{day(local.date(), lang)} {format_time(local, 'aaaa h', locale='ko')}시{minutes}"
    return f"{day(local.date(), lang)}, {format_time(local, 'h:mm a', locale=lang).lower().replace(chr(0x202F), ' ')}"


def masked_phone(e164: str) -> str:
    """Enough for its owner to know it, too little for anyone else: "010-****-5678"."""
    national = "0" + e164.removeprefix("+82") if e164.startswith("+82") else e164
    return f"{national[:3]}-****-{national[-4:]}" if len(national) >= 9 else "****"


def masked_name(name: str) -> str:
    """The first letter of each word and stars for the rest: "김*수", "A*** L***"."""
    parts = [
        f"{p[0]}{'*' * (len(p) - 2)}{p[-1]}" if _hangul(p) and len(p) > 2 else p[0] + "*" * (len(p) - 1)
        for p in name.split()
    ]
    return " ".join(parts)


def _hangul(text: str) -> bool:
    return all("가" <= letter <= "힣" for letter in text)

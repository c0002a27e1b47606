"""Text messages by SMPP 3.4: a bind to an SMS centre that pushes its delivery receipts.

What it promises and what it cannot: docs/text-messages.md. `coding` and `told` are pure; `pdus` is the library's side;
`link` is one connection, `keeping` the process's bind; `tries` are the rows.
"""

from datetime import timedelta
from typing import Any

import phonenumbers

from doenda.kernel import clock
from doenda.kernel.db import atomic, durable
from doenda.notices import policy
from doenda.notices.gateways import HandOver, NotSent, Receipt, Refused
from doenda.notices.gateways.smpp import coding, keeping, tries
from doenda.notices.gateways.smpp.configured import Config
from doenda.notices.gateways.smpp.link import Answer, Link
from doenda.notices.gateways.smpp.pdus import BUSY
from doenda.notices.models import Segment

PATIENCE = 2.0
"""Seconds that one text may wait for its turn; with bind, segments and answer less than the 30 s of its lease."""
LATER = 30.0
_UDHI = 0x40
_WITH_RECEIPT = 1
_INTERNATIONAL, _NATIONAL, _ALPHANUMERIC = 1, 2, 5
_ISDN = 1


class Smpp:
    """The gateway. `kind` is not told to the centre: a long text is one of several segments."""

    name = keeping.NAME

    def send(self, ref: str, to: str, text: str, kind: str) -> HandOver:
        keeper = keeping.keeper()
        config = keeper.config
        with atomic():
            known = tries.settled(ref, config)
        if known is not None:
            return known
        try:
            make = coding.in_one if config.payload else coding.coded
            coded = make(text, gsm7=config.gsm7, most=config.segments)
        except coding.TooLong as error:
            return Refused(str(error))
        link = keeper.link()
        if link is None:
            return NotSent(f"no bind: {keeper.trouble}", after=max(2.0, keeper.next_try - clock.monotonic()))
        if held := keeper.pace.held():
            return NotSent("the SMS centre asked for less", after=held)
        if (queue := keeper.pace.queue()) > PATIENCE:
            return NotSent("as many texts as may leave in a second wait already", after=queue)
        plan = durable(lambda: tries.begin(ref, to, coded, config))
        if not isinstance(plan, tries.Plan):
            return plan
        return _submit(keeper, link, ref, plan, _requests(plan, to, coded, config))

    def receipt(self, ref: str) -> Receipt:
        with atomic():
            return tries.receipt(ref)


def _submit(keeper: keeping.Keeper, link: Link, ref: str, plan: tries.Plan, requests: list[Any]) -> HandOver:
    answers = link.submit(requests, turn=keeper.pace.turn)
    statuses = {each.status for each in answers.values() if each is not None}
    pause = keeper.pace.throttled() if statuses & BUSY else LATER
    if 0 in statuses:
        keeper.pace.taken()

    def note() -> HandOver:
        tries.not_sent(row for row in plan.segments if row not in answers)
        for row, answer in answers.items():
            if answer is not None:
                tries.answered(row, answer, keeper.config)
        said: dict[int, Answer | None] = {row.number: answer for row, answer in answers.items()}
        return tries.conclude(ref, plan, said, keeper.config, pause)

    return durable(note)


def _requests(plan: tries.Plan, to: str, coded: coding.Coded, config: Config) -> list[tuple[Segment, dict[str, Any]]]:
    pieces = coding.with_headers(coded.segments, plan.concat)
    common = _addresses(to, config) | {
        "service_type": "",
        "protocol_id": 0,
        "registered_delivery": _WITH_RECEIPT,
        "data_coding": coded.data_coding,
        "esm_class": _UDHI if len(pieces) > 1 else 0,
        "validity_period": _relative(policy.current().longest) if config.validity else "",
    }
    content = "message_payload" if config.payload else "short_message"
    return [(row, common | {content: pieces[row.number - 1]}) for row in plan.segments]


def _addresses(to: str, config: Config) -> dict[str, Any]:
    digits, ton = to.lstrip("+"), _INTERNATIONAL
    if config.national:
        parsed = phonenumbers.parse(to)
        ton = _NATIONAL
        digits = "".join(
            each
            for each in phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)
            if each.isdigit()
        )
    word = any(each.isalpha() for each in config.source)
    return {
        "source_addr_ton": _ALPHANUMERIC if word else config.source_ton,
        "source_addr_npi": 0 if word else config.source_npi,
        "source_addr": config.source,
        "dest_addr_ton": ton,
        "dest_addr_npi": _ISDN,
        "destination_addr": digits,
    }


def _relative(length: timedelta) -> str:
    """SMPP's relative time, YYMMDDhhmmss000R; at most 99 days."""
    days, seconds = divmod(min(int(length.total_seconds()), 99 * 86_400), 86_400)
    hours, rest = divmod(seconds, 3600)
    return f"0000{days:02}{hours:02}{rest // 60:02}{rest % 60:02}000R"

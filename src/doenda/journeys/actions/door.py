"""The door for those without a link."""

from doenda.journeys import doors
from doenda.journeys.actions.binding import Answered, Context, action
from doenda.journeys.declarations import UNTIL
from doenda.kernel import facts
from doenda.kernel.db import atomic


@action
def send_link(context: Context) -> Answered:
    phone = context.data.get("phone")
    doors.send_links(phone=phone, bill_id=context.session.bill_id, visitor=context.visitor)
    return "done", {}


@action
def report_entry(context: Context) -> Answered:
    with atomic():
        facts.record("journeys.report", None, {"session": str(context.session.id), "channel": context.session.channel})
    return "done", {}


@action
def open_callback(context: Context) -> Answered:
    by = doors.callback(
        phone=context.data["phone"],
        wanted=context.data.get("when", ""),
        channel=context.session.channel,
        lang=context.session.lang,
        account_id=context.session.account_id,
        bill_id=context.session.bill_id,
    )
    return "done", {UNTIL: by.isoformat()}

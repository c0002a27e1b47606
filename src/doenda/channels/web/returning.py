"""Back from a provider's page, with words that nobody has signed: it asks "is this right?", and its button pays."""

from django.http import HttpRequest

from doenda.channels.speech import arguments, attempt_of
from doenda.channels.web import language, pages
from doenda.channels.web.presenter import Button, Page, button_of
from doenda.journeys.sessions import Visit
from doenda.kernel import texts
from doenda.payments.models import Attempt
from doenda.payments.providers import get
from doenda.payments.providers.contract import Moves, Returned

MOST_WORDS = 40
LONGEST = 500
_AWAY = frozenset({"away", "script"})


def of_return(request: HttpRequest, here: Visit) -> Page:
    """The page for what was brought back; where the visit stands if that is nothing of this provider's. Reads only."""
    page = pages.of_visit(request, here)
    attempt = attempt_of(here.state) if here.state.step in _AWAY and not here.busy else None
    if attempt is None:
        return page
    came = _read(request, attempt)
    at_provider = get(attempt.provider).methods.get(attempt.method) is Moves.AT_REDIRECT
    if came.failed or came.cancelled:
        page.hidden = {"failed": "1"} if not came.cancelled else {}
        _ask(page, here, attempt, "came" if at_provider else "failed", came)
    elif came.order_id and (came.ref or came.token) and (came.amount or not get(attempt.provider).returns_amount):
        page.hidden = {
            "order_id": came.order_id,
            "ref": came.ref,
            "paid_amount": came.amount,
            "token": came.token,
        }
        _ask(page, here, attempt, "came" if at_provider else "right", came)
    return page


def _read(request: HttpRequest, attempt: Attempt) -> Returned:
    query = language.said(request, "GET")
    said = {name: value[:LONGEST] for name, value in list(query.items())[:MOST_WORDS] if isinstance(value, str)}
    return get(attempt.provider).returned(said)


def _ask(page: Page, here: Visit, attempt: Attempt, what: str, came: Returned) -> None:
    """ "right": our button pays. "came": it may be paid already, our button finds out. "failed": nothing was paid."""
    args = arguments(pages.subject_of(here), here.state, page.lang)
    page.link, page.script = None, None
    if what == "failed":
        page.name, page.tone, page.figure = "pay.away.cancelled", "loss", ""
        page.title = texts.say("pay-refused", page.lang, part="title")
        page.paragraphs = [texts.say(f"refused-{'cancelled' if came.cancelled else 'other'}", page.lang, **args)]
        presses: tuple[str, ...] = ("other", "cancelled")
    else:
        page.name = "pay.away.returned"
        page.title = texts.say(f"pay-away-{what}", page.lang, part="title", **args)
        page.paragraphs = [texts.say(f"pay-away-{what}", page.lang, **args)]
        presses = ("returned", "other", "cancelled")
    page.buttons = [button_of(here.journey, here.step, name, page.lang, args) for name in presses]
    if what == "came":
        page.buttons[0] = Button("returned", texts.say("web-see-result", page.lang))

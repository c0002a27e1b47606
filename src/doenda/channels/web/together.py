"""What stands beside a page while a call goes on, as the template takes it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.utils.csp import CSP

from doenda.channels import beside
from doenda.channels.web import forms
from doenda.journeys.sessions import Visit
from doenda.kernel import texts

PLACE = "place"
"""The signed form's word for what is chosen beside the page; its own, so that no step's form fits."""


@dataclass(frozen=True, slots=True)
class Together:
    """`buttons`: value and label of each. `live`: where the page hears of what the call does; "": nowhere, it asks by a
    button."""

    lines: tuple[str, ...]
    buttons: tuple[tuple[str, str], ...]
    waits: bool
    action: str
    signed: str
    live: str
    moved: str
    check: str

    @property
    def policy(self) -> Mapping[str, list[str]]:
        """The site's own policy, opened for our own few lines and for where they listen."""
        parts = urlsplit(self.live)
        origin = f"{parts.scheme}://{parts.netloc}" if parts.netloc else CSP.SELF
        return settings.SECURE_CSP | {"script-src": [CSP.NONCE], "connect-src": [origin]}

    @property
    def code(self) -> str:
        return _code()


@dataclass(frozen=True, slots=True)
class ToCall:
    """The button that asks for digits with which a call joins this page."""

    action: str
    signed: str
    label: str


def to_call(here: Visit, lang: str) -> ToCall:
    action, signed = f"/s/{here.address}/place", forms.sign(here.address, PLACE, 0)
    return ToCall(action, signed, texts.say("web-beside--to_call", lang))


def merged(policies: Sequence[Mapping[str, list[str]]]) -> dict[str, list[str]]:
    """One policy that allows what each of them does."""
    names = {name: None for policy in policies for name in policy}
    return {name: list(dict.fromkeys(each for policy in policies for each in policy.get(name, ()))) for name in names}


@cache
def _code() -> str:
    return Path(__file__).with_name("together.js").read_text(encoding="utf-8")


def of(here: Visit, lang: str) -> Together | None:
    """What stands beside the visit's page; None: there is no call."""
    found = beside.of(here.session, lang)
    if found is None:
        return None
    live = settings.DOENDA_LIVE_URL
    at = {
        "at": f"{here.state.step}/{here.state.version}",
        "kind": ",".join(found.choices),
        "joined": str(int(here.session.screened_at is not None)),
        "lang": lang,
    }
    return Together(
        lines=found.lines,
        buttons=tuple((each, texts.say(f"web-beside--{each}", lang)) for each in found.choices),
        waits=found.waits,
        action=f"/s/{here.address}/place",
        signed=forms.sign(here.address, PLACE, 0),
        live=f"{live}/{here.address}?{urlencode(at)}" if live else "",
        moved=texts.say("web-beside-moved", lang),
        check=texts.say("web-beside--check", lang),
    )

"""Walks the web channel from outside, like a customer: reads pages, fills in forms, presses buttons, follows redirects.

The same walker serves tests, synthetic probes, drills and the demo. It knows nothing of the house but its addresses.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin, urlsplit

from doenda.kernel import clock, net

MOST_PAGES = 40
_REDIRECTS = {301, 302, 303, 307, 308}


@dataclass
class Form:
    action: str
    fields: dict[str, str] = field(default_factory=dict)
    radios: dict[str, list[str]] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class _Reader(HTMLParser):
    """Just enough of HTML: forms, their fields and buttons, links, the step's name, the text."""

    def __init__(self) -> None:
        super().__init__()
        self.step, self.lang, self.title = "", "", ""
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.text: list[str] = []
        self.into: tuple[str, int] | None = None
        self._form: Form | None = None
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if "data-number" in given:
            self.into = given["data-number"], int(given.get("data-amount") or 0)
        match tag:
            case "html":
                self.lang = given.get("lang", "")
            case "body":
                self.step = given.get("data-step", "")
            case "form":
                self._form = Form(given.get("action", ""))
                self.forms.append(self._form)
            case "a":
                self.links.append(given.get("href", ""))
            case "style" | "script":
                self._silent += 1
            case "input" if self._form is not None and "name" in given:
                self._input(self._form, given)
            case "select" if self._form is not None and "name" in given:
                self._form.fields[given["name"]] = ""
            case "button" if self._form is not None:
                self._form.buttons.append((given.get("name", ""), given.get("value", "")))

    def _input(self, form: Form, given: dict[str, str]) -> None:
        name, value = given["name"], given.get("value", "")
        if given.get("type") in {"radio", "checkbox"}:
            form.radios.setdefault(name, []).append(value)
            if "checked" in given:
                form.fields[name] = value
        else:
            form.fields[name] = value

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag in {"style", "script"}:
            self._silent -= 1

    def handle_data(self, data: str) -> None:
        if not self._silent and data.strip():
            self.text.append(data.strip())


@dataclass(frozen=True)
class Seen:
    """One page as the walker saw it. `step` is ours ("pay.method"), or "provider" for somebody else's page.

    `into`: the number to pay into, or to show in a store, and the amount in minor units.
    """

    url: str
    status: int
    step: str
    lang: str
    text: str
    forms: list[Form]
    links: list[str]
    size: int
    into: tuple[str, int] | None = None


class Lost(RuntimeError):
    """The walk cannot go on; the message names the page and what was missing on it."""


class Walker:
    """One customer with one browser: no cookies, no scripts. `agent`: what the browser calls itself."""

    def __init__(self, *, lang: str = "ko", timeout: float = 15.0, agent: str = "doenda-walker") -> None:
        self.lang, self.timeout, self.agent = lang, timeout, agent
        self.pages: list[Seen] = []

    @property
    def page(self) -> Seen:
        return self.pages[-1]

    def open(self, url: str) -> Seen:
        """GET a page, following redirects. Raises net.NotSent, net.NoAnswer, Lost."""
        return self._fetch("GET", url, b"")

    def press(self, value: str, values: Mapping[str, str] | None = None) -> Seen:
        """Press the button of that value on the current page, its form filled in with `values`."""
        for form in self.page.forms:
            for name, offered in form.buttons:
                if offered == value:
                    sent = form.fields | dict(values or {}) | {name: value}
                    return self._fetch("POST", urljoin(self.page.url, form.action), urlencode(sent).encode())
        raise Lost(f"no button {value!r} on {self.page.step or self.page.url}: {self.buttons()}")

    def buttons(self) -> list[str]:
        return [value for form in self.page.forms for _, value in form.buttons]

    def radios(self, name: str) -> list[str]:
        return [value for form in self.page.forms for value in form.radios.get(name, [])]

    def _fetch(self, method: str, url: str, body: bytes) -> Seen:
        for _ in range(8):
            headers = {"Accept-Language": self.lang, "User-Agent": self.agent}
            if body:
                headers["Content-Type"] = "application/x-www-form-urlencoded"
            reply = net.call("web", method, url, content=body, headers=headers, timeout=self.timeout)
            if reply.status not in _REDIRECTS:
                return self._read(url, reply)
            method, body, url = "GET", b"", urljoin(url, reply.headers["location"])
        raise Lost(f"redirected in circles at {urlsplit(url).path}")

    def _read(self, url: str, reply: net.Reply) -> Seen:
        reader = _Reader()
        reader.feed(reply.body.decode(errors="replace"))
        seen = Seen(
            url,
            reply.status,
            reader.step or "provider",
            reader.lang,
            "\n".join(reader.text),
            reader.forms,
            reader.links,
            len(reply.body),
            reader.into,
        )
        self.pages.append(seen)
        if reply.status >= 500:
            raise Lost(f"{urlsplit(url).path} answered {reply.status}")
        return seen


@dataclass(frozen=True)
class Walk:
    """How a walk ended. `outcome` is "paid", "promised", or the step at which it stopped; `seconds` is elapsed time."""

    outcome: str
    steps: tuple[str, ...]
    seconds: float
    text: str = ""
    trouble: str = ""


type Hand = Callable[[str, int], None]
"""Brings the money (minor units) to a number, as a customer does outside: at a bank, or to a clerk in a store."""

SIGNS = {"bank": "088", "number": "110-123-456789", "holder": "김민수", "birth": "800101", "agreed": "debit-1"}
"""What the walker writes where a bank account is to be debited."""


@dataclass
class _Pays:
    """How to go on from each page; `hand` once a number."""

    method: str
    provider: str = ""
    approve: bool = True
    hand: Hand | None = None
    account: Mapping[str, str] = field(default_factory=lambda: SIGNS)
    brought: set[str] = field(default_factory=set)

    def on(self, walker: Walker) -> bool:
        """Do the next natural thing. False when there is none: the journey is over, or stands still."""
        match walker.page.step:
            case "pay.method":
                self._choose(walker)
            case "provider":
                walker.press("approve" if self.approve else "cancel")
            case "pay.away":
                walker.open(next((link for link in walker.page.links if link.startswith("http")), walker.page.url))
            case "pay.account":
                return self._bring(walker)
            case "pay.mandate":
                walker.press("given", self.account)
            case step if step in _PRESS:
                if step in _SLOW:
                    clock.sleep(0.5)
                walker.press(_PRESS[step])
            case _:
                return False
        return True

    def _choose(self, walker: Walker) -> None:
        offered = walker.radios("way")
        wanted = [way for way in offered if f"/{self.method}/" in way and way.endswith(f"/{self.provider}".rstrip("/"))]
        if not wanted:
            raise Lost(f"{self.method} {self.provider} is not offered: {offered}")
        walker.press("chosen", {"way": wanted[0]})

    def _bring(self, walker: Walker) -> bool:
        if walker.page.into is None:
            raise Lost("no number to pay into")
        if self.hand is None:
            return False
        number, amount = walker.page.into
        if number in self.brought:
            clock.sleep(0.5)
        else:
            self.brought.add(number)
            self.hand(number, amount)
        walker.press("check_again")
        return True


_PRESS = {
    "pay.bill": "pay",
    "pay.away.returned": "returned",
    "pay.asking": "check_again",
    "web.working": "check",
}
_SLOW = frozenset({"pay.asking", "web.working"})


def pay(
    url: str,
    *,
    method: str = "card",
    provider: str = "",
    lang: str = "ko",
    patience: float = 30.0,
    approve: bool = True,
    customer: Walker | None = None,
    hand: Hand | None = None,
) -> Walk:
    """Open a link and pay by `method` to the receipt. Never raises for what a channel can do: `trouble` says it.

    Waiting steps are asked again until `patience` seconds are over. `customer` keeps the pages for whoever wants them.
    `hand` brings the money where a number waits for it (a deposit; a slip, where it is the clerk); without one the walk
    ends on that page. By debit it ends in `promised`: the receipt comes with the bank's answer, a day or more later.
    """
    pays = _Pays(method, provider, approve, hand)
    return _walk(customer or Walker(lang=lang), url, patience, pays.on)


def pay_or_promise(url: str, *, lang: str = "ko", patience: float = 60.0) -> Walk:
    """Open a link, try whatever is offered, and take a dated promise where nothing works."""
    return _walk(Walker(lang=lang), url, patience, _next_or_promise)


def _walk(walker: Walker, url: str, patience: float, step_on: Callable[[Walker], bool]) -> Walk:
    begun = clock.monotonic()
    trouble = ""
    try:
        walker.open(url)
        while clock.monotonic() - begun < patience and len(walker.pages) < MOST_PAGES:
            if not step_on(walker):
                break
    except (net.NotSent, net.NoAnswer, Lost) as error:
        trouble = f"{type(error).__name__}: {error}"
    last = walker.pages[-1] if walker.pages else None
    step = last.step if last else "nowhere"
    outcome = step.split(".", 1)[1] if step in {"pay.paid", "pay.promised"} else step
    return Walk(
        outcome,
        tuple(seen.step for seen in walker.pages),
        clock.monotonic() - begun,
        last.text if last else "",
        trouble,
    )


def _next_or_promise(walker: Walker) -> bool:
    match walker.page.step:
        case "pay.method" if ways := walker.radios("way"):
            walker.press("chosen", {"way": ways[0]})
        case "pay.faulted" | "pay.reported":
            walker.press("enough")
        case "pay.refused":
            walker.press("person")
        case "pay.asking":
            walker.press("enough")
        case "pay.account":
            walker.press("enough")
        case "pay.script":
            walker.press("no_scripts")
        case "provider" if "approve" not in walker.buttons():
            raise Lost("the provider's page is down")
        case step if step in {"pay.bill", "provider", "pay.away.returned", "pay.away", "pay.mandate", "web.working"}:
            return _Pays("").on(walker)
        case _:
            return False
    return True

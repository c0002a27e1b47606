"""A customer in front of the pages, and an auditor who looks at every one of them over the customer's shoulder."""

import gzip
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from urllib.parse import urljoin

from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.worlds import World, world

from doenda.channels.web.walker import Seen, Walker
from doenda.kernel import net

MOST_BYTES = 14 * 1024
WRITES = re.compile(r"\s*(INSERT INTO|UPDATE|DELETE FROM)\s+\"?(\w+)", re.IGNORECASE)
SHOWN_IS_RECORDED = {"assurance_offer"}
VOID = {"meta", "input", "br", "link", "img", "hr"}


class Html(HTMLParser):
    """Enough of a validator: what is opened is closed, ids are unique, labels and references point at something."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.refers: list[str] = []
        self.labelled: set[str] = set()
        self.fields: list[dict[str, str]] = []
        self.forms: list[list[str]] = []
        self.problems: list[str] = []
        self.lang = self.title = ""
        self.titles = self.h1s = 0
        self.scripts: list[str] = []
        self.feed(text)
        self.close()
        self._conclude()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if len(given) != len(attrs):
            self.problems.append(f"<{tag}> has an attribute twice")
        if tag not in VOID:
            self.open.append(tag)
        if "id" in given:
            self.ids.append(given["id"])
        for name in ("for", "aria-describedby", "aria-labelledby"):
            self.refers += given.get(name, "").split()
        if given.get("href", "").startswith("#"):
            self.refers.append(given["href"][1:])
        self._tag(tag, given)

    def _tag(self, tag: str, given: dict[str, str]) -> None:
        match tag:
            case "html":
                self.lang = given.get("lang", "")
            case "title":
                self.titles += 1
            case "h1":
                self.h1s += 1
            case "form":
                self.forms.append([])
            case "label":
                self.labelled.add(given.get("for", ""))
            case "script" | "iframe" | "object" | "embed":
                self.scripts.append(tag)
            case "input" | "textarea" | "select":
                self.fields.append(given)
                if self.forms and given.get("name"):
                    self.forms[-1].append(given["name"])
        if any(name.startswith("on") or name == "style" for name in given):
            self.problems.append(f"<{tag}> has a handler or a style of its own")

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1] != tag:
            self.problems.append(f"</{tag}> closes {self.open[-1:]}")
        else:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "title":
            self.title += data

    def _conclude(self) -> None:
        self.problems += [f"<{tag}> stays open" for tag in self.open]
        self.problems += [f"id {each} twice" for each in {i for i in self.ids if self.ids.count(i) > 1}]
        self.problems += [f"nothing has the id {each}" for each in set(self.refers) - set(self.ids)]
        for given in self.fields:
            if given.get("type") != "hidden" and given.get("id", "") not in self.labelled:
                self.problems.append(f"the field {given.get('name')} has no label")
        self.problems += ["a form without a named field" for names in self.forms if not names]
        if (self.titles, self.h1s) != (1, 1):
            self.problems.append(f"{self.titles} titles, {self.h1s} headings")
        self.problems += [f"<{tag}>" for tag in self.scripts]


def faults_of_page(reply: net.Reply, lang: str) -> list[str]:
    """What is wrong with one page of ours, headers and all."""
    said = {name.lower(): value for name, value in reply.headers.items()}
    wrong = []
    if "set-cookie" in said:
        wrong.append("it sets a cookie")
    policy = said.get("content-security-policy", "")
    if "default-src 'none'" not in policy or "script-src" in policy or "unsafe" in policy:
        wrong.append(f"its policy is {policy!r}")
    if said.get("referrer-policy") != "no-referrer":
        wrong.append("it lets the address travel")
    if said.get("cache-control") != "no-store":
        wrong.append("it may be stored")
    if reply.status in {301, 302, 303}:
        return wrong
    if said.get("x-robots-tag") != "noindex":
        wrong.append("it may be indexed")
    if (size := len(gzip.compress(reply.body))) > MOST_BYTES:
        wrong.append(f"{size} bytes")
    html = Html(reply.body.decode())
    if (html.lang, said.get("content-language")) != (lang, lang):
        wrong.append(f"its language is {html.lang}/{said.get('content-language')}, not {lang}")
    return wrong + html.problems


class Audited:
    """The world's transport with the auditor before the house: every page is checked, every GET moves nothing."""

    def __init__(self, made: World, lang: str) -> None:
        self.world, self.lang = made, lang
        self.titles: dict[str, set[str]] = {}
        self.bodies: list[bytes] = []
        self.sizes: list[int] = []

    def __call__(self, request: net.Request) -> net.Reply:
        if not request.url.startswith(settings.DOENDA_BASE_URL):
            return self.world.transport(request)
        with CaptureQueriesContext(connection) as seen:
            reply = self.world.transport(request)
        if request.method in {"GET", "HEAD"}:
            written = [match[2] for each in seen if (match := WRITES.match(each["sql"]))]
            assert set(written) <= SHOWN_IS_RECORDED, f"GET {request.url} wrote {written}"
        wrong = faults_of_page(reply, self.lang)
        assert not wrong, (request.method, request.url, wrong, reply.body.decode()[:3000])
        self.bodies.append(reply.body)
        if reply.status == 200:
            step = re.search(r'data-step="([^"]+)"', reply.body.decode())
            assert step is not None
            self.titles.setdefault(Html(reply.body.decode()).title, set()).add(step[1])
            self.sizes.append(len(gzip.compress(reply.body)))
        return reply


@contextmanager
def audited(lang: str = "ko") -> Iterator[tuple[World, Audited]]:
    with world() as made:
        auditor = Audited(made, lang)
        with net.using(auditor):
            yield made, auditor


class Customer(Walker):
    """A walker who says what to press in one line each."""

    def goes(self, *presses: str, **values: str) -> Seen:
        """Press the buttons one after the other; the last with `values` filled in."""
        for each in presses[:-1]:
            self.press(each)
        return self.press(presses[-1], values)

    def at_provider(self, method: str = "card") -> Seen:
        """From the bill, or from where the ways are shown, to the provider's page."""
        if self.page.step == "pay.bill":
            self.press("pay")
        way = next(way for way in self.radios("way") if f"/{method}/" in way)
        return self.press("chosen", {"way": way})

    def link(self, text: str) -> str:
        """The address behind the first link of ours whose address contains `text`."""
        return urljoin(self.page.url, next(link for link in self.page.links if text in link))

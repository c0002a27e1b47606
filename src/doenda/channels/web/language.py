"""Which language a page speaks: the switch, else the visit's own, else what the browser asks for, else Korean."""

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpRequest, QueryDict

from doenda.kernel.texts import LANGUAGES

FORM = "application/x-www-form-urlencoded"


def of(request: HttpRequest, visit_lang: str | None = None) -> str:
    return chosen(request) or visit_lang or _accepted(request.headers.get("Accept-Language", ""))


def chosen(request: HttpRequest) -> str | None:
    """The language that this request asks for by the switch, if it does."""
    asked = said(request, "POST").get("lang") or said(request, "GET").get("lang")
    return str(asked) if asked in LANGUAGES else None


def said(request: HttpRequest, method: str) -> QueryDict:
    """The query or the form; empty where it is none of ours or too much, so that the page about that can be shown."""
    if method == "POST" and request.content_type != FORM:
        return QueryDict()
    try:
        found: QueryDict = getattr(request, method)
    except (SuspiciousOperation, BadRequest, OSError):
        return QueryDict()
    return found


def switch(request: HttpRequest, lang: str) -> str:
    """The same page in the other language. A provider's words in the address go along: they cannot be had again."""
    query = said(request, "GET").copy()
    query.pop("stale", None)
    query["lang"] = next(other for other in LANGUAGES if other != lang)
    return f"?{query.urlencode()}"


def _accepted(header: str) -> str:
    """The best of our languages by the header's weights; English for whoever reads neither."""
    weighed: list[tuple[float, int, str]] = []
    for position, part in enumerate(header[:200].split(",")):
        tag, _, parameters = part.strip().partition(";")
        try:
            weight = float(parameters.strip().removeprefix("q=") or 1)
        except ValueError:
            weight = 0.0
        if tag and weight > 0:
            weighed.append((-weight, position, tag.split("-")[0].lower()))
    if not weighed:
        return "ko"
    return next((tag for _, _, tag in sorted(weighed) if tag in LANGUAGES), "en")

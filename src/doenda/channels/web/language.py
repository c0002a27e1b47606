"""Which language a page speaks: the switch, else the visit's own, else what the browser asks for, else Korean."""

from django.http import HttpRequest

from doenda.kernel.texts import LANGUAGES


def of(request: HttpRequest, visit_lang: str | None = None) -> str:
    asked = request.POST.get("lang") or request.GET.get("lang")
    if asked in LANGUAGES:
        return str(asked)
    return visit_lang or _accepted(request.headers.get("Accept-Language", ""))


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

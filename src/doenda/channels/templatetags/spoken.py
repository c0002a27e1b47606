"""How finished texts become HTML: the amount in a heading stands out, a number to call can be called."""

import re

from django import template
from django.conf import settings
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe

register = template.Library()


@register.filter
def with_sum(text: str, amount: str) -> SafeString:
    """The amount in the text set large."""
    said, sought = conditional_escape(text), conditional_escape(amount)
    if not amount or sought not in said:
        return said
    return mark_safe(said.replace(sought, f'<strong class="sum">{sought}</strong>', 1))  # noqa: S308 - both are escaped


_WRITTEN_IN_ONE = re.compile(r"\d[\d*-]{5,}\d")


@register.filter
def with_calls(text: str) -> SafeString:
    """Numbers and days with hyphens stay on one line; the number to call can be called."""
    return mark_safe(_WRITTEN_IN_ONE.sub(_unbroken, conditional_escape(text)))  # noqa: S308 - escaped


def _unbroken(found: re.Match[str]) -> str:
    if found[0] == settings.DOENDA_CALL:
        return f'<a class="call" href="tel:{found[0].replace("-", "")}">{found[0]}</a>'
    return f'<span class="one">{found[0]}</span>' if "-" in found[0] else found[0]

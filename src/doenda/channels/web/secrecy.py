"""A link and a visit's address are keys: whoever reads the log must not be able to walk in with one."""

import logging
import re

_KEY = re.compile(r"/(p|s)/[^/\s?\"']+")


def unkeyed(text: str) -> str:
    """The text with the secret part of every customer's address cut out."""
    return _KEY.sub(r"/\1/***", text)


class WithoutKeys(logging.Filter):
    """For loggers that write down addresses, such as Django's own about requests that went wrong."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = unkeyed(record.getMessage()), None
        return True


def install() -> None:
    logger = logging.getLogger("django.request")
    if not any(isinstance(each, WithoutKeys) for each in logger.filters):
        logger.addFilter(WithoutKeys())

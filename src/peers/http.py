"""Requests and answers as plain values, as peers and simulators exchange them with or without a network."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qs, unquote


class NoAnswer(Exception):
    """The peer never answers this request: the connection is cut after `hold_seconds`."""

    def __init__(self, hold_seconds: float = 0.0) -> None:
        super().__init__(f"no answer, cut after {hold_seconds} s")
        self.hold_seconds = hold_seconds


class Refused(Exception):
    """The peer answers with an error: an HTTP status, a code and a message."""

    def __init__(self, status: int, code: str, message: str = "", *, kept: bool = True) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status, self.code, self.message = status, code, message
        self.kept = kept  # whether an idempotency key brings the same answer again


@dataclass(frozen=True)
class Request:
    """One request. `path` is as on the request line, with its query; header names may be written in any case."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def __post_init__(self) -> None:
        object.__setattr__(self, "headers", {name.lower(): value for name, value in self.headers.items()})

    @cached_property
    def route(self) -> str:
        """The path without its query, decoded."""
        return unquote(self.path.partition("?")[0])

    @cached_property
    def query(self) -> dict[str, str]:
        """The query's fields; of a repeated one the last."""
        return _fields(self.path.partition("?")[2])

    @cached_property
    def form(self) -> dict[str, str]:
        """The body's fields, if it is an HTML form."""
        return _fields(self.body.decode("utf-8", "replace"))

    def header(self, name: str) -> str:
        """A header's value, or the empty string."""
        return self.headers.get(name, "")

    def json(self) -> dict[str, Any]:
        """The body as a JSON object. Raises Refused (400)."""
        try:
            document = json.loads(self.body)
        except ValueError:
            raise Refused(400, "INVALID_REQUEST", "the body is not JSON") from None
        if not isinstance(document, dict):
            raise Refused(400, "INVALID_REQUEST", "the body is not a JSON object")
        return document

    def number(self, name: str, default: int, *, most: int) -> int:
        """A number of 0 or more in the query. Raises Refused (400)."""
        text = self.query.get(name, str(default))
        if not (text.isascii() and text.isdigit()) or len(text) > 15:
            raise Refused(400, "INVALID_REQUEST", f"{name} is not a number")
        return min(int(text), most)


@dataclass(frozen=True, slots=True)
class Response:
    """One answer; the shell sends it after `delay_seconds`, a simulator may advance its clock by them."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    delay_seconds: float = 0.0

    def json(self) -> Any:
        """The body read as JSON."""
        return json.loads(self.body)


def answer(status: int, document: object) -> Response:
    """An answer in JSON."""
    return Response(status, {"Content-Type": "application/json; charset=utf-8"}, to_json(document))


def to_json(document: object) -> bytes:
    """JSON in UTF-8 without spaces."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _fields(text: str) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(text, keep_blank_values=True).items()}

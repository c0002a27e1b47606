"""The clearing house: files in, books debited on their day, answers out, its control door, and the faults.

    PUT  /v1/files/{ident}              a file (fixed width, or XML); the same bytes again: the same acknowledgement
    GET  /v1/files/{ident}              its acknowledgement
    GET  /v1/answers?after=N            the answers given out since number N
    GET  /v1/answers/{number}?offset=N  its bytes, a piece of at most a megabyte

Authorization: Bearer and the carrier's key.
"""

import base64
import hashlib
import os
import secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from peers.clearing import answers, cms, sepa
from peers.clearing.control import control
from peers.clearing.state import Accounts, Cleared, File, Given, Pace, Refusal, Returned, State
from peers.faults import Faults
from peers.http import NoAnswer, Refused, Request, Response, answer
from peers.journal import Journal
from peers.truth import Clock, Truth

BEFORE = ("timeout_before", "error_before")
AFTER = ("timeout_after", "error_after", "slow", "garbage")
FAULTS = ("dead", "refuse_file", "no_answers", *BEFORE, *AFTER, *answers.FAULTS)
PIECE = 1_000_000
SEOUL = timedelta(hours=9)


class Clearing(Truth):
    """The clearing house. `journal`, `clock` and `ids` as for the bank; `key` and `proof` from the environment."""

    kinds: ClassVar[tuple[type, ...]] = (Accounts, File, Refusal, Cleared, Returned, Given, Pace)

    def __init__(
        self,
        journal: Journal | os.PathLike[str] | None = None,
        *,
        clock: Clock | None = None,
        base_url: str = "http://127.0.0.1",
    ) -> None:
        self.state = State()
        self.faults = Faults(FAULTS, usually=("file",))
        self.key = os.environ.get("CLEARING_KEY") or "clearing-key"
        self.proof = os.environ.get("CLEARING_PROOF") or "clearing-proof"
        super().__init__(Journal.at(journal), clock, base_url)

    def _apply(self, change: object) -> None:
        self.state.apply(change)
        if isinstance(change, File) and change.clears_at is not None:
            self.plan(change.clears_at, change.ident)

    def _ring(self, key: str, now: float) -> None:
        file = self.state.files[key]
        if isinstance(file, File) and key not in self.state.done:
            self.clear(file)

    def _answer(self, request: Request) -> Response:
        words = request.route.strip("/").split("/")
        if words[0] == "_control":
            return control(self, request, words[1:])
        if self.faults.fires(("dead",)):
            raise NoAnswer
        given = request.header("authorization").partition(" ")[2].strip()
        if not secrets.compare_digest(given.encode(), self.key.encode()):
            raise Refused(401, "UNAUTHORIZED_KEY", "Authorization: Bearer and the carrier's key")
        match (request.method, words):
            case ("PUT", ["v1", "files", ident]):
                return self._struck(request, ident)
            case ("GET", ["v1", "files", ident]):
                return self._ack(ident)
            case ("GET", ["v1", "answers"]):
                return self._list(request)
            case ("GET", ["v1", "answers", number]) if number.isdigit():
                return self._piece(request, int(number))
        raise Refused(404, "NOT_FOUND", request.route)

    def _struck(self, request: Request, ident: str) -> Response:
        before = self.faults.fires(BEFORE, on="file")
        if before:
            if before.name == "error_before":
                raise Refused(500, "INTERNAL", "nothing was taken")
            raise NoAnswer(before.hold())
        response = self._take(request, ident)
        after = self.faults.fires(AFTER, on="file")
        if after is None:
            return response
        if after.name == "timeout_after":
            raise NoAnswer(after.hold())
        if after.name == "error_after":
            raise Refused(500, "INTERNAL", "the result is not known here")
        if after.name == "garbage":
            return replace(response, body=b"<html>maintenance</html>")
        return replace(response, delay_seconds=after.hold(5.0))

    def _ack(self, ident: str) -> Response:
        known = self.state.files.get(ident)
        if known is None:
            raise Refused(404, "NOT_FOUND_FILE", ident)
        return answer(200, known.ack())

    def _take(self, request: Request, ident: str) -> Response:
        """The same file again is the same file; other bytes under its name are an error of the carrier's."""
        sha256 = hashlib.sha256(request.body).hexdigest()
        known = self.state.files.get(ident)
        if known is not None:
            if known.sha256 != sha256:
                raise Refused(409, "FILE_DIFFERS", "this name was used for other bytes")
            return answer(200, known.ack())
        try:
            if self.faults.fires(("refuse_file",)):
                raise cms.Bad(1, "institution", "this institution is suspended today")
            taken = self._file(ident, sha256, request.body)
        except cms.Bad as bad:
            taken = Refusal(ident, sha256, bad.reason, bad.line, bad.column)
        self.commit(taken)
        return answer(200, taken.ack())

    def _file(self, ident: str, sha256: str, content: bytes) -> File | Refusal:
        form = "sepa" if content.startswith(b"<?xml") else "cms"
        read = sepa.read(content) if form == "sepa" else cms.read(content, self.proof)
        kind = "SD" if form == "sepa" else "EB21"
        if ident != f"{kind}-{read.day.replace('-', '')}-{read.sequence:02d}":
            raise cms.Bad(1, "file", "its name is another")
        amount = sum(order[4] for order in read.orders)
        at = self.now() + self.state.pace if self.state.pace is not None else self._hour(read.day)
        named = (ident, form, read.institution, read.day, read.sequence, sha256)
        return File(*named, len(read.orders), amount, read.orders, at)

    def _hour(self, day: str) -> float:
        """Three in the morning after the debit day, in Seoul."""
        start = datetime.fromisoformat(day).replace(tzinfo=UTC)
        return (start + timedelta(days=1, hours=3) - SEOUL).timestamp()

    def clear(self, file: File) -> None:
        """Carry a file out, record by record as the books stand then, and write its answer down."""
        done = [[order[0], self.state.verdict(order)] for order in file.orders]
        self.commit(*answers.results(self, file, Cleared(file.ident, self._no_overdraft(file, done))))

    def _no_overdraft(self, file: File, done: list[list[Any]]) -> list[list[Any]]:
        """Several records of one account share its balance: the later one finds what the earlier left."""
        left: dict[tuple[str, str], int] = {}
        for order, verdict in zip(file.orders, done, strict=True):
            place = (order[2], order[3])
            if verdict[1] != "0000" or order[1] != "R":
                continue
            have = left.get(place, self.state.accounts[place][0])
            if order[4] > have:
                verdict[1] = "0021"
            else:
                left[place] = have - order[4]
        return done

    def give(self, number: int, ident: str, kind: str, of: str, content: bytes) -> Given:
        """An answer as it is kept and fetched."""
        sha256 = hashlib.sha256(content).hexdigest()
        return Given(number, ident, kind, of, sha256, len(content), base64.b64encode(content).decode())

    def _list(self, request: Request) -> Response:
        if self.faults.fires(("no_answers",)):
            return answer(200, {"answers": []})
        after = request.number("after", 0, most=10**9)
        listed = [
            {"number": one.number, "name": one.ident, "bytes": one.size, "sha256": one.sha256}
            for one in self.state.given
            if one.number > after
        ]
        return answer(200, {"answers": listed[:100]})

    def _piece(self, request: Request, number: int) -> Response:
        found = next((one for one in self.state.given if one.number == number), None)
        if found is None:
            raise Refused(404, "NOT_FOUND_ANSWER", str(number))
        offset = request.number("offset", 0, most=10**9)
        content = base64.b64decode(found.content)[offset : offset + PIECE]
        return Response(200, {"Content-Type": "application/octet-stream"}, content)

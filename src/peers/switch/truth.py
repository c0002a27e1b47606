"""The switch: services with a barring, monitors for slow work, and a history of what really changed."""

import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar
from urllib.parse import quote

from peers.faults import Faults
from peers.http import NoAnswer, Refused, Request, Response, answer
from peers.journal import Journal
from peers.truth import Clock, Truth, iso

BASE = "/tmf-api/ServiceActivationAndConfiguration/v4"
BARRINGS = ("none", "outgoing", "both")
FAULTS = ("down", "timeout_before", "timeout_after", "error", "async", "slow", "lie")


@dataclass(frozen=True, slots=True)
class ServicesMade:
    """These services exist from now on, without a barring."""

    idents: list[str]


@dataclass(frozen=True, slots=True)
class BarringSet:
    """The network now does this to a line."""

    ident: str
    barring: str
    reason: str
    case: str
    at: float


@dataclass(frozen=True, slots=True)
class Monitor:
    """A change under way: applied at `due`."""

    ident: str
    service: str
    barring: str
    reason: str
    case: str
    due: float
    state: str = "InProgress"


class Switch(Truth):
    """The switch. `journal`, `clock`, `ids` as for the bank. Its state is what the network really does."""

    kinds: ClassVar[tuple[type, ...]] = (ServicesMade, BarringSet, Monitor)

    def __init__(
        self,
        journal: Journal | os.PathLike[str] | None = None,
        *,
        clock: Clock | None = None,
        ids: Callable[[], str] | None = None,
        base_url: str = "http://127.0.0.1",
    ) -> None:
        self.services: dict[str, list[BarringSet]] = {}
        self.monitors: dict[str, Monitor] = {}
        self.faults = Faults(FAULTS)
        self.new_id = ids or (lambda: secrets.token_hex(8))
        super().__init__(Journal.at(journal), clock, base_url)

    def _apply(self, change: object) -> None:
        match change:
            case ServicesMade():
                for ident in change.idents:
                    self.services.setdefault(ident, [])
            case BarringSet():
                self.services[change.ident].append(change)
            case Monitor():
                self.monitors[change.ident] = change
                if change.state == "InProgress":
                    self.plan(change.due, change.ident)
            case _:
                raise TypeError(f"the switch keeps no {type(change).__name__}")

    def _ring(self, key: str, now: float) -> None:
        monitor = self.monitors[key]
        if monitor.state == "InProgress":
            wanted = BarringSet(monitor.service, monitor.barring, monitor.reason, monitor.case, now)
            self.commit(replace(monitor, state="Completed"), *self._changes(wanted))

    def barring(self, ident: str) -> str:
        """What the network does to a line now: none, outgoing or both. Raises KeyError."""
        history = self.services[ident]
        return history[-1].barring if history else "none"

    def _changes(self, wanted: BarringSet) -> list[BarringSet]:
        return [] if self.barring(wanted.ident) == wanted.barring else [wanted]

    def _answer(self, request: Request) -> Response:
        words = request.route.removeprefix(BASE).strip("/").split("/")
        if words[0] == "_control":
            return self._control(request, words[1:])
        if self.faults.fires(("down",)):
            raise NoAnswer
        match (request.method, words):
            case ("GET", ["service", ident]):
                return answer(200, self._service(self._known(ident)))
            case ("PATCH", ["service", ident]):
                return self._patch(request, self._known(ident))
            case ("GET", ["monitor", ident]) if ident in self.monitors:
                return answer(200, self._monitor(self.monitors[ident]))
        raise Refused(404, "60", f"not found: {request.route}")

    def _patch(self, request: Request, ident: str) -> Response:
        wanted = _read(ident, request.json(), self.now())
        fault = self.faults.fires(tuple(name for name in FAULTS if name != "down"))
        name = fault.name if fault else ""
        if fault and name == "timeout_before":
            raise NoAnswer(fault.hold())
        if name == "error":
            raise Refused(500, "1", "internal error; nothing was applied")
        if name == "lie":
            return answer(200, self._service(ident, wanted.barring))
        if fault and name == "async":
            return self._later(wanted, fault.hold(1.0))
        self.commit(*self._changes(wanted))
        if fault and name == "timeout_after":
            raise NoAnswer(fault.hold())
        response = answer(200, self._service(ident))
        return replace(response, delay_seconds=fault.hold(5.0)) if fault and name == "slow" else response

    def _later(self, wanted: BarringSet, seconds: float) -> Response:
        due = self.now() + seconds
        monitor = Monitor(self.new_id(), wanted.ident, wanted.barring, wanted.reason, wanted.case, due)
        self.commit(monitor)
        return answer(202, {**self._service(wanted.ident), "monitor": self._monitor(monitor)})

    def _known(self, ident: str) -> str:
        if ident not in self.services:
            raise Refused(404, "60", f"no service {ident}")
        return ident

    def _service(self, ident: str, said: str | None = None) -> dict[str, Any]:
        history = self.services[ident]
        last = history[-1] if history else None
        characteristics = {
            "barring": said or self.barring(ident),
            "reason": last.reason if last else "",
            "case": last.case if last else "",
        }
        return {
            "id": ident,
            "href": f"{self.base_url}{BASE}/service/{quote(ident, safe='')}",
            "state": "active",
            "serviceCharacteristic": [
                {"name": name, "valueType": "string", "value": value} for name, value in characteristics.items()
            ],
            "@type": "Service",
        }

    def _monitor(self, monitor: Monitor) -> dict[str, Any]:
        return {
            "id": monitor.ident,
            "href": f"{self.base_url}{BASE}/monitor/{monitor.ident}",
            "sourceHref": f"{self.base_url}{BASE}/service/{quote(monitor.service, safe='')}",
            "state": monitor.state,
            "@type": "Monitor",
        }

    def _error(self, no: Refused) -> Response:
        """TMF630's error: code, reason, message."""
        reason = {400: "Bad Request", 404: "Not Found", 500: "Internal Server Error"}.get(no.status, "Error")
        document = {
            "code": no.code,
            "reason": reason,
            "message": no.message,
            "status": str(no.status),
            "@type": "Error",
        }
        return answer(no.status, document)

    def _control(self, request: Request, words: list[str]) -> Response:
        match (request.method, words):
            case ("GET" | "PUT", ["faults"]):
                if request.method == "PUT":
                    self.faults.put_one(request.json())
                return answer(200, self.faults.one())
            case ("POST", ["services"]):
                return self._make(request.json().get("ids"))
            case ("GET", ["books"]):
                return answer(200, {"services": {ident: self._book(ident) for ident in self.services}})
            case ("GET", ["service", ident]):
                return answer(200, self._book(self._known(ident)))
            case ("GET", ["health"]):
                return answer(200, {"ok": True})
        raise Refused(404, "60", f"not found: {request.route}")

    def _make(self, asked: object) -> Response:
        if not isinstance(asked, list) or not all(isinstance(ident, str) and ident for ident in asked):
            raise Refused(400, "21", "ids: a list of texts")
        fresh = [ident for ident in dict.fromkeys(asked) if ident not in self.services]
        if fresh:
            self.commit(ServicesMade(fresh))
        return answer(200, {"created": len(fresh), "services": len(self.services)})

    def _book(self, ident: str) -> dict[str, Any]:
        history = [
            {"at": iso(one.at), "value": one.barring, "case": one.case, "reason": one.reason}
            for one in self.services[ident]
        ]
        return {"barring": self.barring(ident), "history": history}


def _read(ident: str, asked: dict[str, Any], now: float) -> BarringSet:
    """What a PATCH wants. Raises Refused (400), naming the place."""
    listed = asked.get("serviceCharacteristic")
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise Refused(400, "21", "serviceCharacteristic: a list of {name, value}")
    said = {str(one.get("name")): one.get("value") for one in listed}
    if said.get("barring") not in BARRINGS:
        raise Refused(400, "21", f"serviceCharacteristic barring: one of {', '.join(BARRINGS)}")
    return BarringSet(ident, str(said["barring"]), str(said.get("reason") or ""), str(said.get("case") or ""), now)

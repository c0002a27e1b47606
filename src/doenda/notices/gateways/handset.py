"""The handset network: the gateway of demo, tests and simulation, over HTTP."""

from urllib.parse import quote

from django.conf import settings

from doenda.kernel import net
from doenda.notices.gateways import Accepted, HandOver, NotSent, Receipt, Refused, Unknown

TIMEOUT = 5.0


class Handset:
    name = "handset"

    def send(self, ref: str, to: str, text: str, kind: str) -> HandOver:
        body = {"id": ref, "to": to, "from": settings.DOENDA_CALL, "text": text, "kind": kind}
        url = f"{settings.DOENDA_HANDSET_URL}/v1/messages"
        try:
            reply = net.call("handset", "POST", url, json=body, timeout=TIMEOUT)
        except net.NotSent as error:
            return NotSent(str(error))
        except net.NoAnswer as error:
            return Unknown(str(error))
        if reply.status in (200, 202):
            return _accepted(reply, ref)
        if reply.status == 409:  # it has this id with another text: an earlier try of ours arrived after all
            return Accepted(ref)
        if 400 <= reply.status < 500 and reply.status not in (408, 425, 429):
            return Refused(f"{reply.status} {_reason(reply)}")
        return Unknown(f"{reply.status} {_reason(reply)}")

    def receipt(self, ref: str) -> Receipt:
        url = f"{settings.DOENDA_HANDSET_URL}/v1/messages/{quote(ref, safe='')}"
        try:
            reply = net.call("handset", "GET", url, timeout=TIMEOUT)
            found = reply.json() if reply.status == 200 else {}
        except (net.NotSent, net.NoAnswer, ValueError) as error:
            return Receipt("unknown", str(error)[:200])
        state = found.get("state") if isinstance(found, dict) else None
        if state not in ("accepted", "delivered", "failed"):
            return Receipt("unknown", f"{reply.status} {_reason(reply)}")
        return Receipt(state, str(found.get("error") or "")[:200])


def _accepted(reply: net.Reply, ref: str) -> HandOver:
    try:
        found = reply.json()
    except ValueError as error:
        return Unknown(f"the answer was not JSON: {error}")
    if not isinstance(found, dict) or found.get("id") != ref:
        return Unknown("the answer was about another message")
    return Accepted(ref)


def _reason(reply: net.Reply) -> str:
    return reply.body[:120].decode("utf-8", "replace")

"""Calling a person on duty: one POST of JSON to `DOENDA_PAGER_URL` (an alert manager, a paging service) until it is
accepted; without one, the log's loudest level, which is what the carrier's own monitoring must read."""

import logging
from typing import Any

from django.conf import settings

from doenda.kernel import clock, net, outbox
from doenda.kernel.models import OutboxRow

log = logging.getLogger(__name__)

TIMEOUT = 5.0
LONGEST_PAUSE = 60.0


def call(key: str, said: str, **more: Any) -> None:
    """Call once per `key`, in the caller's transaction: the call leaves when it is durable."""
    outbox.put("page", key, {"summary": said[:300], "at": clock.now().isoformat(), **more})


@outbox.handles("page", lease=15)
def _send(row: OutboxRow) -> outbox.Outcome:
    log.critical("a person is needed: %s", row.payload["summary"])
    url = getattr(settings, "DOENDA_PAGER_URL", "")
    if not url:
        return outbox.Sent()
    try:
        said = net.call("pager", "POST", url, json={"key": row.key, **row.payload}, timeout=TIMEOUT)
    except (net.NotSent, net.NoAnswer) as error:
        return outbox.Again(min(LONGEST_PAUSE, 2.0 ** min(row.tries, 6)), f"{type(error).__name__}: {error}"[:200])
    if 200 <= said.status < 300:
        return outbox.Sent()
    return outbox.Again(min(LONGEST_PAUSE, 2.0 ** min(row.tries, 6)), f"the pager answered {said.status}")

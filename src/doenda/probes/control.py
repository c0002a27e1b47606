"""The control walk: is it us? A walk that failed counts only if a walk to a target known to be good passes then.

The target in this process shows a page with one button, behind a socket on loopback: it fails when this machine has no
time, sockets or files left for a customer's walk. `DOENDA_CONTROL_URL` names pages beyond the
runner's own network (commas between them), of which one must answer; without it a runner whose network is cut takes
every provider for dead.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from django.conf import settings

from doenda.kernel import clock, net

log = logging.getLogger(__name__)

PATIENCE = 5.0
"""A page of our own that takes longer says that this machine is too slow to judge others (seconds)."""
_FIRST, _LAST = b"<form method=post><button name=go value=on>on</button></form>", b"<p>the last step</p>"


def passes() -> bool:
    """Does the control walk reach its last step now? Never raises."""
    begun = clock.monotonic()
    try:
        with _target() as url:  # really there, whatever a simulated world puts in the network's place
            first = net.over_http(net.Request("control", "GET", url, timeout=PATIENCE))
            last = net.over_http(net.Request("control", "POST", url, content=b"go=on", timeout=PATIENCE))
    except (OSError, net.NotSent, net.NoAnswer) as error:
        log.warning("the control walk failed: %s", error)
        return False
    if (first.body, last.body) != (_FIRST, _LAST) or clock.monotonic() - begun > PATIENCE:
        return False
    beyond = [url.strip() for url in getattr(settings, "DOENDA_CONTROL_URL", "").split(",") if url.strip()]
    return not beyond or any(_answers(url) for url in beyond)


def _answers(url: str) -> bool:
    try:
        return net.call("control", "GET", url, timeout=PATIENCE).status < 500
    except (net.NotSent, net.NoAnswer) as error:
        log.warning("the control page %s: %s", url, error)
        return False


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._say(_FIRST)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length") or 0))
        self._say(_LAST)

    def _say(self, page: bytes) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.send_header("content-length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def _target() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Page)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

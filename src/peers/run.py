"""The command line that all peers share: `python -m peers.NAME --port N --journal FILE`."""

import argparse
import logging
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from peers.journal import Journal, JournalDamaged
from peers.outgoing import Pump, Sends
from peers.server import Answers, Server


class Peer(Answers, Sends, Protocol):
    """A whole peer: it answers and it sends."""

    base_url: str

    def close(self) -> None:
        """Let go of the journal."""


@contextmanager
def serving(peer: Peer, port: int = 0, public_url: str = "") -> Iterator[Server]:
    """The peer behind HTTP in this process, until the block ends."""
    with Server(peer, port) as server:
        peer.base_url = public_url or server.url
        pump = Pump(peer)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        pump.start()
        try:
            yield server
        finally:
            server.stop()
            pump.stop()
            peer.close()


def main(name: str, make: Callable[[Journal], Peer], arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C. Says where it listens on standard output; 1 if it cannot."""
    parser = argparse.ArgumentParser(prog=f"python -m peers.{name}")
    parser.add_argument("--port", type=int, default=0, help="0 finds a free one and says it")
    parser.add_argument("--journal", type=Path, help="keep all decisions in this file; without it, in memory only")
    parser.add_argument("--no-fsync", action="store_true", help="survive a kill, but not a power cut")
    parser.add_argument("--public-url", default="", help="how the outside reaches it, if not by 127.0.0.1 and the port")
    chosen = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format=f"{name}: %(message)s")
    stops = (signal.SIGTERM, signal.SIGINT)
    signal.pthread_sigmask(signal.SIG_BLOCK, stops)  # before any thread starts: they inherit it
    try:
        peer = make(Journal(chosen.journal, fsync=not chosen.no_fsync))
        with serving(peer, chosen.port, chosen.public_url) as server:
            sys.stdout.write(f"listening 127.0.0.1:{server.port}\n")
            sys.stdout.flush()
            signal.sigwait(stops)
    except (OSError, RuntimeError, JournalDamaged) as fault:
        sys.stderr.write(f"{name}: {fault}\n")
        return 1
    return 0

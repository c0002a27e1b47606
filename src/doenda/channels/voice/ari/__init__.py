"""Our client of Asterisk's REST interface (ARI): one connection for events, commands over HTTP, no thread.

It reconnects for ever, tells what it found after each connect (events of the time without a connection are lost, not
queued), takes "it is gone" for an answer, and stops when another client of the same application took over.
"""

from doenda.channels.voice.ari.client import Ari, AriError, Away, Gone, Replaced
from doenda.channels.voice.ari.events import (
    Channel,
    Connected,
    Destroyed,
    Digit,
    Ended,
    Event,
    Played,
    Started,
    Unknown,
    read,
)

__all__ = [
    "Ari",
    "AriError",
    "Away",
    "Channel",
    "Connected",
    "Destroyed",
    "Digit",
    "Ended",
    "Event",
    "Gone",
    "Played",
    "Replaced",
    "Started",
    "Unknown",
    "read",
]

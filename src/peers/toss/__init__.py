"""Toss Payments (core API 2022-11-16) as a peer: a faithful fake with books of its own, its page, and faults.

`Toss` is the truth; `python -m peers.toss` puts it behind HTTP. What Toss does not document is marked so.
It may touch peers' shared files and its journal only.
"""

from peers.toss.truth import Toss

__all__ = ["Toss"]

"""PortOne V2 (OpenAPI 1.16.0) as a peer: a faithful fake with books of its own, its page and script, and faults.

`PortOne` is the truth; `python -m peers.portone` puts it behind HTTP. What PortOne does not document is marked so.
It may touch peers' shared files and its journal only.
"""

from peers.portone.truth import PortOne

__all__ = ["PortOne"]

"""The handset network: takes text messages, brings them to virtual handsets, reports delivery, and fails as it is told.

`Handset` is the truth; `python -m peers.handset` puts it behind HTTP.
It may touch peers' shared files and its journal only.
"""

from peers.handset.truth import Handset

__all__ = ["Handset"]

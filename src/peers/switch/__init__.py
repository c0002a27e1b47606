"""The network switch: bars and unbars lines, in the shape of TM Forum's TMF640 v4.0.0, and fails as it is told.

`Switch` is the truth; `python -m peers.switch` puts it behind HTTP.
It may touch peers' shared files and its journal only.
"""

from peers.switch.truth import Switch

__all__ = ["Switch"]

"""The bank at which the carrier's pool of account numbers lives: anybody may pay anything into any of them.

`Deposits` is the truth; `python -m peers.deposits` puts it behind HTTP. It opens and closes numbers, lists what
arrived, returns it to its sender, takes it back, closes at night, and fails as it is told. May touch its journal only.
"""

from peers.deposits.truth import Deposits

__all__ = ["Deposits"]

"""The sandbox bank: takes cards and transfers in two steps, pays back, keeps books, and fails as it is told.

`Bank` is the truth; `python -m peers.bank` puts it behind HTTP. Its API is its own, after the pattern of Toss Payments.
It may touch peers' shared files and its journal only.
"""

from peers.bank.truth import Bank

__all__ = ["Bank"]

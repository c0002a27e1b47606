"""The clearing house: takes debit files, debits its own books of bank accounts, answers with result files, and fails.

`Clearing` is the truth; `python -m peers.clearing` puts it behind HTTP. Fixed-width CMS-like files and SEPA's XML.
It may touch peers' shared files and its journal only.
"""

from peers.clearing.truth import Clearing

__all__ = ["Clearing"]

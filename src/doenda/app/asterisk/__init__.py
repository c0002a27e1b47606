"""A real Asterisk on loopback for the demo and the tests: Debian's packages, unpacked and run, nothing installed.

A carrier's own Asterisk needs only what `instance.py` writes for ARI and the dialplan (docs/voice.md).
"""

from doenda.app.asterisk.instance import Asterisk, NotReady
from doenda.app.asterisk.packages import NoAsterisk, fetched

__all__ = ["Asterisk", "NoAsterisk", "NotReady", "fetched"]

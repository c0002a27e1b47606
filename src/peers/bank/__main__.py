"""`python -m peers.bank`."""

import sys

from peers.bank import Bank
from peers.run import main

sys.exit(main("bank", Bank))

"""`python -m peers.deposits`."""

import sys

from peers.deposits import Deposits
from peers.run import main

sys.exit(main("deposits", Deposits))

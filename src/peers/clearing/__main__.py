"""`python -m peers.clearing`."""

import sys

from peers.clearing import Clearing
from peers.run import main

sys.exit(main("clearing", Clearing))

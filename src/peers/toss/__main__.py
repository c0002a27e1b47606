"""`python -m peers.toss`."""

import sys

from peers.run import main
from peers.toss import Toss

sys.exit(main("toss", Toss))

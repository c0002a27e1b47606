"""`python -m peers.portone`."""

import sys

from peers.portone import PortOne
from peers.run import main

sys.exit(main("portone", PortOne))

"""`python -m peers.handset`."""

import sys

from peers.handset import Handset
from peers.run import main

sys.exit(main("handset", Handset))

"""`python -m peers.switch`."""

import sys

from peers.run import main
from peers.switch import Switch

sys.exit(main("switch", Switch))

"""An embedded PostgreSQL from a wheel's binaries: started, adopted, recovered, stopped; a throwaway one for tests.

Reached only over a Unix socket in a folder of mode 0700; one server a data folder, however many processes ask for it.
May touch: the data folder, its own copy of the binaries, the operating system's processes; nothing of doenda.
"""

from doenda.kernel.embedded.osuser import EmbeddedError
from doenda.kernel.embedded.places import default_data
from doenda.kernel.embedded.server import APP, DATABASE, OWNER, SETTINGS, Server, ensure
from doenda.kernel.embedded.throwaway import FAST, throwaway

__all__ = [
    "APP",
    "DATABASE",
    "FAST",
    "OWNER",
    "SETTINGS",
    "EmbeddedError",
    "Server",
    "default_data",
    "ensure",
    "throwaway",
]

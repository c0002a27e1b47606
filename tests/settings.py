"""The settings of a test run: strict seams, no pool, a movable clock. The database is made by conftest.py."""

import os

os.environ.update(
    {
        "DOENDA_STRICT": "1",
        "DOENDA_POOL": "0",
        "DOENDA_LOG": "ERROR",
        "DOENDA_SEALING_KEYS": "b25lLWtleS1vZi10aGUtdGVzdHMtMzItYnl0ZXMtbG8=",
        "DATABASE_URL": "postgresql://doenda_app@/unset?host=/nowhere",
    }
)
for name in ("DATABASE_OWNER_URL", "DOENDA_DEMO", "DOENDA_BASE_URL"):
    os.environ.pop(name, None)

from doenda.app.settings import *  # noqa: E402, F403

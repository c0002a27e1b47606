"""One process at a time: whoever holds a name's lease does its work, a standby takes it over when it lapses.

The holder renews it well before it lapses, and stops its work when it could not: then nobody else has begun yet.
"""

import hashlib
import os
import socket
from datetime import timedelta
from pathlib import Path

from django.db import connection

from doenda.kernel import clock
from doenda.kernel.db import atomic
from doenda.kernel.models import Lease
from doenda.kernel.randomness import token_bytes


def acquire(name: str, holder: str, lease: timedelta) -> bool:
    """Take the lease, or renew it. False: somebody else holds it. One statement, durable at once."""
    now = clock.now()
    with atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO kernel_lease AS held (name, holder, until) VALUES (%(name)s, %(holder)s, %(until)s)"
            " ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until"
            " WHERE held.holder = excluded.holder OR held.until <= %(now)s",
            {"name": name, "holder": holder, "until": now + lease, "now": now},
        )
        return bool(cursor.rowcount)


def release(name: str, holder: str) -> None:
    """Give it back: a standby need not wait for its end. Nothing if somebody else holds it."""
    with atomic():
        Lease.objects.filter(name=name, holder=holder).update(until=clock.now())


def holder(name: str) -> str:
    """Who has it just now; "" if nobody."""
    found = Lease.objects.filter(name=name, until__gt=clock.now()).values_list("holder", flat=True).first()
    return found or ""


def this_process() -> str:
    """A holder's name for this process: where it runs, its id, and a word by which a later one with that id differs."""
    return f"{_here()} {os.getpid()} {token_bytes(4).hex()}"


def dead(holder: str) -> bool:
    """Whether the holder was a process of those that we see, and is no more: its lease need not be waited for."""
    where, _, rest = holder.partition(" ")
    pid, _, _ = rest.partition(" ")
    return where == _here() and pid.isdigit() and not Path(f"/proc/{pid}").exists()


def _here() -> str:
    """The host with its start, and which of its processes we see: two containers may share a host's name, or a name
    come back after a restart, and a process id of one says nothing in the other."""
    try:
        seen = Path("/proc/sys/kernel/random/boot_id").read_text().strip() + str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        seen = token_bytes(8).hex()  # nothing to be known by: nobody is taken for dead
    return f"{socket.gethostname()[:30]}/{hashlib.sha256(seen.encode()).hexdigest()[:12]}"


def held(name: str) -> bool:
    """Does anybody do this work just now?"""
    return Lease.objects.filter(name=name, until__gt=clock.now()).exists()

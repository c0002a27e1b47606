"""One process at a time: whoever holds a name's lease does its work, a standby takes it over when it lapses.

The holder renews it well before it lapses, and stops its work when it could not: then nobody else has begun yet.
"""

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
    """A holder's name for this process: host, process id, and a word by which a later one with the same id differs."""
    return f"{socket.gethostname()} {os.getpid()} {token_bytes(4).hex()}"


def dead(holder: str) -> bool:
    """Whether the holder was a process of this host that is no more: its lease need not be waited for."""
    host, _, rest = holder.partition(" ")
    pid, _, _ = rest.partition(" ")
    return host == socket.gethostname() and pid.isdigit() and not Path(f"/proc/{pid}").exists()


def held(name: str) -> bool:
    """Does anybody do this work just now?"""
    return Lease.objects.filter(name=name, until__gt=clock.now()).exists()

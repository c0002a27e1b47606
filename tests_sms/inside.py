"""Inside a network namespace of its own: Kannel, which listens on every address, and a door to it by a Unix socket.

`unshare -rn python inside.py FOLDER OPENSMPPBOX`: the folder gets the configuration, the logs and the socket `door`.
Ends, with everything that it started, when its standard input does.
"""

import contextlib
import fcntl
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

KANNEL = """
group = core
admin-port = 13000
admin-interface = 127.0.0.1
admin-password = only-in-here
smsbox-port = 13001
smsbox-interface = 127.0.0.1
box-allow-ip = "127.0.0.1"
dlr-storage = internal

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = 13013

group = smsc
smsc = fake
smsc-id = fake
port = 10000
connect-allow-ip = 127.0.0.1
"""
SMPPBOX = """
group = core
dlr-storage = internal

group = opensmppbox
opensmppbox-id = box1
opensmppbox-port = 2345
bearerbox-host = 127.0.0.1
bearerbox-port = 13001
our-system-id = SMSC
route-to-smsc = fake
smpp-logins = {folder}/logins.txt
"""
LOGINS = "doenda hush-hus VMA *.*.*.*\n"
SMPP = 2345


def loopback_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        fcntl.ioctl(one, 0x8914, struct.pack("16sh14x", b"lo", 0x1 | 0x40))  # SIOCSIFFLAGS: IFF_UP, IFF_RUNNING


def listens(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def start(folder: Path, name: str, *command: str, port: int = 0) -> subprocess.Popen[bytes]:
    made = subprocess.Popen(command, stdout=(folder / f"{name}.log").open("wb"), stderr=subprocess.STDOUT, cwd=folder)
    for _ in range(200):
        if not port or listens(port):
            return made
        if made.poll() is not None:
            break
        time.sleep(0.05)
    raise SystemExit(f"{name} does not listen on {port}")


def carry(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while octets := source.recv(65_536):
            sink.sendall(octets)
    for each in (source, sink):
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


def door(folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(folder / "door"))
        listening.listen()
        while True:
            outside, _ = listening.accept()
            try:
                centre = socket.create_connection(("127.0.0.1", SMPP))
            except OSError:
                outside.close()
                continue
            for pair in ((outside, centre), (centre, outside)):
                threading.Thread(target=carry, args=pair, daemon=True).start()


def main(folder: Path, smppbox: str) -> None:
    loopback_up()
    (folder / "kannel.conf").write_text(KANNEL.lstrip(), encoding="ascii")
    (folder / "smppbox.conf").write_text(SMPPBOX.lstrip().format(folder=folder), encoding="ascii")
    (folder / "logins.txt").write_text(LOGINS, encoding="ascii")
    phones = ("-H", "127.0.0.1", "-r", "10000", "-i", "1", "-m", "0", "1 2 text nop")
    started: list[subprocess.Popen[bytes]] = []
    try:
        started.append(start(folder, "bearerbox", "bearerbox", "-v", "1", "kannel.conf", port=13001))
        started.append(start(folder, "phones", "/usr/lib/kannel/test/fakesmsc", *phones))
        started.append(start(folder, "smppbox", smppbox, "-v", "0", "smppbox.conf", port=SMPP))
        threading.Thread(target=door, args=(folder,), daemon=True).start()
        sys.stdin.read()
    finally:
        for each in reversed(started):
            each.send_signal(signal.SIGKILL)
            each.wait()
        os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])

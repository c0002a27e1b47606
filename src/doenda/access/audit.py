"""The audit trail: who did or saw what, kept where nobody can rewrite it."""

from typing import Any
from uuid import UUID

from doenda.access.models import AuditEntry


def note(
    actor: str, action: str, *, subject_id: UUID | None = None, account_id: UUID | None = None, **detail: Any
) -> AuditEntry:
    """Add an entry in the caller's transaction. `actor` is "user:<id>", "customer", "probe" or a process's name."""
    return AuditEntry.objects.create(
        actor=actor, action=action, subject_id=subject_id, account_id=account_id, detail=detail
    )

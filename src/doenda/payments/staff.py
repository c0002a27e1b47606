"""Who may do what at a counter and at the refunds desk. An actor is "user:<id>", or "<role>:<name>" from a console.

Whoever calls has made sure that the actor is who they say; here it is only asked whether such a person may do it.
"""

from uuid import UUID

from doenda.access.models import Role, User

MAY = {
    "take": {Role.CLERK, Role.OPERATOR},
    "second": {Role.CLERK, Role.OPERATOR},
    "store": {Role.OPERATOR},
    "refund": {Role.AGENT, Role.COLLECTIONS, Role.OPERATOR},
    "approve": {Role.COLLECTIONS, Role.OPERATOR},
}
LONGEST = 80


def person(actor: str) -> str:
    """Who it is, however the name is spelled and in whatever role: to be compared, never stored."""
    kind, _, name = actor.rpartition(":")
    if kind == "user":
        try:
            return f"user:{UUID(name)}"
        except ValueError:
            return actor
    return name.strip().casefold()


class NotAllowed(PermissionError):
    """This person may not do this, or not so; the message says why."""


def role_of(actor: str) -> Role | None:
    """The actor's role; None for a stranger, or a member of staff who has left."""
    kind, _, name = actor.partition(":")
    if not name or len(actor) > LONGEST:
        return None
    if kind != "user":
        return Role(kind) if kind in Role.values else None
    try:
        user = User.objects.filter(pk=UUID(name), is_active=True).first()
    except ValueError:
        return None
    return Role(user.role) if user else None


def may(actor: str, act: str) -> bool:
    """May this actor do this? `act` is a key of MAY."""
    return role_of(actor) in MAY[act]


def require(actor: str, act: str) -> None:
    """Raises NotAllowed unless the actor may."""
    if not may(actor, act):
        raise NotAllowed(f"{actor[:LONGEST] or 'nobody'} may not do this ({act})")


def require_second(second: str, *, besides: str) -> None:
    """Raises NotAllowed unless `second` is somebody else than `besides`, and may be a second pair of eyes."""
    if person(second) == person(besides):
        raise NotAllowed("a second person must agree")
    require(second, "second")

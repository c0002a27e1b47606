"""`field__in=[…]` of very many values: one array, not a parameter each, of which a statement has 65,535 at most."""

from typing import Any

from django.db.models.expressions import ColPairs
from django.db.models.fields.related_lookups import RelatedIn
from django.db.models.lookups import In

FEW = 1000
"""So many values stay what Django makes of them: the planner knows a short list better than an array."""


def _as_postgresql(lookup: Any, compiler: Any, connection: Any) -> Any:
    plain = type(lookup) in {In, RelatedIn} and not isinstance(lookup.lhs, ColPairs)
    if not (plain and lookup.rhs_is_direct_value() and len(lookup.rhs) > FEW):
        return lookup.as_sql(compiler, connection)
    lhs, lhs_params = lookup.process_lhs(compiler, connection)
    wanted = [value for value in lookup.rhs if value is not None]  # NULL is like nothing
    _, values = lookup.batch_process_rhs(compiler, connection, wanted)
    return f"{lhs} = ANY(%s)", (*lhs_params, list(values))


def install() -> None:
    """Teach Django's lookup, through its own door for what a vendor does otherwise."""
    In.as_postgresql = _as_postgresql  # type: ignore[attr-defined]

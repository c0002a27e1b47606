from doenda.payments.models import AttemptEdge
from doenda.payments.states import EDGES


def test_the_database_knows_exactly_the_declared_moves(db: None) -> None:
    assert set(AttemptEdge.objects.values_list("source", "target")) == {(str(a), str(b)) for a, b in EDGES}

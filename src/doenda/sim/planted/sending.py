"""Mistakes about what leaves the house: effects outside their transaction, forgotten, doubled, or believed."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock
from uuid import UUID

from django.db import transaction

from doenda.dunning import effects, network
from doenda.dunning.models import LineCommand
from doenda.dunning.words import Bar
from doenda.kernel import outbox
from doenda.kernel.db import atomic
from doenda.kernel.ids import new_id, outside
from doenda.kernel.models import OutboxRow
from doenda.notices import gateways
from doenda.notices.gateways.handset import Handset
from doenda.sim.planted import scenes
from doenda.sim.planted.fairness import BARRED, NOTICED, OWES
from doenda.sim.planted.hunting import Hunt, Planted


@contextmanager
def _after_the_commit() -> Iterator[None]:
    real = outbox.put

    def put(
        kind: str,
        key: str,
        payload: dict[str, object],
        *,
        account_id: UUID | None = None,
        due_in: float = 0,
        claimed: bool = False,
    ) -> OutboxRow:
        if claimed:
            return real(kind, key, payload, account_id=account_id, due_in=due_in, claimed=True)

        def write() -> None:
            with atomic():
                real(kind, key, payload, account_id=account_id, due_in=due_in)

        transaction.on_commit(write)
        return OutboxRow(kind=kind, key=key, payload=payload, account_id=account_id)

    with mock.patch.object(outbox, "put", put):
        yield


@contextmanager
def _done_before_sent() -> Iterator[None]:
    real = outbox.send_claimed

    def send_claimed(row: OutboxRow, handler: outbox.Handler | None = None) -> outbox.Outcome:
        with atomic():
            outbox.finish(row)
        return real(row, handler)

    with mock.patch.object(outbox, "send_claimed", send_claimed):
        yield


@contextmanager
def _text_under_a_new_id() -> Iterator[None]:
    real, used = Handset.send, set[str]()

    def send(self: Handset, ref: str, to: str, text: str, kind: str) -> gateways.HandOver:
        again = ref in used
        used.add(ref)
        return real(self, outside(new_id()) if again else ref, to, text, kind)

    with mock.patch.object(Handset, "send", send):
        yield


@contextmanager
def _restore_forgotten() -> Iterator[None]:
    with mock.patch.object(effects, "_open_lines", return_value=None):
        yield


@contextmanager
def _switch_believed() -> Iterator[None]:
    """What the switch answers is what it did."""
    asked: dict[UUID, Bar] = {}
    real = network._patch

    def patch(command: LineCommand) -> None:
        real(command)
        asked[command.line_id] = Bar(command.wanted)

    with mock.patch.object(network, "_patch", patch), mock.patch.object(network, "_read", asked.get):
        yield


_PAYS = scenes.named("pays", scenes.pays_one("sandbox"))
_PAYS_ALL = scenes.named("pays_all", scenes.pays_all("sandbox"))
_HANDSETS_DOWN = scenes.named("handsets_down", scenes.ill("handset", {"fault": "down"}))
_NOT_TOLD = scenes.named("text_untold", scenes.ill("handset", {"fault": "timeout_after", "remaining": 1}))
_LIES = scenes.named("switch_lies", scenes.ill("switch", {"fault": "lie", "remaining": 1}))
_MINUTE = scenes.named("a_minute", scenes.later(seconds=65))
_NOT_YET = scenes.named("restore_waits", scenes.mornings(1))

PLANTED = (
    Planted(
        "effect after the commit",
        "effects are written by on_commit instead of in the transaction (transaction.on_commit is no outbox)",
        _after_the_commit,
        Hunt(("sandbox",), ("pays", "worker_outbox"), extra=(_PAYS,), dies=True, from_point=22),
        frozenset({"I12"}),
    ),
    Planted(
        "done before it is sent",
        "a worker marks an effect done, then sends it",
        _done_before_sent,
        Hunt(
            ("sandbox",), ("handsets_down", "pays", "a_minute", "worker_outbox"), extra=(_PAYS, _HANDSETS_DOWN, _MINUTE)
        ),
        frozenset({"I12"}),
    ),
    Planted(
        "text under a new id",
        "a repeated text is a new one to the gateway",
        _text_under_a_new_id,
        Hunt(
            ("sandbox",),
            ("text_untold", "pays", "a_minute", "worker_outbox", "a_minute", "worker_outbox"),
            extra=(_PAYS, _NOT_TOLD, _MINUTE),
        ),
        frozenset({"I12"}),
    ),
    Planted(
        "restore forgotten",
        "whoever has paid everything stays barred",
        _restore_forgotten,
        Hunt(("sandbox", "toss"), ("owes", "barred", "pays_all"), extra=(OWES, BARRED, _PAYS_ALL)),
        frozenset({"I8"}),
    ),
    Planted(
        "switch believed",
        "the switch's answer is believed, and the service is not read back",
        _switch_believed,
        Hunt(("sandbox", "toss"), ("owes", "noticed", "switch_lies", "barred"), extra=(OWES, NOTICED, _LIES, BARRED)),
        frozenset({"I12", "I8"}),
    ),
)

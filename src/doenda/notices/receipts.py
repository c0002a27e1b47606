"""Delivery receipts: accepted notices are asked for until they are delivered, failed, or too old to hope."""

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import transaction

from doenda.kernel import clock, facts, ids, once, sweeps
from doenda.kernel.db import durable
from doenda.notices import gateways, policy, reaching
from doenda.notices.handing_over import failed
from doenda.notices.models import Delivery, Notice

if TYPE_CHECKING:
    from django.db.models import QuerySet


@sweeps.sweep("receipts", every=2)
def sweep(limit: int = 100) -> int:
    """Ask for the receipts that are due, one notice after the other. Returns the notices asked for."""
    for done in range(limit):
        notice = _claim()
        if notice is None:
            return done
        receipt = gateways.named(notice.gateway).receipt(ids.outside(notice.pk))
        durable(lambda n=notice, r=receipt: _conclude(n, r))  # type: ignore[misc]
    return limit


def _claim() -> Notice | None:
    with transaction.atomic():
        notice = _due.first(now=clock.now())
        if notice is not None:
            notice.put(receipt_due_at=clock.now() + _pause(notice))
        return notice


@once.query
def _due(now: once.Open) -> "QuerySet[Notice]":
    due = Notice.objects.filter(state=Notice.State.SENT, receipt_due_at__lte=now)
    return due.select_for_update(skip_locked=True).order_by("receipt_due_at", "pk")[:1]


@once.query
def _locked(notice_id: once.Open) -> "QuerySet[Notice]":
    return Notice.objects.filter(pk=notice_id).select_for_update()


def _pause(notice: Notice) -> timedelta:
    age = clock.now() - (notice.sent_at or notice.created_at)
    if age < timedelta(minutes=1):
        return timedelta(seconds=1)
    return timedelta(seconds=30) if age < timedelta(hours=1) else timedelta(minutes=10)


def _conclude(asked: Notice, receipt: gateways.Receipt) -> None:
    notice = _locked.one(notice_id=asked.pk)
    if notice.state != Notice.State.SENT:
        return
    now = clock.now()
    if receipt.state == "delivered":
        notice.put(state=Notice.State.DELIVERED, delivered_at=now)
        _note(notice, Delivery.Event.DELIVERED)
        reaching.worked(notice)
        facts.record(
            "notices.delivered",
            notice.account_id,
            {"notice_id": str(notice.pk), "kind": notice.kind, "at": now.isoformat()},
        )
    elif receipt.state == "failed":
        reaching.failed(notice, notice.gateway, customers=True, why=receipt.reason)
        _fail(notice, receipt.reason or "the gateway says that it was not delivered")
    elif now - (notice.sent_at or now) >= policy.current().longest:
        reaching.failed(notice, notice.gateway, customers=False, why="no delivery receipt came")
        _fail(notice, "no delivery receipt came")


def _fail(notice: Notice, reason: str) -> None:
    notice.put(state=Notice.State.FAILED, held_reason=reason[:200])
    _note(notice, Delivery.Event.FAILED, reason)
    failed(notice, reason)


def _note(notice: Notice, event: Delivery.Event, detail: str = "") -> None:
    ref = ids.outside(notice.pk)
    Delivery(
        notice=notice, gateway=notice.gateway, gateway_ref=ref, at=clock.now(), event=event, detail=detail[:200]
    ).insert()

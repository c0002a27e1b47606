"""Delivery receipts: accepted notices are asked for until they are delivered, failed, or too old to hope."""

from datetime import timedelta

from django.db import transaction

from doenda.kernel import clock, facts, ids, sweeps
from doenda.kernel.db import durable
from doenda.notices import gateways, policy, reaching
from doenda.notices.handing_over import failed
from doenda.notices.models import Delivery, Notice


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
        due = Notice.objects.filter(state=Notice.State.SENT, receipt_due_at__lte=clock.now())
        notice = due.select_for_update(skip_locked=True).order_by("receipt_due_at", "pk").first()
        if notice is not None:
            notice.receipt_due_at = clock.now() + _pause(notice)
            notice.save(update_fields=["receipt_due_at"])
        return notice


def _pause(notice: Notice) -> timedelta:
    age = clock.now() - (notice.sent_at or notice.created_at)
    if age < timedelta(minutes=1):
        return timedelta(seconds=1)
    return timedelta(seconds=30) if age < timedelta(hours=1) else timedelta(minutes=10)


def _conclude(asked: Notice, receipt: gateways.Receipt) -> None:
    notice = Notice.objects.select_for_update().get(pk=asked.pk)
    if notice.state != Notice.State.SENT:
        return
    now = clock.now()
    if receipt.state == "delivered":
        notice.state, notice.delivered_at = Notice.State.DELIVERED, now
        notice.save(update_fields=["state", "delivered_at"])
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
    notice.state, notice.held_reason = Notice.State.FAILED, reason[:200]
    notice.save(update_fields=["state", "held_reason"])
    _note(notice, Delivery.Event.FAILED, reason)
    failed(notice, reason)


def _note(notice: Notice, event: Delivery.Event, detail: str = "") -> None:
    ref = ids.outside(notice.pk)
    Delivery.objects.create(
        notice=notice, gateway=notice.gateway, gateway_ref=ref, at=clock.now(), event=event, detail=detail[:200]
    )

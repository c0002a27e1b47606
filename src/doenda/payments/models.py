"""Every row of this room, for Django and for whoever asks: the attempts' own, and those of each way's own books."""

from doenda.payments.counter.models import DrawerMove, Payout, Receipt, Shift, Slip, Store, StoreYear, Taking
from doenda.payments.debit.models import DebitAnswer, DebitCursor, DebitFile, DebitItem, DebitParked, Mandate
from doenda.payments.deposits.models import DepositFeed, DepositLease, DepositLine, DepositNumber
from doenda.payments.reconciliation.models import ReconLine, ReconRun
from doenda.payments.rows import Attempt, AttemptBill, AttemptEdge, AttemptMove, Doorbell, Refund, RefundCase

__all__ = [
    "Attempt",
    "AttemptBill",
    "AttemptEdge",
    "AttemptMove",
    "DebitAnswer",
    "DebitCursor",
    "DebitFile",
    "DebitItem",
    "DebitParked",
    "DepositFeed",
    "DepositLease",
    "DepositLine",
    "DepositNumber",
    "Doorbell",
    "DrawerMove",
    "Mandate",
    "Payout",
    "Receipt",
    "ReconLine",
    "ReconRun",
    "Refund",
    "RefundCase",
    "Shift",
    "Slip",
    "Store",
    "StoreYear",
    "Taking",
]

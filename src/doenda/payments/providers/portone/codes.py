"""PortOne's words in ours. A code that is not listed is UNKNOWN, whatever its status; so is every 5xx (design rule 3).

Status names and error types as in OpenAPI 1.16.0.
"""

from doenda.payments.providers.contract import Outcome

STATUSES = {
    # Nothing is taken yet, and nothing can be stopped: PortOne knows no void of what is not confirmed. So it counts
    # like "not found": only once PortOne's longest time has passed since we asked for the money.
    "READY": Outcome.NOT_FOUND,
    "PENDING": Outcome.UNKNOWN,  # only the list's filter says so
    "PAY_PENDING": Outcome.UNKNOWN,  # the gateway is at it: money may move without us
    "VIRTUAL_ACCOUNT_ISSUED": Outcome.NEEDS_DEPOSIT,
    "PAID": Outcome.PAID,
    "PARTIAL_CANCELLED": Outcome.PAID,  # with `given_back`
    "FAILED": Outcome.REFUSED,
    "CANCELLED": Outcome.GIVEN_BACK,
}

CODES = {
    "INVALID_REQUEST": Outcome.OUR_FAULT,
    "UNAUTHORIZED": Outcome.OUR_FAULT,
    "FORBIDDEN": Outcome.OUR_FAULT,
    "CHANNEL_NOT_FOUND": Outcome.OUR_FAULT,
    "INFORMATION_MISMATCH": Outcome.OUR_FAULT,  # our amount or currency is not the payment's: refused before any money
    "MAX_TRANSACTION_COUNT_REACHED": Outcome.OUR_FAULT,
    "DISCOUNT_AMOUNT_EXCEEDS_TOTAL_AMOUNT": Outcome.OUR_FAULT,
    "SUM_OF_PARTS_EXCEEDS_TOTAL_AMOUNT": Outcome.OUR_FAULT,
    "PROMOTION_PAY_METHOD_DOES_NOT_MATCH": Outcome.OUR_FAULT,
    "PAYMENT_SCHEDULE_ALREADY_EXISTS": Outcome.OUR_FAULT,
    "INVALID_PAYMENT_TOKEN": Outcome.EXPIRED,  # wrong, too old, or used: so from a retry it is UNKNOWN
    "PAYMENT_NOT_FOUND": Outcome.NOT_FOUND,
    "ALREADY_PAID": Outcome.UNKNOWN,  # by whom, and how much? Ask.
    "ALREADY_PAID_OR_WAITING": Outcome.UNKNOWN,
    "IDEMPOTENCY_OUTSTANDING_REQUEST": Outcome.UNKNOWN,  # still running: the same key again, or ask
    "PG_PROVIDER": Outcome.UNKNOWN,  # the gateway said no, or nothing; the payment's status will tell
}

CANCEL_CODES = CODES | {
    "PAYMENT_ALREADY_CANCELLED": Outcome.GIVEN_BACK,  # all of it, so also our part
    "PAYMENT_NOT_PAID": Outcome.REFUSED,
    "CANCEL_AMOUNT_EXCEEDS_CANCELLABLE_AMOUNT": Outcome.REFUSED,
    "CANCELLABLE_AMOUNT_CONSISTENCY_BROKEN": Outcome.UNKNOWN,  # something else was given back meanwhile: look again
    "CANCEL_TAX_AMOUNT_EXCEEDS_CANCELLABLE_TAX_AMOUNT": Outcome.OUR_FAULT,
    "CANCEL_TAX_FREE_AMOUNT_EXCEEDS_CANCELLABLE_TAX_FREE_AMOUNT": Outcome.OUR_FAULT,
    "SUM_OF_PARTS_EXCEEDS_CANCEL_AMOUNT": Outcome.OUR_FAULT,
    "PAYMENT_NOT_FOUND": Outcome.UNKNOWN,  # of a payment that was paid
}

CANCELLATIONS = {
    "SUCCEEDED": Outcome.GIVEN_BACK,
    "REQUESTED": Outcome.UNKNOWN,  # a virtual account takes a day or two: asked until it is there
    "FAILED": Outcome.REFUSED,
}

CLOSE_CODES = CODES | {"PAYMENT_NOT_WAITING_FOR_DEPOSIT": Outcome.UNKNOWN}

SAYS = {
    "Transaction.Ready": Outcome.PENDING,
    "Transaction.Paid": Outcome.PAID,
    "Transaction.VirtualAccountIssued": Outcome.NEEDS_DEPOSIT,
    "Transaction.Failed": Outcome.REFUSED,
    "Transaction.Cancelled": Outcome.GIVEN_BACK,
}
"""What a doorbell claims. Every other type (PartialCancelled, PayPending, CancelPending, DisputeCreated,
DisputeResolved, and those that are new to us) claims nothing: it is a reason to ask."""

EVENTS = {"PAID": "paid", "PARTIAL_CANCELLED": "given_back", "CANCELLED": "given_back"}

PAY_METHODS = {"card": "CARD", "transfer": "TRANSFER"}
LOCALES = {"ko": "KO_KR", "en": "EN_US"}

CANCELLED_BY_PAYER = frozenset({"PAY_PROCESS_CANCELED", "USER_CANCEL"})
"""Codes with which the page sends back a payer who pressed cancel: the gateway's (`pgCode`), or PortOne's."""

BANKS = {
    "002": "KDB",
    "003": "IBK",
    "004": "KOOKMIN",
    "007": "SUHYUP",
    "011": "NONGHYUP",
    "012": "LOCAL_NONGHYUP",
    "020": "WOORI",
    "023": "STANDARD_CHARTERED",
    "027": "CITI",
    "031": "DAEGU",
    "032": "BUSAN",
    "034": "KWANGJU",
    "035": "JEJU",
    "037": "JEONBUK",
    "039": "KYONGNAM",
    "045": "KFCC",
    "048": "SHINHYUP",
    "050": "SAVINGS_BANK",
    "054": "HSBC",
    "055": "DEUTSCHE",
    "057": "JPMC",
    "060": "BANK_OF_AMERICA",
    "061": "BNP_PARIBAS",
    "062": "ICBC",
    "064": "NFCF",
    "071": "POST",
    "081": "HANA",
    "088": "SHINHAN",
    "089": "K_BANK",
    "090": "KAKAO",
    "092": "TOSS",
}
"""The country's three-digit bank codes in PortOne's words."""

BANK_CODES = {name: code for code, name in BANKS.items()}


def bank_name(code: str) -> str:
    """PortOne's name of a bank by its code (or by that name); "" if it is not listed."""
    return BANKS.get(code, code if code in BANK_CODES else "")

"""Toss's words in ours. A code that is not listed is UNKNOWN, and so is any code of a 409, 429 or 5xx (design rule 3).

Codes: docs.tosspayments.com/reference/error-codes (August 2026).
"""

from collections.abc import Mapping

from doenda.payments.providers.contract import Outcome

STATUSES: Mapping[str, Outcome] = {
    # Nothing is taken, and nothing can be stopped: Toss cancels no session that is not paid. So it counts like "not
    # found": only once Toss lets the session expire, or its longest time has passed since we asked for the money.
    "READY": Outcome.NOT_FOUND,
    "IN_PROGRESS": Outcome.NOT_FOUND,
    "WAITING_FOR_DEPOSIT": Outcome.NEEDS_DEPOSIT,
    "DONE": Outcome.PAID,
    "ABORTED": Outcome.REFUSED,
    "EXPIRED": Outcome.EXPIRED,
    "CANCELED": Outcome.GIVEN_BACK,
    "PARTIAL_CANCELED": Outcome.PAID,  # and a part of it given back
}

_PAYER = (
    *("INVALID_REJECT_CARD", "INVALID_STOPPED_CARD", "INVALID_CARD_EXPIRATION", "INVALID_CARD_LOST_OR_STOLEN"),
    *("INVALID_CARD_NUMBER", "INVALID_CARD_INSTALLMENT_PLAN", "INVALID_CARD_IDENTITY", "INVALID_CARD_PASSWORD"),
    *("NOT_ALLOWED_POINT_USE", "EXCEED_MAX_CARD_INSTALLMENT_PLAN", "NOT_SUPPORTED_CARD_TYPE"),
    "NOT_SUPPORTED_INSTALLMENT_PLAN_CARD_OR_MERCHANT",
    *("NOT_SUPPORTED_MONTHLY_INSTALLMENT_PLAN", "NOT_SUPPORTED_MONTHLY_INSTALLMENT_PLAN_BELOW_AMOUNT"),
    "INVALID_ACCOUNT_INFO_RE_REGISTER",
    *("EXCEED_MAX_DAILY_PAYMENT_COUNT", "EXCEED_MAX_PAYMENT_AMOUNT", "EXCEED_MAX_AMOUNT", "EXCEED_MAX_AUTH_COUNT"),
    *("EXCEED_MAX_ONE_DAY_AMOUNT", "EXCEED_MAX_ONE_DAY_WITHDRAW_AMOUNT", "EXCEED_MAX_ONE_TIME_WITHDRAW_AMOUNT"),
    *("EXCEED_MAX_MONTHLY_PAYMENT_AMOUNT", "BELOW_MINIMUM_AMOUNT", "INVALID_PASSWORD", "RESTRICTED_TRANSFER_ACCOUNT"),
    *("REJECT_ACCOUNT_PAYMENT", "REJECT_CARD_PAYMENT", "REJECT_CARD_COMPANY", "REJECT_TOSSPAY_INVALID_ACCOUNT"),
    *("NOT_AVAILABLE_PAYMENT", "NOT_AVAILABLE_BANK", "FDS_ERROR", "PAY_PROCESS_CANCELED", "PAY_PROCESS_ABORTED"),
    *("INVALID_BILL_KEY_REQUEST", "NOT_FOUND_BILLING_KEY"),  # the customer removed the card, or it was never kept
)

_OURS = (
    *("INVALID_API_KEY", "UNAUTHORIZED_KEY", "INCORRECT_BASIC_AUTH_FORMAT", "INVALID_IDEMPOTENCY_KEY"),
    *("INVALID_REQUEST", "FORBIDDEN_REQUEST", "NOT_MATCHES_CUSTOMER_KEY", "NOT_FOUND_TERMINAL_ID", "NOT_FOUND"),
    *("NOT_REGISTERED_BUSINESS", "INVALID_UNREGISTERED_SUBMALL", "EXCEED_MAX_DUE_DATE", "INVALID_BANK"),
    "INVALID_AUTHORIZE_AUTH",
)

_NOT_KNOWN = (
    *("ALREADY_PROCESSED_PAYMENT", "ALREADY_PROCESSING_REQUEST", "DUPLICATED_ORDER_ID", "ALREADY_CANCELED_PAYMENT"),
    *("PROVIDER_ERROR", "IDEMPOTENT_REQUEST_PROCESSING", "FORBIDDEN_CONSECUTIVE_REQUEST", "TOO_MANY_REQUESTS"),
    *("FAILED_PAYMENT_INTERNAL_SYSTEM_PROCESSING", "FAILED_INTERNAL_SYSTEM_PROCESSING", "UNKNOWN_PAYMENT_ERROR"),
    *("COMMON_ERROR", "FAILED_DB_PROCESSING", "CARD_PROCESSING_ERROR", "UNAPPROVED_ORDER_ID"),
)

CODES: Mapping[str, Outcome] = {
    **dict.fromkeys(_PAYER, Outcome.REFUSED),
    **dict.fromkeys(_OURS, Outcome.OUR_FAULT),
    **dict.fromkeys(_NOT_KNOWN, Outcome.UNKNOWN),
    "NOT_FOUND_PAYMENT_SESSION": Outcome.EXPIRED,
    "NOT_FOUND_PAYMENT": Outcome.NOT_FOUND,
}
"""What a refused request for money means."""

ASKED: Mapping[str, Outcome] = {"NOT_FOUND_PAYMENT": Outcome.NOT_FOUND}
"""What a refused question means: only this. That we could not ask says nothing of the money."""

_NEVER_BACK = (
    *("NOT_CANCELABLE_AMOUNT", "NOT_CANCELABLE_PAYMENT", "NOT_CANCELABLE_PAYMENT_FOR_DORMANT_USER"),
    *("EXCEED_CANCEL_AMOUNT_DISCOUNT_AMOUNT", "EXCEED_CANCEL_LIMIT", "EXCEED_MAX_REFUND_DUE", "REFUND_REJECTED"),
    *("NOT_ALLOWED_PARTIAL_REFUND", "NOT_ALLOWED_PARTIAL_REFUND_WAITING_DEPOSIT", "NOT_MATCHES_REFUNDABLE_AMOUNT"),
    *("INVALID_REFUND_ACCOUNT_INFO", "INVALID_REFUND_ACCOUNT_NUMBER", "INVALID_BANK", "FORBIDDEN_BANK_REFUND_REQUEST"),
)

REFUNDS: Mapping[str, Outcome] = {
    **dict.fromkeys(_OURS, Outcome.OUR_FAULT),
    **dict.fromkeys(_NEVER_BACK, Outcome.REFUSED),
    **dict.fromkeys(_NOT_KNOWN, Outcome.UNKNOWN),
    **dict.fromkeys(("ALREADY_REFUND_PAYMENT", "NOT_FOUND_PAYMENT"), Outcome.UNKNOWN),
    **dict.fromkeys(
        ("FAILED_REFUND_PROCESS", "FAILED_METHOD_HANDLING_CANCEL", "FAILED_PARTIAL_REFUND"), Outcome.UNKNOWN
    ),
    # Closed at this hour. Under the same key Toss repeats that answer for 15 days, and a new key after an error there
    # is none: a person asks again, with a refund of its own.
    "NOT_AVAILABLE_BANK": Outcome.REFUSED,
}
"""What a refused cancellation means."""

SAYS: Mapping[str, Outcome] = {**STATUSES, "PARTIAL_CANCELED": Outcome.GIVEN_BACK}
"""What a doorbell claims; of a paid attempt "paid" would spare the question how much went back."""

REFUND_STATUSES: Mapping[str, Outcome] = {
    "NONE": Outcome.GIVEN_BACK,
    "COMPLETED": Outcome.GIVEN_BACK,
    "PENDING": Outcome.UNKNOWN,
    "FAILED": Outcome.REFUSED,
    "PARTIAL_FAILED": Outcome.UNKNOWN,
}
"""A refund to an account is on its way before it has arrived (`virtualAccount.refundStatus`)."""

MOVED: Mapping[str, str] = {"DONE": "paid", "CANCELED": "given_back", "PARTIAL_CANCELED": "given_back"}
"""The lines of the transactions feed that are money; others (an account issued, a try aborted) are not."""

_OTHER_BANKS = {"004": "06"}  # Toss counts KB Kookmin otherwise than the KFTC's list


def bank_there(code: str) -> str:
    """Our bank code (three digits) as Toss writes it (two)."""
    return _OTHER_BANKS.get(code, code[-2:])


def bank_here(code: str) -> str:
    """Toss's bank code as our list has it."""
    return next((ours for ours, theirs in _OTHER_BANKS.items() if theirs == code), code.zfill(3))

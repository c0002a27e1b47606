"""The bank's words in ours. A code that is not listed is UNKNOWN, whatever its status (design rule 3)."""

from doenda.payments.providers.contract import Outcome

STATUSES = {
    "READY": Outcome.PENDING,
    "IN_PROGRESS": Outcome.PENDING,
    "DONE": Outcome.PAID,
    "ABORTED": Outcome.REFUSED,
    "EXPIRED": Outcome.EXPIRED,
    "CANCELED": Outcome.GIVEN_BACK,
    "PARTIAL_CANCELED": Outcome.PAID,  # and a part of it given back
}

CODES = {
    "REJECT_CARD_COMPANY": Outcome.REFUSED,
    "REJECT_ACCOUNT_PAYMENT": Outcome.REFUSED,
    "PAY_PROCESS_CANCELED": Outcome.REFUSED,
    "NOT_FOUND_PAYMENT_SESSION": Outcome.EXPIRED,
    "NOT_FOUND_PAYMENT": Outcome.NOT_FOUND,
    "SERVICE_FAULT": Outcome.OUR_FAULT,  # documented: nothing was taken
    "UNAUTHORIZED_KEY": Outcome.OUR_FAULT,
    "INVALID_REQUEST": Outcome.OUR_FAULT,
    "AMOUNT_MISMATCH": Outcome.OUR_FAULT,
    "DUPLICATED_ORDER_ID": Outcome.OUR_FAULT,
    "ALREADY_PROCESSED_PAYMENT": Outcome.UNKNOWN,
    "IDEMPOTENT_REQUEST_PROCESSING": Outcome.UNKNOWN,
    "ALREADY_CANCELED_PAYMENT": Outcome.GIVEN_BACK,
}

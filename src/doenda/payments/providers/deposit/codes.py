"""The deposit bank's words in ours, a table for each act. What is not listed is what `UNLISTED` says of the act."""

from collections.abc import Mapping

from doenda.payments.providers.contract import Outcome

NIGHT = "CLOSED"
"""The bank is closed for the night: neither a failure nor an incident."""

STATUSES = {"BOOKED": Outcome.PAID, "TAKEN_BACK": Outcome.UNDONE}

OPEN: Mapping[str, Outcome] = {
    NIGHT: Outcome.CLOSED,  # nothing is wrong with anybody: another way, or tomorrow
    "NUMBER_IN_USE": Outcome.OUR_FAULT,
    "ORDER_CLOSED": Outcome.OUR_FAULT,
    "NOT_FOUND_NUMBER": Outcome.OUR_FAULT,
    "UNAUTHORIZED_KEY": Outcome.OUR_FAULT,
    "INVALID_REQUEST": Outcome.OUR_FAULT,
    "INVALID_IDEMPOTENCY_KEY": Outcome.OUR_FAULT,
    "SERVICE_FAULT": Outcome.OUR_FAULT,
}
"""Opening moves no money, and a number whose opening was not confirmed is closed again: nothing here is unknown."""

CLOSE: Mapping[str, Outcome] = {
    "NUMBER_IN_USE": Outcome.GIVEN_BACK,  # it is open for another order: so not for ours
    "NOT_FOUND_NUMBER": Outcome.GIVEN_BACK,
}

LOOK: Mapping[str, Outcome] = {"NOT_FOUND_DEPOSIT": Outcome.NOT_FOUND, "NOT_FOUND_NUMBER": Outcome.NOT_FOUND}

RETURN: Mapping[str, Outcome] = {
    "ALREADY_RETURNED": Outcome.REFUSED,  # by another key: a person has to look who did it
    "NOT_RETURNABLE_AMOUNT": Outcome.REFUSED,
    "SENDER_UNKNOWN": Outcome.REFUSED,  # cash over the counter: the customer has to say where to
    "INVALID_REQUEST": Outcome.REFUSED,
}

UNLISTED = {"open": Outcome.OUR_FAULT, "close": Outcome.UNKNOWN, "look": Outcome.UNKNOWN, "return": Outcome.UNKNOWN}
TABLES = {"open": OPEN, "close": CLOSE, "look": LOOK, "return": RETURN}


def outcome(act: str, code: str) -> Outcome:
    """What a refusal or a silence means for the act."""
    return TABLES[act].get(code, UNLISTED[act])

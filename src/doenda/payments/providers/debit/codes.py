"""The clearing house's codes in our words: four digits of the fixed-width files, ISO 20022's reasons of pain.002.

A code that is not listed is UNKNOWN: its record is parked for a person, and the debit stays instructed (design rule 3).
Agree on the table with your clearing house: the four digits are in the manner of the Korean CMS.
"""

from dataclasses import dataclass

from doenda.payments.providers.contract import Outcome


@dataclass(frozen=True, slots=True)
class Code:
    """`word` is what we keep as the attempt's reason. `again`: a later debit may succeed (the policy says when).

    `ends`: no debit can ever succeed under this mandate: it is cancelled.
    """

    word: str
    outcome: Outcome
    again: bool = False
    ends: bool = False


PAID = Code("PAID", Outcome.PAID)

_NO_FUNDS = Code("NO_FUNDS", Outcome.REFUSED, again=True)
_LIMIT = Code("LIMIT", Outcome.REFUSED, again=True)
_NO_ACCOUNT = Code("UNKNOWN_ACCOUNT", Outcome.REFUSED, ends=True)
_CLOSED = Code("CLOSED_ACCOUNT", Outcome.REFUSED, ends=True)
_NO_MANDATE = Code("NO_MANDATE_AT_BANK", Outcome.REFUSED, ends=True)
_STOPPED = Code("STOPPED_BY_PAYER", Outcome.REFUSED, ends=True)
_BLOCKED = Code("BLOCKED_ACCOUNT", Outcome.REFUSED)
_HOLDER = Code("OTHER_HOLDER", Outcome.REFUSED, ends=True)
_BANK_DOWN = Code("BANK_DOWN", Outcome.OUR_FAULT, again=True)
_FORM = Code("FORM", Outcome.OUR_FAULT)

RESULTS: dict[str, Code] = {
    "0000": PAID,
    "0012": _NO_ACCOUNT,
    "0014": _HOLDER,
    "0015": _CLOSED,
    "0017": _NO_MANDATE,
    "0018": _STOPPED,
    "0021": _NO_FUNDS,
    "0022": _LIMIT,
    "0031": _BLOCKED,
    "0044": _BANK_DOWN,
    "0091": _FORM,
    # ISO 20022 external status reason codes
    "AC01": _NO_ACCOUNT,
    "AC04": _CLOSED,
    "AC06": _BLOCKED,
    "AG02": _FORM,
    "AM04": _NO_FUNDS,
    "AM14": _LIMIT,
    "BE01": _HOLDER,
    "FF01": _FORM,
    "MD01": _NO_MANDATE,
    "SL01": _STOPPED,
}

RETURNS: dict[str, Code] = {
    "0061": Code("RETURNED_BY_PAYER", Outcome.UNDONE),
    "0062": Code("RETURNED_BY_BANK", Outcome.UNDONE, again=True),
    "0063": Code("RETURNED_HOLDER_DIED", Outcome.UNDONE, ends=True),
}

OURS: dict[str, Code] = {
    "FILE_REFUSED": Code("FILE_REFUSED", Outcome.OUR_FAULT, again=True),  # the house refused the whole file
    "CUT_OFF_MISSED": Code("CUT_OFF_MISSED", Outcome.OUR_FAULT, again=True),  # we did not build it in time
    "CANNOT_OPEN": Code("CANNOT_OPEN", Outcome.OUR_FAULT),  # no live key opens the account number
}

WORDS: dict[str, Code] = {each.word: each for each in (*RESULTS.values(), *RETURNS.values(), *OURS.values())}
AGAIN = frozenset(word for word, each in WORDS.items() if each.again)
"""Words after which another debit may succeed."""
NOT_COUNTED = frozenset(word for word in AGAIN if WORDS[word].outcome is Outcome.OUR_FAULT)
"""Our own faults use up none of the payer's tries."""

"""Why a line waits for somebody: a closed list (pure)."""

from django.db.models import TextChoices


class Reason(TextChoices):
    NOT_IN_LEDGER = "NOT_IN_LEDGER"  # they say it moved, we have nothing of it
    NOT_AT_PROVIDER = "NOT_AT_PROVIDER"  # we have it, they have nothing of it, and their longest time is over
    AMOUNT_DIFFERS = "AMOUNT_DIFFERS"
    CURRENCY_DIFFERS = "CURRENCY_DIFFERS"
    SIDE_DIFFERS = "SIDE_DIFFERS"  # it came in here and went out there
    LOST_ZERO = "LOST_ZERO"
    TRANSPOSED_DIGITS = "TRANSPOSED_DIGITS"
    WRONG_REFERENCE = "WRONG_REFERENCE"
    AMBIGUOUS = "AMBIGUOUS"  # several fit equally well
    TWICE = "TWICE"  # what it names was told before
    UNDONE_UNKNOWN = "UNDONE_UNKNOWN"  # a return of something that the ledger does not know as undone
    OTHER_MERCHANT = "OTHER_MERCHANT"
    TOO_EARLY = "TOO_EARLY"
    FEE_DIFFERS = "FEE_DIFFERS"
    NOT_PAID_OUT = "NOT_PAID_OUT"
    BALANCE_DIFFERS = "BALANCE_DIFFERS"
    UNREADABLE = "UNREADABLE"

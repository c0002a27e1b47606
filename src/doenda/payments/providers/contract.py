"""What a provider is to the rest of the house: headless (no request object, no HTML), one outcome model for all.

Every method makes one network call (a void or a refund may look first), is called outside any transaction, and never
raises for what a network or a provider can do: it says so in its `Answer`. The caller matches amount, currency,
merchant and order id itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar, Protocol


class Outcome(StrEnum):
    """What became of a charge, in our words. Each provider's `codes.py` maps its own words to these."""

    PAID = "paid"  # the money is taken, or has arrived
    REFUSED = "refused"  # certainly not taken, by the payer's bank or the payer
    UNKNOWN = "unknown"  # may have been taken
    NEEDS_REDIRECT = "needs_redirect"  # the payer goes on at the provider's page
    NEEDS_DEPOSIT = "needs_deposit"  # an account (or a slip) waits for the payer's own act
    INSTRUCTED = "instructed"  # a debit that is, or will be, in a file to the bank: the result comes later
    OUR_FAULT = "our_fault"  # certainly not taken: our keys, our request, or a provider that is certainly down
    PENDING = "pending"  # the provider knows it and has not taken anything yet
    NOT_FOUND = "not_found"  # counts only after the provider's longest time (rule 3)
    EXPIRED = "expired"  # certainly not taken: too late
    CLOSED = "closed"  # certainly not taken: outside its hours, which is neither a failure nor an incident
    GIVEN_BACK = "given_back"  # voided, closed, recalled or refunded
    UNDONE = "undone"  # was paid, and the payer's bank took it back


class Moves(StrEnum):
    """When money can move without a further act of ours (design rule 2)."""

    AT_CONFIRM = "confirm"  # the payer comes back and we ask for the money
    AT_REDIRECT = "redirect"  # on the provider's page: such an attempt is in flight while the payer is there
    AT_DEPOSIT = "deposit"  # when the payer pays into an account that waits: never in flight
    AT_INSTRUCTION = "instruction"  # by a debit file, later: not in flight, recalled before its cut-off
    AT_ONCE = "at_once"  # inside `start` itself: cash in a clerk's hand


@dataclass(frozen=True, slots=True)
class PayInto:
    """Where the payer can bring the money: an account at a bank, or a slip to show at a counter."""

    bank: str
    """A bank's code as `payments/banks.toml` lists it; "counter" for a slip."""
    number: str
    holder: str = ""
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What the provider said, in our words. `code` is its own, for logs and staff; `ref` the provider's key of it.

    `given_back`: minor units of a paid charge that went back so far. `secret`: what its unsigned doorbells must bring.
    `client`: public words for the provider's script on our page. `due_at`: when an instructed debit's result is due.
    `at`: when it happened, where that may be long ago: an old deposit proves nothing about now.
    """

    outcome: Outcome
    code: str = ""
    ref: str = ""
    redirect_url: str = ""
    order_id: str = ""
    amount: int | None = None
    currency: str = ""
    merchant: str = ""
    given_back: int = 0
    pay_into: PayInto | None = None
    secret: str = ""
    client: Mapping[str, str] = field(default_factory=dict)
    due_at: datetime | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Charge:
    """One attempt as a provider needs it. `order_id` is ours, `amount` in minor units of `currency`.

    `token`: what the payer brought back for `confirm`. `bank`: the bank whose account the payer wants. `until`: the
    last moment for a deposit. `mandate`: the id of a standing authority. `payer`: a name to put on a deposit account.
    """

    order_id: str
    amount: int
    currency: str
    method: str
    name: str
    return_url: str = ""
    ref: str = ""
    lang: str = "ko"
    token: str = ""
    bank: str = ""
    until: datetime | None = None
    mandate: str = ""
    payer: str = ""


@dataclass(frozen=True, slots=True)
class Ring:
    """A doorbell after its form and signature were checked: which order to ask about.

    `genuine`: True for a valid signature, False for a wrong one (or none where there must be one), None where this
    provider does not sign: then it is only a reason to ask. `secret`: if set, it must equal the one kept with the
    attempt, or the doorbell is forged. `says`: what it claims, never believed; it only spares a question.
    """

    transmission: str
    order_id: str
    genuine: bool | None
    secret: str = ""
    says: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Returned:
    """What a payer brought back from the provider's page: unsigned, so compared before it counts.

    `amount` is "" where this provider's address has none. `failed`: the code with which it came back without paying.
    """

    order_id: str = ""
    ref: str = ""
    amount: str = ""
    token: str = ""
    failed: str = ""
    cancelled: bool = False


@dataclass(frozen=True, slots=True)
class BackTo:
    """Where a refund goes when the source cannot take it back by itself: the payer's own account."""

    bank: str
    number: str
    holder: str


@dataclass(frozen=True, slots=True)
class FeedLine:
    """One movement in a provider's own list. `line_id` is its key there; `amount` in minor units, never negative.

    `merchant`: whose it is, where the list says so.
    """

    line_id: str
    order_id: str
    ref: str
    kind: str
    """ "paid" or "given_back"."""
    amount: int
    currency: str
    at: datetime
    merchant: str = ""


@dataclass(frozen=True, slots=True)
class Settlement:
    """What the provider pays out to the carrier for one movement: `amount` taken (negative: given back), `fee` kept,
    minor units. `paid_out`: what it says is left, where it says so."""

    line_id: str
    ref: str
    amount: int
    fee: int
    currency: str
    paid_out_on: str
    paid_out: int | None = None


@dataclass(frozen=True, slots=True)
class Feed:
    """A page of a feed. `cursor`: where the next page begins, "" at the end. `code`: set when it could not be read."""

    lines: Sequence[Any]
    cursor: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class Script:
    """What our own page needs to run a provider's script: its address, and every origin that it may load or reach.

    `launcher`: the name of our few lines that start it, in `channels/web/launchers/`.
    """

    launcher: str
    src: str
    origins: tuple[str, ...]


class Provider(Protocol):
    """One provider of money. A class inherits from this and says what is its own; the defaults refuse or know nothing.

    The constructor takes its entry of `DOENDA_PROVIDERS` (secrets come from files or the environment and are never
    logged: no method puts one, nor an account or card number, into a code or an exception).
    """

    name: ClassVar[str]
    merchant: str
    """The account at the provider that answers must name."""
    methods: ClassVar[Mapping[str, Moves]]
    """What can be paid with here, and when its money moves."""
    redirect_life: ClassVar[timedelta] = timedelta(minutes=30)
    """How long after registering the customer may come back."""
    deposit_life: ClassVar[timedelta] = timedelta(days=7)
    """How long an account that waits for a deposit is kept open."""
    longest: ClassVar[timedelta] = timedelta(minutes=10)
    """The longest time after which this provider may still carry out what it answered nothing to."""
    pauses: ClassVar[Sequence[float]] = (2, 4, 8, 16, 32, 64, 128, 256, 512, 600)
    """Seconds from one question about an unknown to the next; the last repeats until a person owns it."""
    a_person_after: ClassVar[timedelta] = timedelta(hours=24)
    """An unknown that is older is owned by a person; it is still asked about."""
    returns_amount: ClassVar[bool] = True
    """Does the payer bring the amount back in the address, to be compared?"""
    exact: ClassVar[bool] = True
    """Is it always the amount that was asked for? A deposit of any amount is booked as what it is."""
    singly: ClassVar[bool] = False
    """Does each payment reach the carrier's bank account as a movement of its own, and not in a payout of many?"""
    source_unknown: ClassVar[frozenset[str]] = frozenset()
    """Methods of which it cannot give money back without being told an account: the customer is asked."""
    refund_within: ClassVar[timedelta] = timedelta(hours=24)
    """A refund that is not confirmed after this belongs to a person; it is still tried."""
    refunds_later: ClassVar[bool] = False
    """Does a refund wait for a file? Then one that was asked for is asked about to its end, whatever comes between."""
    holds: ClassVar[bool] = False
    """Does a payer who has agreed on the provider's page, and never came back, have money held there until a void?"""
    listens_every: ClassVar[timedelta | None] = None
    """How often an account that waits for a deposit is asked about though nobody rang, where only a doorbell tells."""
    nudges: ClassVar[str] = ""
    """The sweep that a doorbell without an order id wakes: it asks the bank what has arrived."""
    heard: ClassVar[int] = 200
    """The status that this provider takes for "received"; a forged doorbell gets 401."""
    scripted: ClassVar[frozenset[str]] = frozenset()
    """Methods that may need the provider's script in the customer's browser (capability `scripts`)."""
    script: Script | None = None
    """That script, where this installation's settings make it needed."""
    takes_part_back: ClassVar[bool] = True
    """Can a part of a payment be refunded?"""

    def start(self, charge: Charge) -> Answer:
        """Register the charge. NEEDS_REDIRECT, NEEDS_DEPOSIT, INSTRUCTED, REFUSED or OUR_FAULT; PAID if it moves
        AT_ONCE. Other than that no money moves here, so a start that is not answered is OUR_FAULT."""

    def returned(self, query: Mapping[str, str]) -> Returned:
        """Read the words that the customer brought back in the address. Never raises."""
        return Returned()

    def confirm(self, charge: Charge, *, first_try: bool) -> Answer:
        """Take the money, keyed by the order id: the same call again has the same effect once.

        `first_try` is False when an earlier call may have been received: then even a refused connection is UNKNOWN.
        """
        return Answer(Outcome.OUR_FAULT, "NO_CONFIRM")

    def inquire(self, charge: Charge) -> Answer:
        """Ask by our own order id (or `ref`) what became of it, with order id, amount, currency and merchant."""

    def void(self, charge: Charge) -> Answer:
        """Make sure that a charge that has not happened never will: cancel it, close the account, recall the debit.

        GIVEN_BACK when acknowledged; PAID if it has happened; PENDING if it is too late to stop; else UNKNOWN.
        """

    def refund(self, charge: Charge, *, amount: int, key: str, reason: str, back_to: BackTo | None = None) -> Answer:
        """Give `amount` back to its source. GIVEN_BACK when done (or acknowledged to be done for certain), REFUSED when
        it certainly will not; the same key again has the same effect once."""

    def ring(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Ring:
        """Read a doorbell; header names may be written in any case."""
        return Ring("", "", genuine=False)

    def transactions(self, since: datetime, until: datetime, cursor: str = "") -> Feed:
        """The provider's own list of what moved (`FeedLine`s), for reconciliation, a page at a time."""
        return Feed((), code="NO_FEED")

    def settlements(self, since: datetime, until: datetime, cursor: str = "") -> Feed:
        """What it paid out to the carrier (`Settlement`s), a page at a time."""
        return Feed((), code="NO_FEED")

"""The journey from a bill to `paid`, or to a dated promise with the collections clock stopped.

Four rules shape it, and the checker proves each of them:

* Ways to pay are shown at one step only, `method`, and one step only leads there: `clear`, which first closes whatever
  may still move money (an attempt begun on another page, another channel or the provider's own page).
* `promised` is entered only from an action of ours whose own transaction stopped the clock and wrote the date.
* A page says "no money was taken" (`refused`, `faulted`) only after an answer that makes it certain.
* A page that shows where to bring money (`account`) is left as soon as something else pays the bill.
"""

from doenda.journeys.steps import Ask, Choose, Do, End, Field, Journey, Show, Wait

CONSENT = "debit-1"
"""The version of the text to which a customer agrees at `mandate` (`pay-mandate-consent`): new words, new version."""

CALL_TIMES = ("soonest", "morning", "afternoon", "evening")
"""When a customer would like to be called: an answer to `when` at `pay.person` and `enter.callback`."""

_BILL = (
    Show(
        "bill",
        then={
            "pay": "clear",
            "pay_part": "part",
            "more_time": "date",
            "already": "already",
            "not_mine": "dispute",
            "does_not_work": "report",
            "person": "person",
        },
        sets={"pay": {"amount": ""}},
    ),
    Ask(
        "part",
        fields=(Field("amount", "money"),),
        then={"given": "clear", "invalid": "part", "back": "bill"},
    ),
)

_TIME = (
    Ask("date", fields=(Field("date", "date"),), then={"given": "promise_date", "invalid": "date", "back": "bill"}),
    Do(
        "promise_date",
        action="make_promise",
        then={"done": "promised", "not_allowed": "person", "nothing_due": "paid"},
        sets={
            "done": {"promise": "date"},
            "not_allowed": {"note": "not_allowed"},
            "nothing_due": {"receipt": "nothing_due"},
        },
    ),
)

_OBJECTIONS = (
    Ask(
        "already",
        fields=(
            Field("when", "date", optional=True),
            Field("how", "choice", optional=True, options=("card", "transfer", "deposit", "shop", "other")),
        ),
        then={"given": "claim_paid", "invalid": "already", "back": "bill"},
    ),
    Do(
        "claim_paid",
        action="claim_paid",
        then={"done": "promised", "nothing_due": "paid"},
        sets={"done": {"promise": "claim"}, "nothing_due": {"receipt": "nothing_due"}},
    ),
    Ask(
        "dispute",
        fields=(
            Field("why", "choice", options=("amount", "not_used", "not_my_line", "left", "other")),
            Field("words", "text", optional=True),
        ),
        then={"given": "open_dispute", "invalid": "dispute", "back": "bill"},
    ),
    Do("open_dispute", action="open_dispute", then={"done": "promised"}, sets={"done": {"promise": "dispute"}}),
)

_HELP = (
    Do(
        "report",
        action="report_fault",
        then={"held": "reported", "held_before": "reported"},
        sets={"held": {"reported": "held"}, "held_before": {"reported": "held_before"}},
    ),
    Show("reported", then={"pay": "clear", "enough": "promise_ours", "person": "person"}),
    Do(
        "promise_ours",
        action="stop_clock",
        then={"done": "promised", "closed": "promised", "person": "person", "nothing_due": "paid"},
        sets={
            "done": {"promise": "fault"},
            "closed": {"promise": "closed"},
            "person": {"note": "looked_at"},
            "nothing_due": {"receipt": "nothing_due"},
        },
    ),
    Ask(
        "person",
        fields=(Field("phone", "phone"), Field("when", "choice", options=CALL_TIMES)),
        then={"given": "open_ticket", "invalid": "person", "back": "bill"},
    ),
    Do("open_ticket", action="open_ticket", then={"done": "promised"}, sets={"done": {"promise": "ticket"}}),
)

_MONEY = (
    Do(
        "clear",
        action="close_attempt",
        then={"free": "method", "paid": "paid", "unknown": "asking"},
    ),
    Choose(
        "method",
        among="ways_to_pay",
        then={"chosen": "start", "gone": "clear", "none_open": "no_way", "back": "bill"},
        sets={"gone": {"note": "gone"}},
    ),
    Do(
        "no_way",
        action="stop_clock",
        then={"done": "promised", "closed": "promised", "person": "person", "nothing_due": "paid"},
        sets={
            "done": {"promise": "no_way"},
            "closed": {"promise": "closed"},
            "person": {"note": "looked_at"},
            "nothing_due": {"receipt": "nothing_due"},
        },
    ),
    Do(
        "start",
        action="start_attempt",
        then={
            "redirect": "away",
            "script": "script",
            "deposit": "account",
            "instructed": "debit",
            "needs_mandate": "mandate",
            "paid": "paid",
            "refused": "refused",
            "unknown": "asking",
            "our_fault": "our_fault",
            "certain_failure": "our_fault",
            "busy": "asking",
            "nothing_due": "paid",
        },
        sets={"nothing_due": {"receipt": "nothing_due"}},
    ),
    Wait(
        "away",
        on="customer_returns",
        presses=("returned", "cancelled", "other"),
        then={"returned": "charge", "cancelled": "cancel", "other": "clear", "expired": "clear"},
        sets={"expired": {"note": "expired"}, "cancelled": {"refusal": "cancelled"}},
    ),
    Wait(
        "script",
        on="script_returns",
        presses=("returned", "cancelled", "other", "no_scripts"),
        then={
            "returned": "charge",
            "cancelled": "cancel",
            "other": "clear",
            "no_scripts": "clear",
            "expired": "clear",
        },
        sets={
            "expired": {"note": "expired"},
            "cancelled": {"refusal": "cancelled"},
            "no_scripts": {"scripts": "no", "note": "no_scripts"},
        },
    ),
    Do("cancel", action="close_attempt", then={"free": "refused", "paid": "paid", "unknown": "asking"}),
    Do(
        "charge",
        action="confirm_attempt",
        then={
            "paid": "paid",
            "refused": "refused",
            "unknown": "asking",
            "our_fault": "our_fault",
            "expired": "clear",
            "busy": "asking",
        },
        sets={"expired": {"note": "expired"}},
    ),
    Wait(
        "asking",
        on="attempt_settled",
        presses=("check_again", "enough"),
        then={"check_again": "asking", "enough": "watch", "paid": "paid", "refused": "refused", "person_owns": "watch"},
    ),
    Do(
        "watch",
        action="watch_attempt",
        then={"done": "promised", "paid": "paid", "refused": "refused"},
        sets={"done": {"promise": "unknown"}},
    ),
    Show("refused", says_no_money=True, then={"other": "clear", "more_time": "date", "person": "person"}),
    Do("our_fault", action="stop_clock_for_fault", then={"done": "faulted"}),
    Show("faulted", says_no_money=True, then={"pay": "clear", "enough": "promise_ours", "person": "person"}),
)

_OWN_ACT = (
    Wait(
        "account",
        on="deposit_arrives",
        presses=("check_again", "enough", "other"),
        pays_into=True,
        then={
            "check_again": "look",
            "enough": "keep",
            "other": "clear",
            "paid": "paid",
            "moving": "asking",
            "expired": "clear",
        },
        sets={"expired": {"note": "expired"}},
    ),
    Do(
        "look",
        action="look_account",
        then={"waits": "account", "paid": "paid", "unknown": "asking", "gone": "clear"},
        sets={"waits": {"note": "not_yet"}, "gone": {"note": "expired"}},
    ),
    Do(
        "keep",
        action="promise_account",
        then={"done": "promised", "not_allowed": "person", "paid": "paid", "unknown": "asking", "gone": "clear"},
        sets={
            "done": {"promise": "deposit"},
            "not_allowed": {"note": "account_stays"},
            "gone": {"note": "expired"},
        },
    ),
    Ask(
        "mandate",
        fields=(
            Field("bank", "bank"),
            Field("number", "account"),
            Field("holder", "text"),
            Field("birth", "birth"),
            Field("agreed", "consent", options=(CONSENT,)),
        ),
        handed_over=True,
        then={"given": "sign", "invalid": "mandate", "other": "clear"},
    ),
    Do(
        "sign",
        action="sign_mandate",
        then={"signed": "start", "again": "mandate"},
        sets={"again": {"note": "again"}},
    ),
    Do(
        "debit",
        action="watch_debit",
        then={"done": "promised", "paid": "paid", "refused": "refused", "unknown": "asking"},
        sets={"done": {"promise": "debit"}},
    ),
)

_ENDS = (
    End("paid", goal="paid"),
    End("promised", goal="promised", holds=frozenset({"until"})),
)

PAY = Journey(
    "pay",
    version=1,
    start="bill",
    steps=(*_BILL, *_TIME, *_OBJECTIONS, *_HELP, *_MONEY, *_OWN_ACT, *_ENDS),
    frame={"does_not_work": "report", "person": "person"},
)
"""`data["promise"]` says which text of `promised` fits (`catalog.VARIANTS`)."""

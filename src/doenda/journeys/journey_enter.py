"""The door for a customer without a working link: a phone number and the six digits of the notice, or a person.

Strangers get the same answers as customers: `sent` and `promised` say the same for a number that we do not know, where
nothing is sent and nobody calls.
"""

from doenda.journeys.journey_pay import CALL_TIMES
from doenda.journeys.steps import Ask, Do, End, Field, Journey, Show

ENTER = Journey(
    "enter",
    version=1,
    start="code",
    entries=("expired",),
    goals=frozenset({"opened", "promised"}),
    frame={"does_not_work": "report", "person": "callback"},
    steps=(
        Ask(
            "code",
            fields=(Field("phone", "phone"), Field("code", "code")),
            reads=frozenset({"known", "unknown", "locked"}),
            then={
                "known": "opened",
                "unknown": "code",
                "locked": "help",
                "invalid": "code",
                "send_again": "number",
                "person": "callback",
            },
            sets={"unknown": {"note": "unknown"}},
        ),
        Show("expired", then={"send_again": "send_link", "code": "code", "person": "callback"}),
        Ask(
            "number",
            fields=(Field("phone", "phone"),),
            then={"given": "send_link", "invalid": "number", "back": "code"},
        ),
        Do("send_link", action="send_link", then={"done": "sent", "cannot": "help"}),
        Show("sent", then={"again": "code", "person": "callback"}),
        Show("help", then={"person": "callback", "again": "code"}),
        Do("report", action="report_entry", then={"done": "help"}),
        Ask(
            "callback",
            fields=(Field("phone", "phone"), Field("when", "choice", options=CALL_TIMES)),
            then={"given": "open_callback", "invalid": "callback", "back": "code"},
        ),
        Do("open_callback", action="open_callback", then={"done": "promised"}, sets={"done": {"promise": "ticket"}}),
        End("opened", goal="opened"),
        End("promised", goal="promised", holds=frozenset({"until"})),
    ),
)
"""`opened` hands over to `pay.bill`, with the subject that the code stands for."""

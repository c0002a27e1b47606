"""Bugs of the telephone, planted to show that its linter hears: an advert, a menu too deep, no person behind 0."""

from dataclasses import replace

from doenda.journeys.checker.planting import Planted, lead, rework, rewrite
from doenda.journeys.checker.subject import Subject
from doenda.journeys.steps import Show


def _six_menus(subject: Subject) -> Subject:
    """Before the bill's date can be named, six more menus stand."""
    pay = subject.journeys["pay"]
    bill = pay["bill"]
    names = [f"deeper_{number}" for number in range(1, 7)]
    rungs = [Show(name, then={"on": target}) for name, target in zip(names, [*names[1:], "date"], strict=True)]
    entry = replace(bill, then={**bill.then, "more_time": names[0]})
    steps = (*(entry if step.name == "bill" else step for step in pay.steps), *rungs)
    return subject.with_journey(replace(pay, steps=steps, framed=pay.framed))


PLANTED = (
    Planted(
        "A prompt advertises.",
        rewrite("ko", "voice-welcome = { $carrier }이에요.", "voice-welcome = { $carrier }의 새 요금제 할인 안내예요."),
        "voice-welcome advertises",
    ),
    Planted(
        "A prompt advertises in English, where the money is.",
        rewrite(
            "en", "pay-paid = We received { $amount }.", "pay-paid = We received { $amount }. See our special deals."
        ),
        "pay-paid advertises",
    ),
    Planted("A caller stands six menus deep.", _six_menus, "menus deep; 5 is the most"),
    Planted("At one step 0 leads to no person.", rework("pay", bare=True), "0 leads to no person"),
    Planted(
        "A prompt speaks of the screen.",
        rewrite("ko", "voice-over = 끊으셔도 돼요.", "voice-over = 아래 버튼을 누르세요."),
        "speaks of what a caller cannot see",
    ),
    Planted(
        "Where only a screen goes on, a caller whom no text reaches has no key that leads on.",
        rework("pay", bare=True, away=lead("other")),
        "pay.away: a caller whom no text reaches can go nowhere",
    ),
    Planted(
        "A caller is led to a signature that needs a screen, and no key leads away from it.",
        rework("pay", bare=True, mandate=lead("other")),
        "pay.mandate: a caller whom no text reaches can go nowhere",
    ),
)

"""What is said of a wait, given what was said before: never more than before unless the place got worse."""

from dataclasses import dataclass

from doenda.contact.rules.waits import Minutes, Wait, spoken


@dataclass(frozen=True, slots=True)
class Told:
    """One telling. `minutes` None: no honest number (nothing known, or it takes longer than we said: `longer`).

    `position` is the place that was meant, counted from 1; it is said only where `say_position`.
    """

    position: int
    minutes: Minutes | None
    say_position: bool = False
    longer: bool = False


def tell(position: int, wait: Wait | None, before: Told | None = None, said: Minutes | None = None) -> Told:
    """What to say now. `before`: the last telling; `said`: the last range that was really said, if any.

    A place that did not get worse never gets a longer range: the old one is kept while half of the chances lie within,
    and else no number is said, but that it takes longer than we said (and a callback is offered).
    """
    better = before is None or position < before.position
    if wait is None:
        return Told(position, None, better, longer=said is not None)
    now = spoken(wait)
    worse = before is not None and position > before.position
    if said is None or worse or now.high <= said.high:
        return Told(position, now, better)
    if wait.quantile(0.0) > said.high * 60:
        return Told(position, None, better, longer=True)
    return Told(position, Minutes(min(now.low, said.low), said.high), better)


@dataclass(frozen=True, slots=True)
class Bounds:
    """Policy, in seconds: a callback is offered from `offer` of waiting on, and comes first above an estimate of
    `overload`."""

    offer: float
    overload: float


@dataclass(frozen=True, slots=True)
class Advice:
    """`offer_after`: seconds from now until a callback is offered, 0 is at once; `callback_first`: before waiting is
    named at all (an overload, nobody at work, or we cannot say how long); `closed`: only a dated callback is left."""

    offer_after: float
    callback_first: bool
    closed: bool = False


def advise(wait: Wait | None, waited: float, *, is_open: bool, bounds: Bounds, longer: bool = False) -> Advice:
    """Whether a callback is offered before, beside or instead of waiting."""
    if not is_open:
        return Advice(0.0, callback_first=True, closed=True)
    overload = wait is None or wait.mean > bounds.overload
    soon = overload or longer
    return Advice(0.0 if soon else max(0.0, bounds.offer - waited), callback_first=overload)

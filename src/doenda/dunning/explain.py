"""Why was this line barred, what happens next and when: plain sentences, only from stored facts."""

from collections.abc import Iterator
from datetime import date
from uuid import UUID

from doenda import notices
from doenda.assurance.guidance import method_name
from doenda.assurance.models import Way
from doenda.dunning import outlook
from doenda.dunning.models import Case, CaseStep, LateFee, LineCommand
from doenda.kernel import clock, words
from doenda.kernel.money import Money
from doenda.kernel.texts import say


def why(account_id: UUID, lang: str) -> list[str]:
    """What was decided about the account's newest case and on which facts, the oldest first; then what comes next."""
    case = Case.objects.filter(account_id=account_id).order_by("-opened_at").first()
    if case is None:
        return [say("why-nothing", lang)]
    told = [
        (step.decided_at, sentence)
        for step in case.steps.order_by("decided_at", "pk")
        for sentence in _step(step, lang)
    ]
    commands = LineCommand.objects.filter(case=case, confirmed_at__isnull=False)
    for command in commands:
        assert command.confirmed_at is not None
        kind = "none" if command.wanted == "none" else "barred"
        moment = words.moment(command.confirmed_at, lang)
        told.append((command.confirmed_at, say(f"why-confirmed-{kind}", lang, moment=moment)))
    fees = LateFee.objects.filter(account_id=account_id, step__case=case, reversed_at__isnull=False)
    for fee in fees:
        assert fee.reversed_at is not None
        amount = words.amount(Money(fee.amount, case.account.currency), lang)
        day = words.day(clock.local(fee.reversed_at).date(), lang)
        told.append((fee.reversed_at, say("why-fee-back", lang, day=day, fee=amount)))
    told.sort(key=lambda one: one[0])
    return [sentence for _, sentence in told] + ([] if case.closed_at else list(_next(case, lang)))


def _step(step: CaseStep, lang: str) -> Iterator[str]:
    made, owed = step.decision, sum(debt["remaining"] for debt in step.facts["debts"])
    args = {
        "day": words.day(clock.local(step.decided_at).date(), lang),
        "amount": words.amount(Money(owed, step.facts["currency"]), lang),
    }
    match step.step:
        case "remind" | "close":
            yield say(f"why-{step.step}", lang, **args)
        case "stand_down":
            yield say("why-stand-down", lang, **args)
        case "notice":
            what, effective = _what(made["step"], lang), _day(made["effective"], lang)
            yield say("why-notice", lang, what=what, effective=effective, **args)
            yield _delivery(step, lang)
        case "fee":
            fee = words.amount(Money(made["amount"], step.facts["currency"]), lang)
            yield say("why-fee", lang, fee=fee, free=_day(made["last_free"], lang), **args)
        case "bar":
            told = next(told for told in step.facts["told"] if told["notice_id"] == made["notice_id"])
            effective = _day(told["effective"], lang)
            yield say("why-bar", lang, what=_what(made["step"], lang), effective=effective, **args)
        case "restore" | "withdrawn":
            yield say(f"why-{step.step}", lang, reason=_reason(made["why"], lang), **args)


def _delivery(step: CaseStep, lang: str) -> str:
    assert step.notice_id is not None
    proofs = notices.delivered_with_proof(_kind(step), step.account_id, step.decided_at)
    proof = next((proof for proof in proofs if proof.notice_id == step.notice_id), None)
    if proof is None:
        return say("why-notice-not-delivered", lang)
    methods = Way.objects.filter(slug__in=proof.ways).order_by("position", "slug").values_list("method", flat=True)
    named = ", ".join(dict.fromkeys(method_name(method, lang) for method in methods)) or "-"
    return say("why-notice-delivered", lang, day=words.moment(proof.delivered_at, lang), ways=named)


def _kind(step: CaseStep) -> str:
    return "suspension_notice" if step.decision["step"] == "outgoing" else "full_suspension_notice"


def _next(case: Case, lang: str) -> Iterator[str]:
    ahead = outlook.of(case.account_id)
    if ahead.held:
        reason = _reason(ahead.held_for, lang)
        until = words.moment(ahead.held_until, lang) if ahead.held_until else ""
        yield say("why-held", lang, until=until, reason=reason) if until else say("why-held-open", lang, reason=reason)
    if ahead.fee_after:
        fee = words.amount(Money(ahead.fee_amount, case.account.currency), lang)
        yield say("why-next-fee", lang, free=words.day(ahead.fee_after, lang), fee=fee)
    if ahead.bar_from and ahead.last_day_to_pay and ahead.bar_told:
        effective, last = words.day(ahead.bar_from, lang), words.day(ahead.last_day_to_pay, lang)
        yield say("why-next-bar", lang, what=_what(ahead.bar_kind, lang), effective=effective, last=last)
    if case.waiting_for:
        moment = words.moment(case.next_check_at, lang)
        yield say("why-next-nothing", lang, moment=moment, reason=_reason(case.waiting_for, lang))


def _day(iso: str, lang: str) -> str:
    return words.day(date.fromisoformat(iso), lang)


def _what(bar: str, lang: str) -> str:
    return say(f"why-what-{bar}", lang)


def _reason(code: str, lang: str) -> str:
    return say(f"why-reason-{code}", lang)

"""Answers in: fetched, checked whole, taken whole or refused whole; then each record brought to its debit.

A second delivery of the same bytes is ignored whole and says so. A record that fits nothing, or not exactly, is parked
for a person; a debit without a record stays instructed. Records are worked off a batch a transaction, each once.
"""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

from doenda.billing import accounts
from doenda.billing.models import Account
from doenda.kernel import clock, sweeps
from doenda.kernel.db import atomic, durable
from doenda.kernel.sealing import open_sealed, seal
from doenda.payments import bulk, staff
from doenda.payments.debit import home, house, rules
from doenda.payments.debit.formats import cms, sepa
from doenda.payments.debit.formats.words import Head, Malformed, Result, ResultFile
from doenda.payments.debit.models import DebitAnswer, DebitCursor, DebitFile, DebitItem, DebitParked
from doenda.payments.models import Attempt
from doenda.payments.providers.contract import Outcome
from doenda.payments.providers.debit.codes import Code
from doenda.payments.states import State

log = logging.getLogger(__name__)
BATCH = 500
LISTENS_FOR = timedelta(days=180)
"""Returns may come long after a debit; after the last file we listen for so long."""
PARKED_DAYS = timedelta(days=1)
S = DebitItem.State


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of an answer. `report` names line and column of a refusal, or counts what was done."""

    outcome: Literal["taken", "again", "refused"]
    report: dict[str, Any] = field(default_factory=dict)


@sweeps.sweep("debit answers", every=60)
def poll(limit: int = 100) -> int:
    """Fetch what the house has answered since we last looked; also finish what a crash interrupted."""
    done = 0
    for answer in DebitAnswer.objects.filter(accepted=True, done_at=None).order_by("created_at")[:limit]:
        try:
            work_off(answer)
        except Exception:
            log.exception("%s was not worked off", answer.name)
        done += 1
    if house.config() is None or not _listening():
        return done
    try:
        for listed in house.answers(_looked_at())[: max(0, limit - done)]:
            try:
                content = house.fetch(listed)
            except house.NotNow as error:
                if str(error) not in ("SIZE", "OTHER_BYTES"):
                    raise
                log.exception("%s cannot be fetched", listed.name)
                content = b""
            if content:
                take(content, listed.name)
            with atomic():
                DebitCursor.objects.filter(house=house.DEP, number__lt=listed.number).update(number=listed.number)
            done += 1
    except house.NotNow as error:
        log.warning("the clearing house's answers were not fetched: %s", error)
    return done


def _listening() -> bool:
    since = clock.now() - LISTENS_FOR
    files = DebitFile.objects.filter(created_at__gt=since)
    return files.exclude(state=DebitFile.State.REFUSED).exists()


def _looked_at() -> int:
    """The number of the last answer that was looked at."""
    with atomic():
        return DebitCursor.objects.get_or_create(house=house.DEP)[0].number


def take(content: bytes, name: str) -> Taken:
    """Take one file from the clearing house, however it came (fetched, or given by hand)."""
    sha256 = hashlib.sha256(content).hexdigest()
    with atomic():
        known = DebitAnswer.objects.select_for_update().filter(sha256=sha256).first()
        if known is not None and known.accepted:
            known.again += 1
            known.save(update_fields=["again"])
    if known is not None and known.accepted:
        log.warning("%s came again and is ignored", name)
        return Taken("again", {"ignored": "these bytes were delivered before", "name": known.name})
    try:
        read = parse(content)
        files = _files(read)
    except Malformed as wrong:
        report = {"line": wrong.line, "column": wrong.column, "reason": wrong.reason}
        log.error("%s is refused: %s", name, wrong)
        with atomic():
            DebitAnswer(name=name[:40], sha256=sha256, accepted=False, report=report, sealed=seal(content)).insert(
                once=True
            )
        return Taken("refused", report)
    made = DebitAnswer(name=read.name, sha256=sha256, kind=read.answers, accepted=True, sealed=seal(content))

    if known is not None:
        made.pk = known.pk

    def write() -> bool:
        if known is not None:
            refused = DebitAnswer.objects.filter(pk=known.pk, accepted=False)
            return bool(refused.update(name=read.name, kind=read.answers, accepted=True, report={}))
        return made.insert(once=True)

    if not durable(write, once=True):
        return Taken("again", {"ignored": "the same file is being taken in", "name": read.name})
    return Taken("taken", _work(made, read, files))


def parse(content: bytes) -> ResultFile:
    """The file's words in whichever form it has. Raises Malformed."""
    terms = house.config() or {}
    if content.lstrip()[:1] == b"<":
        return sepa.read(content)
    return cms.read(content, institution=str(terms.get("institution", "")), keys=list(terms.get("proofs", ())))


def _files(read: ResultFile) -> dict[Head, DebitFile]:
    """Our files that it is about. Raises Malformed for one that we never sent, or that was answered before."""
    if DebitAnswer.objects.filter(name=read.name, accepted=True).exists():
        raise Malformed(1, "file", "this file came before with other bytes")
    scheme = "sepa" if read.name.startswith("PS-") else "cms"
    found: dict[Head, DebitFile] = {}
    wanted = [(1, read.head)] if read.answers == "results" else [(each.line, each.origin) for each in read.results]
    for line, head in wanted:
        if head in found:
            continue
        file = DebitFile.objects.filter(scheme=scheme, day=head.day, sequence=head.sequence).first()
        if file is None or file.state == DebitFile.State.REFUSED:
            column = "sequence" if read.answers == "results" else "origin_day"
            raise Malformed(line, column, "there is no file of ours that this answers")
        if read.answers == "results" and file.results_at is not None:
            raise Malformed(line, "sequence", "this file of ours was answered before")
        found[head] = file
    return found


def work_off(answer: DebitAnswer) -> dict[str, Any]:
    """Work an accepted answer to its end, from wherever it was interrupted."""
    read = parse(open_sealed(answer.sealed))
    heads = {read.head} if read.answers == "results" else {each.origin for each in read.results}
    scheme = "sepa" if read.name.startswith("PS-") else "cms"
    files = {head: DebitFile.objects.get(scheme=scheme, day=head.day, sequence=head.sequence) for head in heads}
    return _work(answer, read, files)


def _work(answer: DebitAnswer, read: ResultFile, files: dict[Head, DebitFile]) -> dict[str, Any]:
    results = sorted(read.results, key=lambda each: each.line)
    for start in range(0, len(results), BATCH):
        part = results[start : start + BATCH]
        durable(lambda: _batch(answer, read.answers, part, files))  # noqa: B023 - runs within this turn
        home.bring(BATCH)
    report = _counted(answer)
    now = clock.now()

    def finish() -> None:
        DebitAnswer.objects.filter(pk=answer.pk).update(done_at=now, report=report)
        if read.answers == "results":
            pks = [file.pk for file in files.values()]
            DebitFile.objects.filter(pk__in=pks, state=DebitFile.State.BUILT).update(
                state=DebitFile.State.ACCEPTED, answered_at=now
            )
            DebitFile.objects.filter(pk__in=pks, results_at=None).update(results_at=now, person_owns_at=None)

    durable(finish)
    return report


def _counted(answer: DebitAnswer) -> dict[str, Any]:
    items = DebitItem.objects.filter(answer=answer)
    found: dict[str, Any] = {}
    for state, word in items.values_list("state", "code"):
        found[word] = found.get(word, 0) + 1
        found[str(state)] = found.get(str(state), 0) + 1
    parked = DebitParked.objects.filter(answer=answer)
    for reason in parked.values_list("reason", flat=True):
        found[reason] = found.get(reason, 0) + 1
    return found | {"parked": parked.count()}


def _batch(answer: DebitAnswer, answers: str, part: Sequence[Result], files: dict[Head, DebitFile]) -> None:
    """One transaction: accounts locked in id order, then every record judged and brought home as far as it is plain."""
    places = {(files[each.origin].pk, each.serial): each for each in part}
    rows = DebitItem.objects.filter(file__in={pk for pk, _ in places}, serial__in={serial for _, serial in places})
    locked = accounts.lock_many(rows.values_list("account_id", flat=True))
    items = {
        (item.file_id, item.serial): item
        for item in rows.select_for_update(of=("self",)).select_related("mandate", "attempt").order_by("pk")
    }
    now = clock.now()
    changed: list[tuple[DebitItem, Code]] = []
    parked: list[DebitParked] = []
    for place, result in places.items():
        item = items.get(place)
        if item is not None and item.answer_id == answer.pk:
            continue  # an interrupted batch was committed after all
        verdict, reason, code = rules.judge(result, None if item is None else _known(item), answers)
        if item is None or code is None:
            parked.append(_parked(answer, result, item, reason))
            continue
        item.state, item.code, item.result_at, item.answer, item.home_at = S(verdict), code.word, now, answer, None
        changed.append((item, code))
    DebitParked.objects.bulk_create(parked, ignore_conflicts=True)
    _write(changed)
    _bring(changed, locked)
    for item, code in changed:
        home.after(item, code)


def _write(changed: Sequence[tuple[DebitItem, Code]]) -> None:
    """The items' own rows; they are alike but for state and word."""
    alike: dict[tuple[str, str], list[DebitItem]] = {}
    for item, code in changed:
        alike.setdefault((str(item.state), code.word), []).append(item)
    for (state, word), rows in alike.items():
        DebitItem.objects.filter(pk__in=[item.pk for item in rows]).update(
            state=state, code=word, result_at=rows[0].result_at, answer=rows[0].answer, home_at=None
        )


def _known(item: DebitItem) -> rules.Known:
    bank = item.mandate.bank if item.scheme == "cms" else ""
    return rules.Known(str(item.state), item.kind, item.amount, bank, item.mandate.payer)


def _parked(answer: DebitAnswer, result: Result, item: DebitItem | None, reason: str) -> DebitParked:
    log.error("%s, line %s is parked: %s", answer.name, result.line, reason)
    return DebitParked(
        answer=answer,
        item=item,
        line=result.line,
        serial=result.serial,
        amount=result.amount,
        code=result.code,
        done=result.done,
        reason=reason,
        due_at=clock.now() + PARKED_DAYS,
    )


def _bring(changed: Sequence[tuple[DebitItem, Code]], locked: dict[UUID, Account]) -> None:
    """Settle and refuse what is plain and mark it as brought home. A refund's result is asked for by its own row."""
    debits = [(item, code) for item, code in changed if item.kind == "debit"]
    rows = Attempt.objects.select_for_update().filter(pk__in=[item.attempt_id for item, _ in debits])
    attempts = {each.pk: each for each in rows.order_by("pk")}
    plain = bulk.plain([item.attempt_id for item, code in debits if code.outcome is Outcome.PAID], {State.INSTRUCTED})
    paid, refused, home_now = [], [], [item.pk for item, _ in changed if item.kind == "refund"]
    for item, code in debits:
        attempt = attempts[item.attempt_id]
        due = bulk.Due(locked[item.account_id], attempt, code.word, item.created_at, code.outcome)
        if code.outcome is Outcome.PAID and attempt.pk in plain and attempt.amount == item.amount:
            paid.append(due)
        elif code.outcome in bulk.REFUSALS and attempt.state == State.INSTRUCTED and not attempt.synthetic:
            refused.append(due)
        else:
            continue
        home_now.append(item.pk)
    bulk.settle(paid, home.CAUSE)
    bulk.refuse(refused)
    home.tell_failed([(due.attempt, due.word) for due in refused])
    DebitItem.objects.filter(pk__in=home_now).update(home_at=clock.now())


def close_parked(parked_id: UUID, *, by: str, note: str) -> None:
    """A person has found out what the record was and did what was needed; it stays in the history.

    Raises NotAllowed.
    """
    staff.require(by, "refund")
    with atomic():
        rows = DebitParked.objects.filter(pk=parked_id, closed_at=None)
        rows.update(closed_at=clock.now(), closed_by=by[:80], note=note[:200])

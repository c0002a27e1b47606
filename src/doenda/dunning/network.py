"""Commands on their way to the switch (TMF640 Service Activation): sent until the switch itself shows what we asked.

A bar is looked at once more, under the account's lock, before every try: if anything speaks against it now, it is
withdrawn. An answer is not believed: the service is read back, and once more a minute later.
"""

import logging
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Q

from doenda import notices
from doenda.billing import accounts
from doenda.billing.models import Line
from doenda.dunning import commands, effects, gather
from doenda.dunning.case_facts import Facts, as_json
from doenda.dunning.cases import policy_now
from doenda.dunning.decide import may_leave
from doenda.dunning.models import Case, CaseStep, LineCommand
from doenda.dunning.words import Bar, Stage
from doenda.kernel import clock, facts, net, outbox
from doenda.kernel.db import atomic
from doenda.kernel.ids import outside
from doenda.kernel.models import OutboxRow
from doenda.kernel.outbox import Again, Outcome, Sent

log = logging.getLogger(__name__)

DEP = "switch"
PROFILE = "keep_emergency_114_pay"
"""Emergency numbers, the carrier's 114 and the pay pages stay reachable from a barred line."""
TIMEOUT, LEASE, CHECK_AFTER = 4.0, 15.0, 60.0
"""Seconds: one call; one try (at most three calls); until the switch is asked once more whether it really did it."""


class Refused(Exception):
    """The switch answered, but not with what TMF640 promises."""


@outbox.handles("switch", lease=LEASE)
def send_command(row: OutboxRow) -> Outcome:
    """One try to bring a line to what its newest command wants."""
    prepared = _prepare(row)
    if not isinstance(prepared, LineCommand):
        return prepared
    wanted = Bar(prepared.wanted)
    try:
        shown = _read(prepared.line_id) if prepared.tries > 1 else None
        if shown != wanted:
            _patch(prepared)
            shown = _read(prepared.line_id)
    except (net.NotSent, net.NoAnswer, Refused) as error:
        return Again(None, str(error)[:500])
    if shown != wanted:
        return Again(None, f"the switch shows {shown}, not {wanted}")
    return _confirm(row, prepared)


def _prepare(row: OutboxRow) -> LineCommand | Outcome:
    """Is the command still wanted, and right? Counts the try; withdraws a bar that something speaks against."""
    with atomic():
        account = accounts.lock(_account(row))
        command = LineCommand.objects.select_for_update().get(pk=UUID(str(row.payload["command"])))
        if command.state not in commands.LIVE:
            outbox.finish(row)
            return Sent()
        if _older_under_way(row):
            return Again(1, "an older command for this line is still under way")
        if command.wanted != Bar.NONE:
            assert command.case_id is not None
            case = Case.objects.select_for_update().get(pk=command.case_id)
            seen = gather.facts_of(account, case, policy_now(), clock.now())
            against = _against(command, case, seen)
            if against:
                _withdraw(command, case, seen, against)
                outbox.finish(row)
                return Sent()
        command.state, command.tries = LineCommand.State.SENT, command.tries + 1
        command.sent_at = command.sent_at or clock.now()
        command.save(update_fields=["state", "tries", "sent_at"])
        return command


def _account(row: OutboxRow) -> UUID:
    assert row.account_id is not None
    return row.account_id


def _older_under_way(row: OutboxRow) -> bool:
    """Somebody holds the lease of another command of this line: its effect could arrive after ours."""
    others = OutboxRow.objects.filter(kind="switch", account_id=row.account_id, payload__line=row.payload["line"])
    return others.filter(Q(lease_until__gt=clock.now()), created_at__lt=row.created_at).exclude(pk=row.pk).exists()


def _against(command: LineCommand, case: Case, seen: Facts) -> str:
    if case.closed_at is not None or not seen.debts:
        return "nothing_overdue"
    return may_leave(
        seen,
        policy_now(),
        line_id=command.line_id,
        step=Bar(command.wanted),
        notice_id=command.notice_id,
        now=clock.now(),
    )


def _withdraw(command: LineCommand, case: Case, seen: Facts, why: str) -> None:
    """The bar does not leave; the case goes back a step. If an earlier try may have arrived, it is undone."""
    sent_before, line = command.tries > 0, command.line
    command.state = LineCommand.State.SUPERSEDED
    command.save(update_fields=["state"])
    if sent_before:
        commands.ask(line.pk, Bar(line.barring), case=case, reason="withdrawn", again=True)
    CaseStep.objects.create(
        case=case,
        account_id=case.account_id,
        step="withdrawn",
        policy=policy_now().name,
        facts=as_json(seen),
        decision={"why": why, "line": str(line.pk), "wanted": command.wanted},
        key=effects.next_key(case),
    )
    if case.closed_at is None and command.wanted == Bar.OUTGOING and case.stage == Stage.OUTGOING_BARRED:
        case.stage, case.stage_since, case.barred_since = Stage.NOTICED, clock.today(), None
    elif case.closed_at is None and command.wanted == Bar.BOTH and case.stage == Stage.FULLY_BARRED:
        case.stage, case.stage_since = Stage.OUTGOING_BARRED, case.barred_since or clock.today()
    case.next_check_at = clock.now()
    case.save()


def _url(line_id: UUID) -> str:
    path = f"/tmf-api/ServiceActivationAndConfiguration/v4/service/{outside(line_id)}"
    return settings.DOENDA_SWITCH_URL.rstrip("/") + path


def _patch(command: LineCommand) -> None:
    """Ask. 200 and 202 are both only an answer; what counts is what the service shows afterwards."""
    said = {
        "barring": command.wanted,
        "reason": command.reason,
        "case": outside(command.case_id) if command.case_id else "",
        "profile": PROFILE,
    }
    body = {"serviceCharacteristic": [{"name": name, "value": value} for name, value in said.items()]}
    reply = net.call(DEP, "PATCH", _url(command.line_id), json=body, timeout=TIMEOUT)
    if reply.status not in {200, 202}:
        raise Refused(f"the switch answered {reply.status}")


def _read(line_id: UUID) -> Bar:
    reply = net.call(DEP, "GET", _url(line_id), timeout=TIMEOUT)
    try:
        if reply.status != 200:
            raise ValueError(f"status {reply.status}")
        named: dict[str, Any] = {each["name"]: each.get("value") for each in reply.json()["serviceCharacteristic"]}
        return Bar(named["barring"])
    except (KeyError, TypeError, ValueError) as error:
        raise Refused(f"the switch does not show the service: {error}") from error


def _confirm(row: OutboxRow, sent: LineCommand) -> Outcome:
    with atomic():
        account = accounts.lock(sent.account_id)
        command = LineCommand.objects.select_for_update().get(pk=sent.pk)
        if command.state in commands.LIVE:
            Line.objects.filter(pk=command.line_id).update(barring=command.wanted)
            command.state, command.confirmed_at = LineCommand.State.CONFIRMED, clock.now()
            command.save(update_fields=["state", "confirmed_at"])
            data = {"line_id": str(command.line_id), "barring": command.wanted, "command": str(command.pk)}
            facts.record("dunning.line_confirmed", account.pk, data)
            if command.wanted == Bar.NONE and row.payload.get("felt"):
                notices.send(
                    "restored", account.pk, params={"line": str(command.line_id)}, key=f"restored-{command.pk}"
                )
            check = str(command.pk)
            outbox.put("switch_check", check, {"command": check}, account_id=account.pk, due_in=CHECK_AFTER)
        outbox.finish(row)
    return Sent()


@outbox.handles("switch_check", lease=LEASE)
def check_command(row: OutboxRow) -> Outcome:
    """Is a confirmed command still what the switch shows? If not, and nothing newer was asked, ask again."""
    command = LineCommand.objects.get(pk=UUID(str(row.payload["command"])))
    try:
        shown = _read(command.line_id)
    except (net.NotSent, net.NoAnswer, Refused) as error:
        return Again(None, str(error)[:500])
    with atomic():
        accounts.lock(command.account_id)
        newer = LineCommand.objects.filter(line_id=command.line_id, requested_at__gt=command.requested_at).exists()
        if not newer and shown != command.wanted:
            log.error("line %s: the switch shows %s, confirmed was %s", command.line_id, shown, command.wanted)
            Line.objects.filter(pk=command.line_id).update(barring=shown)
            commands.ask(
                command.line_id,
                Bar(command.wanted),
                case=command.case,
                reason="network_differs",
                notice_id=command.notice_id,
            )
        outbox.finish(row)
    return Sent()

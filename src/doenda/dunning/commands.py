"""Commands to the network, one live one a line: written with the decision, sent from the outbox, the newest wins."""

from uuid import UUID

from doenda.billing.models import Line
from doenda.dunning.models import Case, LineCommand
from doenda.dunning.words import Bar
from doenda.kernel import outbox

LIVE = (LineCommand.State.DUE, LineCommand.State.SENT)


def ask(
    line_id: UUID, wanted: Bar, *, case: Case | None, reason: str, notice_id: UUID | None = None, again: bool = False
) -> LineCommand:
    """Ask the network for `wanted`, in the caller's transaction with the account locked.

    A live command for the same is that command (unless `again`); any other live one is superseded. `notice_id`: the
    notice on which a bar rests; it is looked at once more just before the command leaves.
    """
    line = Line.objects.get(pk=line_id)
    live = LineCommand.objects.filter(line=line, state__in=LIVE).select_for_update().first()
    if live is not None:
        if live.wanted == wanted and not again:
            return live
        live.state = LineCommand.State.SUPERSEDED
        live.save(update_fields=["state"])
    felt = line.barring != Bar.NONE or (live is not None and live.tries > 0)
    command = LineCommand.objects.create(
        line=line, account_id=line.account_id, case=case, wanted=wanted, reason=reason, notice_id=notice_id
    )
    outbox.put(
        "switch",
        str(command.pk),
        {"command": str(command.pk), "line": str(line.pk), "felt": felt},
        account_id=line.account_id,
    )
    return command

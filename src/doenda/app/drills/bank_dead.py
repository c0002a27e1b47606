"""The bank dies: within 130 s nothing names its ways any more, and whoever was told before has the clock stopped."""

from doenda.app import scenes
from doenda.app.result import Result
from doenda.app.stage import Stage
from doenda.assurance import guidance, no_way
from doenda.billing.models import Bill
from doenda.channels.web import walker
from doenda.dunning import outlook
from doenda.dunning.models import Case, LineCommand
from doenda.kernel import clock, net
from doenda.notices.models import Delivery, Notice

LIMIT_SECONDS = 130.0
MORNINGS = 5


def run(stage: Stage) -> Result:
    result = Result()
    told, later = scenes.import_bills(stage, 2, overdue_days=3)
    noticed = any(_told_by_morning(stage, told) for _ in range(MORNINGS))
    result.expect(noticed, f"no notice named a way before the fault: {_said(told)}")
    stage.faults("bank", {"*": {"fault": "dead"}})
    begun = clock.monotonic()
    withdrawn = scenes.wait_for(lambda: not guidance.read().named("notice"), LIMIT_SECONDS + 20)
    seconds = clock.monotonic() - begun
    result.expect(withdrawn and seconds <= LIMIT_SECONDS, f"ways were still named after {seconds:.0f} s")
    dead_since = clock.now()
    nothing = scenes.wait_for(lambda: scenes.board(stage)["no_way"], 15)
    result.expect(nothing, "the board does not say that nothing works")
    scenes.pass_days(stage, 12, walk=False)
    naming = Delivery.objects.filter(at__gt=dead_since).exclude(ways=[]).count()
    texts = scenes.inbox_since(stage, dead_since)
    naming += sum(1 for text in texts if scenes.names_a_way(text))
    result.expect(naming == 0, f"{naming} notices named a dead way")
    result.expect(not scenes.names_a_way(_panel(stage)), "the panel names a dead way")
    seen = outlook.of(told.account_id)
    result.expect(seen.held, "the clock of who was told did not stop")
    result.notes.append(f"who was told before is held for: {seen.held_for or 'exposure'}")
    _customers(result, told, later)
    stretch = no_way.running()
    result.expect(stretch is not None and stretch.failed, "that nothing works is not known as a state")
    barred = LineCommand.objects.exclude(wanted="none").count()
    result.expect(barred == 0, f"{barred} lines were told to be barred while nothing could be paid")
    result.figures = {
        "seconds_to_withdraw": round(seconds, 1),
        "notices_naming_dead": naming,
        "wrongful_steps": barred,
        "walks": 2,
    }
    return result


def _told_by_morning(stage: Stage, bill: Bill) -> bool:
    """Let a night pass; a notice that met the morning before its ways were walked anew leaves on the next."""
    scenes.pass_days(stage, 1)
    return scenes.wait_for(lambda: _named(bill) > 0, 25)


def _named(bill: Bill) -> int:
    return Delivery.objects.filter(notice__bill=bill).exclude(ways=[]).count()


def _said(bill: Bill) -> str:
    """What became of the bill's notices and of its case, for whoever must find out why."""
    notices = Notice.objects.filter(account_id=bill.account_id).values_list("kind", "state", "held_reason", "due_at")
    cases = Case.objects.filter(account_id=bill.account_id).values_list("stage", "next_check_at", "closed_at")
    return f"notices {list(notices)}, cases {list(cases)}, now {clock.now()}"


def _panel(stage: Stage) -> str:
    reply = net.call("web", "GET", f"{stage.base}/demo/ways")
    return reply.body.decode() if reply.status == 200 else ""


def _customers(result: Result, *bills: Bill) -> None:
    """Each customer opens the link, tries what is offered, and must end with a dated promise."""
    for bill in bills:
        walked = walker.pay_or_promise(scenes.link(bill))
        result.expect(walked.outcome == "promised", f"a customer was left at {walked.outcome}: {walked.steps}")

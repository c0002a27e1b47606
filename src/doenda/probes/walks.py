"""One synthetic walk: a probe account's bill is paid through a way to its last step, and the money given back.

Nothing short of a receipt is a proof. Probe money has books of its own, and its account is in no report and no case.
What a walker without scripts cannot walk to its end is not walked, and no failure of it is made up: see `ways`.
"""

from collections.abc import Callable, Iterable
from datetime import timedelta

from django.conf import settings
from django.db.models import Q

from doenda.access import codes, tokens
from doenda.assurance import cells, devices, evidence, standing
from doenda.assurance import ways as declared
from doenda.assurance.rule import FAILURES, Name, Outcome
from doenda.billing import accounts, bills
from doenda.billing.models import Account, Bill
from doenda.channels import into
from doenda.channels.voice import desk
from doenda.channels.voice import walker as caller
from doenda.channels.web import in_chromium, walker
from doenda.kernel import clock, outbox
from doenda.kernel.db import atomic
from doenda.kernel.ids import new_id, outside
from doenda.kernel.money import Money
from doenda.payments.models import Attempt, Refund
from doenda.probes import control, hands, turns
from doenda.probes.models import ProbeRun

ACCOUNT = "PROBE"
NUMBER = "+821000000000"
"""From which synthetic callers call; no customer has it."""
AMOUNT = {"KRW": 1000}
CURRENCY = "KRW"
PATIENCE = 20.0
PATIENCE_WITH_A_HAND = 90.0
"""A deposit is heard of by a doorbell or, at the latest, when the bank is next asked what arrived."""
PATIENCE_OF_A_BROWSER = 40.0
BROWSERS: dict[str, Callable[..., walker.Walk]] = {"chromium": in_chromium.pay}
"""The real browsers that can walk, by the names that `DOENDA_BROWSERS` and devices.toml give them."""
LONGEST_WALK = timedelta(minutes=5)


def probe_account() -> Account:
    """The synthetic customer, opened once."""
    with atomic():
        found = Account.objects.filter(number=ACCOUNT).first()
        return found or accounts.open_account(ACCOUNT, CURRENCY, probe=True)


def ways() -> list[str]:
    """The ways to walk now: those of the web channel that a walker can finish here, that are open and not retired; and
    the same on each kind of device of which there is a browser here (`assurance.cells`).

    A withdrawn one is among them (it comes back by its walks); a closed one is not, and is again at its opening.
    """
    found = standing.current("pay").values()
    open_now = [way.slug for way in found if way.standing not in (Name.CLOSED, Name.RETIRED)]
    on_devices = [devices.cell(slug, kind) for slug in open_now for kind in devices.table().kinds]
    return [slug for slug in (*open_now, *on_devices) if _walkable(slug)]


def closed() -> list[str]:
    """The ways that would be walked, were they not closed at this hour."""
    found = standing.current("pay").values()
    return [way.slug for way in found if way.standing is Name.CLOSED and _walkable(way.slug)]


def _walkable(slug: str) -> bool:
    return bool(declared.browser_for(slug))


def walk(slug: str, *, runner: str = "", confirms: bool = False) -> ProbeRun:
    """Walk one way to its last step, record what it proved, and give the money back.

    A failure asks for the confirm runs that the way's standing waits for (`turns`). Where our own hand could not pay
    in, or the control walk fails as well, the walk says nothing of the way (`pending`). Closing while it is walked,
    too, weighs nothing: evidence sees to that.
    """
    # A lease that has lapsed is noted before the proof that ends it: who waited for it is then told.
    base, device = devices.parts(slug)
    with atomic():
        if device and cells.ensure(base, device) is None:
            raise standing.UnknownWay(slug)
    standing.settle(slug)
    bill, url = _new_bill()
    lang = "ko" if bill.pk.int % 2 else "en"
    hand = hands.hand(base)
    walked = _call(slug, bill, lang, hand) if base.startswith("voice/") else _pay(slug, url, lang, hand)
    trouble = walked.trouble
    if walked.outcome == "paid":
        outcome = Outcome.WORKED
    elif hand is not None and hand.trouble:
        outcome, trouble = Outcome.PENDING, f"our own hand: {hand.trouble}"
    elif not control.passes():
        outcome, trouble = Outcome.PENDING, f"the control walk failed, too: {trouble or walked.outcome}"
    else:
        outcome, trouble = Outcome.FAILED_BY_US, trouble or f"stopped at {walked.outcome}"
    with atomic():
        run = ProbeRun.objects.create(
            way=slug,
            outcome=outcome.value,
            seconds=walked.seconds,
            steps=list(walked.steps),
            trouble=trouble,
            runner=runner,
            confirms=confirms,
        )
        evidence.record(slug, outcome, source_kind="walk", source_id=str(run.id), synthetic=True, detail=run.trouble)
        if outcome in FAILURES and (awaited := standing.awaited(slug)):
            turns.ask(slug, awaited, asked_by=runner)
    _give_back(bill)
    return run


def _pay(slug: str, url: str, lang: str, hand: hands.Hand | None) -> walker.Walk:
    _, method, provider = devices.parts(slug)[0].split("/")
    patience = PATIENCE if hand is None else PATIENCE_WITH_A_HAND
    if (browser := declared.browser_for(slug)) in BROWSERS:
        pay = BROWSERS[browser]
        return pay(url, method=method, provider=provider, lang=lang, scripts=True, patience=PATIENCE_OF_A_BROWSER)
    return walker.pay(url, method=method, provider=provider, lang=lang, patience=patience, hand=hand)


def _call(slug: str, bill: Bill, lang: str, hand: hands.Hand | None) -> walker.Walk:
    """The same by telephone: a real call, to hearing the receipt."""
    if hand is None:
        raise hands.HandFailed("a walk by telephone needs a hand that pays in")
    with atomic():
        code = codes.issue(bill.pk, bill.account_id, NUMBER)
    offered = [
        way.slug for way in standing.current("pay").values() if way.channel == "voice" and way.standing != Name.RETIRED
    ]
    key = str(offered.index(slug) + 1)

    def given() -> tuple[str, Money, str]:
        until = clock.monotonic() + PATIENCE
        while True:
            found = Attempt.objects.filter(bills__bill_id=bill.pk, state="needs_deposit").first()
            if found is not None and (into_ := into.of(found, lang)) is not None:
                return into_.digits, Money(into_.minor, found.currency), desk.number_said(into_, lang)
            if clock.monotonic() > until:
                raise LookupError("no number to pay into was given")
            clock.sleep(0.2)

    return caller.pay(code, number=NUMBER, key=key, lang=lang, given=given, hand=hand)


def _new_bill() -> tuple[Bill, str]:
    account = probe_account()
    with atomic():
        account = accounts.lock(account.pk)
        bill = bills.issue(
            account,
            f"PROBE-{outside(new_id())}",
            [bills.Item("service", AMOUNT[CURRENCY])],
            due_date=clock.today(),
        )
        token = tokens.issue("bill", bill.pk, account.pk)
    return bill, f"{settings.DOENDA_BASE_URL}/p/{token}"


def _give_back(bill: Bill) -> None:
    """Send the walk's own refund now, and take the bill out of the books; what is not done here, the sweeps do."""
    refunds = Refund.objects.filter(attempt__bills__bill_id=bill.pk, done_at=None).values_list("id", flat=True)
    for refund_id in refunds:
        row = outbox.claim(Q(kind="refund", key=str(refund_id)))
        if row is not None:
            outbox.send_claimed(row)
    _close([bill])
    close_old_bills()


def close_old_bills(limit: int = 20) -> int:
    """Cancel probe bills that walks left open with nothing in flight; a young one may be walked at this moment."""
    mine = Bill.objects.filter(account=probe_account(), state="open", created_at__lt=clock.now() - LONGEST_WALK)
    return _close(mine.exclude(attempt_bills__in_flight=True).order_by("created_at")[:limit])


def _close(found: Iterable[Bill]) -> int:
    closed = 0
    for bill in found:
        with atomic():
            account = accounts.lock(bill.account_id)
            bill.refresh_from_db()
            if bill.state == "open" and not bill.attempt_bills.filter(in_flight=True).exists():
                closed += bills.cancel(account, bill, fact_id=f"probe-{bill.pk}", at=clock.now())
    return closed

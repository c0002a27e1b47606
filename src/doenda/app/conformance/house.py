"""The real house as a behaviour uses it: bills, attempts, the customer's return, doorbells, questions, refunds.

Everything goes through the doors that channels, webhooks and the worker use; only the clock is moved.
"""

import contextlib
from collections.abc import Iterator, Mapping
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Sum
from django.test import Client

from doenda.billing import accounts, bills, books
from doenda.billing.models import Account, Bill, Book, Party, Posting
from doenda.kernel import clock, sweeps
from doenda.kernel.db import atomic
from doenda.kernel.ids import new_id, outside
from doenda.payments import attempts, charge, providers, refunds
from doenda.payments.models import Attempt, Doorbell
from doenda.payments.providers.contract import PayInto, Provider
from doenda.payments.states import State
from doenda.sim.driver import Begun, Driver
from doenda.sim.line import Bell
from doenda.sim.places import stand

AMOUNT = 52_300
RETURN = "http://127.0.0.1:8000/s/return"


class House:
    """The house with one provider configured, and the driver of that provider's peer."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self.web = Client(SERVER_NAME="127.0.0.1")

    @property
    def terms(self) -> Provider:
        """The provider as the house sees it, with the settings that the driver has now."""
        settings.DOENDA_PROVIDERS = {self.driver.name: self.driver.config()}
        providers.get.cache_clear()
        return providers.get(self.driver.name)

    def bill(self, amount: int = AMOUNT) -> Bill:
        """A new account's one open bill, due in two weeks: collections has no part in this."""
        number = f"C-{outside(new_id())}"
        with atomic():
            party = Party.objects.create(name="김표본", phone="+821000001234", language="ko")
            account = accounts.open_account(f"A-{number}", "KRW", holder=party, lines=[])
            account = accounts.lock(account.pk)
            day = clock.today()
            first = day.replace(day=1)
            before = first - timedelta(days=1)
            return bills.issue(
                account,
                number,
                [bills.Item("service", amount)],
                due_date=day + timedelta(days=14),
                bill_date=first,
                period=(before.replace(day=1), before),
            )

    def start(self, bill: Bill, *, method: str = "", mandate_id: UUID | None = None) -> Attempt:
        """What a channel does when the customer has chosen; AssertionError unless an attempt was made."""
        assert self.terms
        result = attempts.start(
            bill.account_id,
            [(bill.pk, bill.amount)],
            channel="web",
            method=method or self.driver.method,
            provider=self.driver.name,
            return_url=RETURN,
            lang="ko",
            bank=self.driver.bank,
            mandate_id=mandate_id,
        )
        assert result.attempt_id is not None, f"start said {result.outcome}"
        return Attempt.objects.get(pk=result.attempt_id)

    def begun(self, attempt: Attempt) -> Begun:
        """The attempt as its payer sees it."""
        client: Mapping[str, str] = attempt.details.get("client") or {}
        order_id = outside(attempt.id)
        number = (attempt.details.get("pay_into") or {}).get("number", "")
        return Begun(order_id, attempt.provider_ref or "", attempt.amount, attempt.redirect_url, client, RETURN, number)

    def back(self, attempt: Attempt, query: Mapping[str, str]) -> str:
        """The customer is back with these words and says yes. What the channel is told; "failed" without a charge."""
        came = providers.get(attempt.provider).returned(query)
        if came.failed or came.cancelled:
            return "failed"
        order_id = came.order_id or outside(attempt.id)
        said = charge.confirm(attempt.id, order_id=order_id, ref=came.ref, amount=came.amount, token=came.token)
        return said.outcome

    def pay(self, bill: Bill) -> Attempt:
        """The bill is paid, in whichever way this provider has; AssertionError if it is not."""
        driver = self.driver
        if driver.method:
            attempt = self.start(bill)
            said = self.back(attempt, driver.approve(self.begun(attempt)))
            assert said == "paid", f"the page says {said}"
        elif type(driver).take_at_once is not Driver.take_at_once:
            taken = driver.take_at_once(bill.account_id, bill.pk, bill.remaining)
            attempt = Attempt.objects.get(pk=taken)
        elif driver.deposit_method:
            attempt = self.start(bill, method=driver.deposit_method)
            driver.deposit(self.paid_into(attempt), bill.remaining)
            self.hear(attempt)
        else:
            mandate = driver.mandate(bill.account_id)
            attempt = self.start(bill, method=driver.debit_method, mandate_id=mandate)
            driver.settle_debit(self.begun(attempt).order_id)
            self.tick()
        attempt = self.look(attempt)
        assert attempt.state == State.PAID, f"the attempt is {attempt.state} ({attempt.reason}), not paid"
        return attempt

    def hear(self, attempt: Attempt) -> None:
        """The provider rings, or what it says is fetched before long."""
        if self.driver.rings:
            for bell in self.driver.bells(self.begun(attempt)):
                self.door(bell)
            self.tick()
        else:
            self.pass_time(60)

    def paid_into(self, attempt: Attempt) -> PayInto:
        into = attempt.details["pay_into"]
        return PayInto(into["bank"], into["number"], into.get("holder", ""))

    def door(self, bell: Bell) -> int:
        """Bring a webhook to the house's own address. The status that its sender gets."""
        kind = bell.headers.get("content-type", "application/json")
        headers = {name: value for name, value in bell.headers.items() if name not in _OF_THE_LINE}
        path = f"/webhooks/{self.driver.name}"
        status: int = self.web.post(path, bell.body, content_type=kind, headers=headers).status_code
        return status

    def kept(self, body: bytes) -> int:
        """How many stored doorbells have this body."""
        return Doorbell.objects.filter(provider=self.driver.name, body=body.decode(errors="replace")).count()

    def pass_time(self, seconds: float) -> None:
        """Let time pass, asking whatever falls due, as the worker does."""
        end = clock.now() + timedelta(seconds=seconds)
        step = max(1.0, seconds / 12)
        while clock.now() < end:
            self.tick()
            stand(min(step, (end - clock.now()).total_seconds()))
        self.tick()

    def tick(self) -> None:
        """The worker's sweeps that concern money."""
        for name in (*self.driver.sweeps, "inquiries", "outbox"):
            sweeps.run(name)

    def look(self, attempt: Attempt) -> Attempt:
        return Attempt.objects.get(pk=attempt.pk)

    def give_back(self, attempt: Attempt, reason: str = "drill") -> None:
        with atomic():
            refunds.ask(self.look(attempt), reason)
        self.tick()
        self.driver.hand_out(outside(attempt.id))

    def posted(self, account_id: UUID) -> int:
        """What our ledger says that this provider holds of the account's money."""
        book = Book.objects.filter(name=books.clearing(self.driver.name), account=None).values("pk")
        mine = Posting.objects.filter(account_id=account_id)
        came: int = mine.filter(target_book__in=book).aggregate(all=Sum("amount"))["all"] or 0
        went: int = mine.filter(source_book__in=book).aggregate(all=Sum("amount"))["all"] or 0
        return abs(came - went)

    def agree_ours(self, account_id: UUID, amount: int) -> None:
        """Our ledger alone says so: the peer knows more by now. Raises AssertionError."""
        ours = self.posted(account_id)
        assert ours == amount, f"our ledger says {ours}, it should be {amount}"

    def agree(self, account: UUID | Account, amount: int) -> None:
        """The peer's books and our ledger both say `amount` for all attempts of the account, and the ledger balances.

        Raises AssertionError.
        """
        account_id = account.pk if isinstance(account, Account) else account
        found = Attempt.objects.filter(account_id=account_id)
        theirs = sum(self.driver.taken(outside(one.id), one.provider_ref or "") for one in found)
        ours = self.posted(account_id)
        assert theirs == ours == amount, f"the peer took {theirs}, our ledger says {ours}, it should be {amount}"
        trial = books.trial()
        assert trial.ok, f"the ledger does not balance: {trial}"


_OF_THE_LINE = {"content-length", "content-type", "host", "connection", "accept-encoding", "accept"}


@contextlib.contextmanager
def still() -> Iterator[None]:
    """The house's clock stands still at the wall's instant, and moves only by `pass_time`."""
    with clock.freeze(clock.wall()):
        yield

"""The house with its real rooms and the peers' own truth, walked day by day."""

from datetime import date, timedelta
from itertools import count

from tests.worlds import World, overdue_bill, register

from doenda.assurance import evidence
from doenda.billing import accounts, bills, post
from doenda.billing.models import Account, Bill, Line
from doenda.dunning.models import Case, LineCommand
from doenda.kernel import clock, sweeps
from doenda.kernel.db import atomic
from doenda.kernel.ids import outside

_numbers = count(1)


class House:
    """`day` lives one day: ways are proven, every sweep runs, texts arrive."""

    def __init__(self, made: World, frozen: clock.Frozen) -> None:
        self.world, self.clock = made, frozen
        self.proving = True

    def bill(self, amount: int = 90_000, *, due: date = date(2014, 10, 25), phone: str = "+821000001234") -> Bill:
        bill = overdue_bill(amount, days=(clock.today() - due).days, number=f"B-{next(_numbers)}", phone=phone)
        register(self.world, bill.account)
        return bill

    def another(self, bill: Bill, amount: int, *, due: date) -> Bill:
        with atomic():
            account = accounts.lock(bill.account_id)
            items = [bills.Item("service", amount)]
            return bills.issue(
                account, f"B-{next(_numbers)}", items, due_date=due, bill_date=due.replace(day=1), period=None
            )

    def prove(self) -> None:
        for way in ("web/card/sandbox", "web/transfer/sandbox") if self.proving else ():
            with atomic():
                evidence.record(way, "worked", source_kind="test", source_id=str(next(_numbers)), synthetic=True)

    def settle(self) -> None:
        """What the worker does in a minute or two, as far as it matters here."""
        for _ in range(3):
            self.prove()
            for name in ("facts", "promises", "due_soon", "cases", "outbox", "receipts"):
                sweeps.run(name)
            self.clock.advance(timedelta(seconds=45))

    def day(self, day: date, hour: int = 10) -> None:
        self.clock.set(clock.at(day, hour))
        self.settle()

    def days(self, first: date, last: date) -> None:
        for ahead in range((last - first).days + 1):
            self.day(first + timedelta(ahead))

    def pay(self, bill: Bill, amount: int | None = None, at: date | None = None) -> None:
        bill.refresh_from_db()
        with atomic():
            account = accounts.lock(bill.account_id)
            post.payment(
                account,
                [(bill.pk, amount or bill.remaining)],
                provider="elsewhere",
                fact_kind="counter",
                fact_id=str(next(_numbers)),
                at=clock.at(at, 12) if at else clock.now(),
            )

    def case(self, bill: Bill) -> Case:
        return Case.objects.filter(account_id=bill.account_id).latest("opened_at")

    def line(self, account: Account) -> Line:
        return Line.objects.get(account=account)

    def network(self, account: Account) -> str:
        """What the switch itself does to the account's line."""
        books = self.world.control(self.world.switch, "GET", "books")
        return str(books["services"][outside(self.line(account).pk)]["barring"])

    def history(self, account: Account) -> list[str]:
        books = self.world.control(self.world.switch, "GET", "books")
        return [one["value"] for one in books["services"][outside(self.line(account).pk)]["history"]]

    def commands(self, account: Account) -> list[tuple[str, str]]:
        rows = LineCommand.objects.filter(account=account).order_by("requested_at", "pk")
        return list(rows.values_list("wanted", "state"))

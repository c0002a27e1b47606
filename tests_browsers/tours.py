"""A customer in a graphical browser who looks behind every door: stops at each of our pages, one after the other."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from doenda.app.stage import Stage
from doenda.assurance import by_hand
from doenda.billing.models import Bill
from doenda.kernel import clock

type NewBill = Callable[..., tuple[Bill, str]]
WAYS = ("web/card/sandbox", "web/transfer/sandbox")


class Tour:
    """`page` is Playwright's. Each leg yields the name of every page on which it stops."""

    def __init__(self, page: Any, house: Stage, new_bill: NewBill, lang: str) -> None:
        self.page, self.house, self.new_bill, self.lang = page, house, new_bill, lang

    def all(self) -> Iterator[str]:
        for leg in (self.door, self.objections, self.paying, self.parts, self.trouble, self.nowhere):
            yield from leg()

    @property
    def step(self) -> str:
        return self.page.get_attribute("body", "data-step") or "provider"

    def open(self, url: str) -> str:
        self.page.goto(f"{url}?lang={self.lang}")
        return self.step

    def press(self, value: str) -> str:
        self.page.click(f'button[value="{value}"]')
        return self.step

    def bill(self, **more: Any) -> str:
        _, url = self.new_bill(**more)
        return self.open(url)

    def at_provider(self, method: str = "card") -> None:
        self.page.check(f'input[name=way][value*="/{method}/"]')
        self.press("chosen")

    def door(self) -> Iterator[str]:
        yield self.open(f"{self.house.base}/")
        self.page.fill("#phone", "010-12")
        self.page.fill("#code", "12")
        yield f"{self.press('given')}.wrong"
        self.page.fill("#phone", "010-9999-1234")
        self.page.fill("#code", "123456")
        yield f"{self.press('given')}.unknown"
        yield self.press("send_again")
        self.page.fill("#phone", "010-9999-1234")
        yield self.press("given")
        yield self.press("person")
        self.page.fill("#phone", "010-9999-1234")
        yield self.press("given")
        self.open(f"{self.house.base}/")
        yield self.press("does_not_work")
        yield self.open(f"{self.house.base}/p/{'A' * 26}")
        yield self.open(f"{self.house.base}/nothing/here")

    def objections(self) -> Iterator[str]:
        yield self.bill()
        yield self.press("more_time")
        self.page.evaluate("document.querySelector('#date').type = 'text'")
        self.page.fill("#date", "soon")
        yield f"{self.press('given')}.wrong"
        self.page.fill("#date", (clock.today() + timedelta(days=4)).isoformat())
        yield f"{self.press('given')}.date"
        yield f"{self.press('again')}.held"
        yield self.press("already")
        yield f"{self.press('given')}.claim"
        self.bill()
        yield self.press("not_mine")
        yield f"{self.press('given')}.dispute"
        self.bill()
        yield self.press("person")
        self.page.fill("#phone", "010")
        yield f"{self.press('given')}.wrong"
        self.page.fill("#phone", "010-9999-1234")
        yield f"{self.press('given')}.ticket"
        self.bill()
        yield self.press("does_not_work")
        yield f"{self.press('enough')}.fault"

    def paying(self) -> Iterator[str]:
        _, url = self.new_bill(days=1)
        yield f"{self.open(url)}.fresh"
        yield self.press("pay")
        self.at_provider()
        self.page.go_back()
        self.page.goto(self.page.url)
        self.press("pay") if self.step == "pay.bill" else None
        if self.step == "pay.away":
            yield self.step
            self.page.click("a.button")
        else:
            self.at_provider()
        self.press("cancel")
        yield self.step
        self.press("other")
        self.at_provider("transfer")
        self.press("approve")
        yield self.step
        yield self.press("returned")
        yield f"{self.open(url)}.settled"

    def parts(self) -> Iterator[str]:
        self.bill(amount=1_234_567)
        yield self.press("pay_part")
        self.page.fill("#amount", "0")
        yield f"{self.press('given')}.wrong"
        self.page.fill("#amount", "1,000,000")
        yield f"{self.press('given')}.part"
        self.at_provider()
        self.press("approve")
        yield f"{self.press('returned')}.part"

    def trouble(self) -> Iterator[str]:
        def tried(faults: dict[str, Any]) -> str:
            self.bill()
            self.press("pay")
            self.at_provider()
            self.press("approve")
            self.house.faults("bank", faults)
            try:
                return self.press("returned")
            finally:
                self.house.faults("bank", {"card": {"fault": "inquiry_down"}})

        yield tried({"card": {"fault": "refuse"}})
        yield tried({"card": {"fault": "last_step_down"}})
        yield tried({"card": [{"fault": "error_after"}, {"fault": "inquiry_down"}]})
        yield f"{self.press('enough')}.unknown"
        self.house.faults("bank", {})

    def nowhere(self) -> Iterator[str]:
        self.bill()
        self.press("pay")
        for way in WAYS:
            by_hand.withdraw(way, who="test", reason="to see the page")
        try:
            self.page.goto(self.page.url)
            yield f"{self.step}.nothing"
            yield f"{self.press('chosen')}.no_way"
        finally:
            for way in WAYS:
                by_hand.vouch(way, who="test", reason="seen")

"""The bank takes the money, its answer is lost: the page says so, offers no second charge, the money is found."""

from doenda.app import scenes
from doenda.app.drills import books
from doenda.app.result import Result
from doenda.app.stage import Stage
from doenda.channels.web import walker
from doenda.kernel import clock, texts

LINE_BACK_SECONDS = 30.0


def run(stage: Stage) -> Result:
    result = Result()
    [bill] = scenes.import_bills(stage, 1, overdue_days=3)
    days = scenes.until_barred(stage, bill)
    result.notes.append(f"the line was barred after {days} days of the ladder")
    # without its webhook: with it, the money is found before the page has to say anything
    stage.faults("bank", {"*": [{"fault": "timeout_after", "seconds": 30}, {"fault": "no_webhook"}]})
    customer = walker.Walker()
    begun = clock.monotonic()
    walked = walker.pay(scenes.link(bill), patience=60, customer=customer)
    asking = [page for page in customer.pages if page.step == "pay.asking"]
    result.expect(bool(asking), f"no page said that the outcome is unknown: {walked.steps}")
    for page in asking:
        told = texts.say("pay-asking", page.lang)
        result.expect(told in page.text, "the page does not say that it is not known yet")
        offered = {value for form in page.forms for _, value in form.buttons}
        result.expect(not offered & {"pay", "chosen", "returned", "other"}, f"a second charge was offered: {offered}")
    result.expect(walked.outcome == "paid", f"the walk ended at {walked.outcome}: {walked.trouble}")
    seconds_paid = clock.monotonic() - begun
    back = scenes.wait_for(lambda: scenes.barring(stage, bill) == "none", LINE_BACK_SECONDS)
    result.expect(back, "the line did not come back")
    scenes.wait_for(lambda: not books.compare(stage), 20)
    mismatches = books.compare(stage)
    result.failures += mismatches
    doubles = books.double_charges(stage)
    result.expect(doubles == 0, f"{doubles} bills were charged twice")
    bill.refresh_from_db()
    result.expect(bill.state == "settled", f"the bill is {bill.state}")
    result.figures = {
        "walks": 1,
        "double_charges": doubles,
        "lost": 0 if bill.state == "settled" else 1,
        "mismatches": len(mismatches),
        "seconds_unknown_to_receipt": round(seconds_paid, 1),
    }
    return result

"""Debits by file: what is instructed, recalled, filed and answered while the customer pays otherwise."""

import hashlib
from datetime import timedelta

from doenda.billing.models import Bill
from doenda.kernel import clock
from doenda.kernel.ids import new_id
from doenda.payments.debit import answers, files, home, house, instruct, mandates, policy
from doenda.payments.debit.models import DebitAnswer, DebitFile, DebitItem
from doenda.payments.models import Attempt
from doenda.payments.states import State
from doenda.sim.interleaving.ends import paid_once
from doenda.sim.interleaving.scene import Play, Scene, scenario

SWEEPS = ("debit answers", "debits home", "debit files")
BOTH = ("sandbox", "debit")
RICH = 10_000_000


class Cycle:
    """One customer's debit, from its mandate to its result."""

    def __init__(self, scene: Scene, bill: Bill) -> None:
        self.scene, self.bill = scene, bill
        scene.later.add("refund")  # a debit goes back by a record of the next file
        number = f"{new_id().int % 10**12:012}"
        account = {"bank": "088", "number": number, "balance": RICH}
        scene.drivers["debit"].peer.control("POST", "accounts", {"accounts": [account]})
        proof = hashlib.sha256(b"the signed form").hexdigest()
        consent = mandates.Consent("signature", "debit-ko-1", clock.now(), "interleaving", proof)
        source = mandates.Source("bank", "cms", number, "김표본", "088", "800101")
        self.mandate = mandates.activate(mandates.request(bill.account_id, source, consent).pk)

    def instruct(self) -> Attempt:
        self.attempt = self.scene.begin(self.bill, "debit", method="debit", mandate_id=self.mandate.pk)
        return self.attempt

    @property
    def item(self) -> DebitItem:
        return DebitItem.objects.get(attempt=self.attempt, kind="debit")

    @property
    def terms(self) -> policy.Policy:
        return policy.of_scheme(self.item.scheme, self.item.day)

    def to_the_cut_off(self) -> None:
        self.scene.now.set(self.terms.cut_off_at(self.item.day) + timedelta(minutes=1))

    def to_the_results(self) -> None:
        """The file is out, the house has cleared it, and its answers can be fetched."""
        self.to_the_cut_off()
        files.sweep(1)
        self.scene.send("debit_file")
        self.scene.drivers["debit"].peer.control("POST", "clear", {"day": "9999-12-31"})
        self.scene.now.set(self.terms.results_due(self.item.day) + timedelta(minutes=5))


def results(limit: int = 100) -> None:
    answers.poll(limit)
    home.bring(limit)


@scenario("debit result x card", providers=BOTH, inside=True)
def result_card(scene: Scene) -> Play:
    """The debit was carried out and its result is taken in while the customer pays by card all the same."""
    bill = scene.bill()
    cycle = Cycle(scene, bill)
    cycle.instruct()
    cycle.to_the_results()
    came = scene.coming(bill)
    yield {"worker": results, "card": lambda: scene.back(came)}
    scene.rest(*SWEEPS)
    extra = excess_on_its_way(scene, bill)
    scene.expect(extra >= 0, f"{extra} is missing")


def excess_on_its_way(scene: Scene, bill: Bill) -> int:
    """As `excess_back`; a debit goes back by a record of the next file, so its refund may still be waiting for it."""
    bill.refresh_from_db()
    scene.expect(bill.state == Bill.State.SETTLED, f"the bill is {bill.state} with {bill.remaining} remaining")
    mine = Attempt.objects.filter(account_id=bill.account_id, state=State.PAID)
    extra = sum(one.taken for one in mine) - bill.amount
    cases = sum(case.amount for one in mine for case in one.refund_cases.all())
    scene.expect(cases == extra, f"{extra} came too much, cases of {cases}")
    return extra


@scenario("debit recall x cut-off file", providers=BOTH, inside=True)
def recall_file(scene: Scene) -> Play:
    """A card has paid; the debit is recalled in the very minute in which its file is built."""
    bill = scene.bill()
    cycle = Cycle(scene, bill)
    cycle.instruct()
    cycle.to_the_cut_off()
    scene.pay(bill)
    yield {"recall": lambda: scene.send("close"), "file": lambda: files.sweep(1)}
    state, in_file = cycle.item.state, cycle.item.file_id is not None
    scene.expect(state in {"recalled", "filed"}, f"the debit is {state}")
    scene.expect((state == "filed") == in_file, f"the debit is {state}, in a file: {in_file}")
    scene.rest(*SWEEPS)
    if in_file:
        scene.drivers["debit"].peer.control("POST", "clear", {"day": "9999-12-31"})
        scene.now.set(cycle.terms.results_due(cycle.item.day) + timedelta(minutes=5))
        scene.rest(*SWEEPS)
    extra = excess_on_its_way(scene, bill)
    scene.expect((extra > 0) == in_file, f"{extra} too much, in a file: {in_file}")


@scenario("card x cut-off file", providers=BOTH)
def card_file(scene: Scene) -> Play:
    """The card is confirmed in the very minute in which the file with the same bill's debit is built."""
    bill = scene.bill()
    cycle = Cycle(scene, bill)
    cycle.instruct()
    cycle.to_the_cut_off()
    came = scene.coming(bill)
    yield {"card": lambda: scene.back(came), "file": lambda: files.sweep(1)}
    scene.rest(*SWEEPS)
    if cycle.item.file_id is not None:
        scene.drivers["debit"].peer.control("POST", "clear", {"day": "9999-12-31"})
        scene.now.set(cycle.terms.results_due(cycle.item.day) + timedelta(minutes=5))
        scene.rest(*SWEEPS)
    extra = excess_on_its_way(scene, bill)
    scene.expect((extra > 0) == (cycle.item.file_id is not None), f"{extra} too much; {cycle.item.state}")


@scenario("debit answers file twice", providers=("debit",), inside=True)
def answers_twice(scene: Scene) -> Play:
    """The worker fetches the result file while an operator gives the same bytes by hand."""
    bill = scene.bill()
    cycle = Cycle(scene, bill)
    cycle.instruct()
    cycle.to_the_results()
    listed = house.answers(0)
    content = house.fetch(listed[-1])
    name = listed[-1].name

    def by_hand() -> str:
        said = answers.take(content, name).outcome
        home.bring(100)
        return said

    yield {"worker": results, "operator": by_hand}
    scene.rest(*SWEEPS)
    paid_once(scene, bill)
    kept = DebitAnswer.objects.filter(sha256=hashlib.sha256(content).hexdigest(), accepted=True).count()
    scene.expect(kept == 1, f"the file is kept {kept} times")


@scenario("two debit file writers", providers=("debit",), inside=True)
def two_writers(scene: Scene) -> Play:
    """Two workers come to the cut-off: one file, each debit in it once, sent once."""
    bill = scene.bill()
    cycle = Cycle(scene, bill)
    cycle.instruct()
    cycle.to_the_cut_off()

    def write() -> None:
        files.sweep(1)
        scene.send("debit_file")

    yield {"worker": write, "other worker": write}
    scene.expect(DebitFile.objects.filter(day=cycle.item.day).count() == 1, "two files for one day")
    scene.expect(cycle.item.state == "filed", f"the debit is {cycle.item.state}")
    scene.drivers["debit"].peer.control("POST", "clear", {"day": "9999-12-31"})
    scene.now.set(cycle.terms.results_due(cycle.item.day) + timedelta(minutes=5))
    scene.rest(*SWEEPS)
    paid_once(scene, bill)


@scenario("two instruct, one pays", actors=3, providers=BOTH)
def two_instruct(scene: Scene) -> Play:
    """Two workers instruct what falls due while its customer pays by card."""
    bill = scene.bill(due_in=0)
    cycle = Cycle(scene, bill)
    terms = policy.in_force("KRW", clock.today())
    day = terms.open_day(clock.now())
    scene.now.set(terms.instruct_from(day) + timedelta(minutes=10))
    came = scene.coming(bill)
    yield {
        "worker": lambda: instruct.run("KRW").debits,
        "other worker": lambda: instruct.run("KRW").debits,
        "card": lambda: scene.back(came),
    }
    debits = Attempt.objects.filter(account_id=bill.account_id, provider="debit")
    scene.expect(debits.count() <= 1, f"{debits.count()} debits for one bill")
    for attempt in debits.filter(state=State.INSTRUCTED):
        cycle.attempt = attempt
        cycle.to_the_cut_off()
        scene.rest(*SWEEPS)
    scene.rest(*SWEEPS)
    paid_once(scene, bill)

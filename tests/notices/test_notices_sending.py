"""From a decision to a delivered text, over a network that fails in every way."""

import threading
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.db import connection, transaction
from tests.notices.notices_world import Customer, HandsetNetwork, new_bill, new_customer

from doenda import notices
from doenda.assurance.models import Offer
from doenda.billing import accounts
from doenda.billing.models import Account, AccountRole, Bill, Party
from doenda.kernel import clock, ids, net, outbox
from doenda.kernel.database import seam
from doenda.kernel.models import FactRow, OutboxRow
from doenda.notices import receipts
from doenda.notices.gateways import Unknown
from doenda.notices.gateways.handset import Handset
from doenda.notices.models import Delivery, Notice

type Act = Callable[..., None]


def state(notice: Notice) -> str:
    notice.refresh_from_db()
    return notice.state


def pay(bill: Bill) -> None:
    with transaction.atomic():
        Bill.objects.filter(pk=bill.pk).update(paid=bill.amount, state="settled", closed_at=clock.now())


def test_a_notice_is_sent_once_delivered_and_provable(
    customer: Customer, handset: HandsetNetwork, prove: Act, settle_down: Act
) -> None:
    prove()
    notice = customer.told("suspension_notice", effective=date(2014, 11, 11))
    assert notice.legal
    settle_down()
    settle_down()
    assert (state(notice), handset.posts, len(handset.got)) == ("delivered", 1, 1)
    assert notices.delivered(notice.pk) == clock.now() - timedelta(seconds=2)
    [proof] = notices.delivered_with_proof("suspension_notice", customer.account.pk, clock.now() - timedelta(days=1))
    assert proof.notice_id == notice.pk
    assert proof.ways == ("web/card/sandbox", "web/transfer/sandbox")
    assert proof.effective == "2014-11-11"
    assert FactRow.objects.filter(kind="notices.delivered", account_id=customer.account.pk).count() == 1
    assert set(Offer.objects.filter(subject_id=notice.pk).values_list("way_id", flat=True)) == set(proof.ways)


def test_the_same_key_is_the_same_notice(
    customer: Customer, handset: HandsetNetwork, prove: Act, settle_down: Act
) -> None:
    prove()
    assert customer.told("reminder", "k") == customer.told("reminder", "k")
    settle_down()
    assert customer.told("reminder", "k").state == "delivered"
    settle_down()
    assert len(handset.got) == 1


def test_a_notice_whose_decision_is_undone_does_not_exist(customer: Customer) -> None:
    with transaction.atomic():
        notices.send("reminder", customer.account.pk, params={}, key="k")
        transaction.set_rollback(True)
    assert not Notice.objects.exists()
    assert not OutboxRow.objects.exists()


def test_nonsense_is_refused_where_it_is_decided(customer: Customer) -> None:
    with pytest.raises(ValueError, match="no such kind"):
        customer.told("love_letter")
    with pytest.raises(ValueError, match="needs effective"):
        customer.told("suspension_notice")


def test_without_a_proven_way_nobody_is_asked_to_pay(
    customer: Customer, handset: HandsetNetwork, prove: Act, settle_down: Act, noon: clock.Frozen
) -> None:
    notice = customer.told("reminder")
    settle_down()
    assert (state(notice), notice.held_reason, handset.posts) == ("held", "no proven way to name", 0)
    prove("transfer")
    settle_down()  # brought forward by the way's coming back, not after the next try's pause
    assert state(notice) == "delivered"
    assert not Offer.objects.exclude(way_id="web/transfer/sandbox").exists()


def test_a_way_withdrawn_before_sending_is_not_named(
    customer: Customer, handset: HandsetNetwork, prove: Act, settle_down: Act
) -> None:
    prove()
    customer.told("suspension_notice", effective="2014-11-11")
    prove("card", outcome="failed_by_provider", times=5)
    settle_down()
    assert "실시간 계좌이체" in handset.texts[0]
    assert "카드" not in handset.texts[0]


def test_news_of_a_mended_method_waits_until_that_method_is_proven(
    customer: Customer, handset: HandsetNetwork, prove: Act, settle_down: Act
) -> None:
    prove("card")
    notice = customer.told("fault_mended", method="transfer")
    settle_down()
    assert state(notice) == "held"
    prove("transfer")
    settle_down()
    assert state(notice) == "delivered"


def test_an_answer_needs_no_way(customer: Customer, handset: HandsetNetwork, settle_down: Act) -> None:
    notice = customer.told("unknown_outcome", amount=52300)
    settle_down()
    assert state(notice) == "delivered"


def test_who_has_paid_is_not_dunned(customer: Customer, handset: HandsetNetwork, prove: Act, settle_down: Act) -> None:
    prove()
    one, whole = customer.told("reminder"), customer.told("suspension_notice", effective="2014-11-11")
    thanks = customer.told("receipt", amount=52300)
    pay(customer.bill)
    settle_down()
    assert (state(one), state(whole), state(thanks)) == ("cancelled", "cancelled", "delivered")
    assert one.held_reason == "nothing is owed any more"


def test_the_amount_is_what_is_due_when_it_is_sent(
    customer: Customer, handset: HandsetNetwork, prove: Act, settle_down: Act
) -> None:
    prove()
    other = new_bill(customer.account, "B-2", 10_000)
    customer.told("reminder")
    customer.told("suspension_notice", effective="2014-11-11")
    with transaction.atomic():
        Bill.objects.filter(pk=customer.bill.pk).update(paid=50_000)
    settle_down()
    assert any("미납 2,300원" in text for text in handset.texts)
    assert any("미납 요금: 12,300원" in text for text in handset.texts)
    assert other.remaining == 10_000


def test_a_reminder_waits_for_the_morning(
    customer: Customer, handset: HandsetNetwork, prove: Act, settle_down: Act, noon: clock.Frozen
) -> None:
    noon.set(clock.at(date(2014, 10, 22), 21, 30))
    prove()
    notice = customer.told("reminder")
    answer = customer.told("new_link", urgent=True)
    settle_down()
    assert (state(notice), state(answer)) == ("held", "delivered")
    assert "2014-10-23 08:00" in notice.held_reason
    noon.set(clock.at(date(2014, 10, 23), 8))
    prove()
    settle_down()
    assert state(notice) == "delivered"


def test_the_eighth_contact_of_a_week_is_moved_and_not_dropped(
    customer: Customer, handset: HandsetNetwork, prove: Act, settle_down: Act, noon: clock.Frozen
) -> None:
    prove()
    sent = [customer.told("reminder", f"r{n}") for n in range(8)]
    lawful = customer.told("suspension_notice", effective="2014-11-11")
    settle_down()
    states = [state(notice) for notice in sent]
    assert (states.count("delivered"), states.count("held"), state(lawful)) == (7, 1, "delivered")
    noon.advance(timedelta(days=7))
    prove()
    settle_down()
    assert [state(notice) for notice in sent] == ["delivered"] * 8


def test_a_later_due_date_is_kept(
    customer: Customer, handset: HandsetNetwork, settle_down: Act, noon: clock.Frozen
) -> None:
    notice = customer.told("ticket", answer_by=clock.now(), due_at=clock.now() + timedelta(hours=2))
    settle_down()
    assert handset.posts == 0
    noon.advance(timedelta(hours=2))
    settle_down()
    assert state(notice) == "delivered"


@pytest.mark.parametrize("fault", ["down", "timeout_before", "timeout_after", "error"])
def test_a_gateway_that_comes_back_delivers_exactly_once(
    fault: str, *, customer: Customer, handset: HandsetNetwork, prove: Act, settle_down: Act, noon: clock.Frozen
) -> None:
    prove()
    notice = customer.told("reminder")
    handset.fault = fault
    for _ in range(3):
        settle_down()
        noon.advance(timedelta(seconds=10))
    assert state(notice) == "due"
    handset.fault = None
    settle_down()
    assert (state(notice), len(handset.got)) == ("delivered", 1)


def test_a_try_that_reached_nobody_is_no_contact(
    customer: Customer, handset: HandsetNetwork, prove: Act, settle_down: Act
) -> None:
    prove()
    notice = customer.told("reminder")
    handset.fault = "down"
    settle_down()
    notice.refresh_from_db()
    assert notice.handed_at is None


def test_only_what_surely_arrived_counts_as_named(
    customer: Customer, handset: HandsetNetwork, prove: Act, settle_down: Act, noon: clock.Frozen
) -> None:
    prove()
    customer.told("suspension_notice", effective="2014-11-11")
    handset.fault = "timeout_after"
    settle_down()
    prove("card", outcome="failed_by_us", times=5)
    handset.fault = None
    noon.advance(timedelta(seconds=5))
    settle_down()
    [proof] = notices.delivered_with_proof("suspension_notice", customer.account.pk, clock.now() - timedelta(days=1))
    assert proof.ways == ("web/transfer/sandbox",)
    assert "카드" in handset.texts[0]  # the first try had arrived, the second text was never shown


def test_what_the_gateway_refuses_fails_and_is_told(
    customer: Customer, handset: HandsetNetwork, prove: Act, settle_down: Act
) -> None:
    prove()
    handset.fault = "reject"
    notice = customer.told("reminder")
    settle_down()
    assert state(notice) == "failed"
    assert FactRow.objects.get(kind="notices.failed").data["notice_id"] == str(notice.pk)


def test_without_a_number_it_fails_aloud(
    customer: Customer, handset: HandsetNetwork, prove: Act, settle_down: Act
) -> None:
    prove()
    with transaction.atomic():
        Party.objects.update(phone="")
    notice = customer.told("reminder")
    settle_down()
    assert (state(notice), notice.held_reason) == ("failed", "no number to send to")
    assert FactRow.objects.filter(kind="notices.failed").exists()


def test_a_text_that_never_arrives_is_not_proof(
    customer: Customer, handset: HandsetNetwork, prove: Act, settle_down: Act, noon: clock.Frozen
) -> None:
    prove()
    handset.fault = "silent"
    notice = customer.told("reminder")
    settle_down()
    assert state(notice) == "sent"
    assert notices.delivered(notice.pk) is None
    noon.advance(timedelta(hours=72))
    receipts.sweep(100)
    assert (state(notice), notice.held_reason) == ("failed", "no delivery receipt came")


def test_a_failed_delivery_receipt_is_told(
    customer: Customer, handset: HandsetNetwork, prove: Act, settle_down: Act
) -> None:
    prove()
    handset.fault = "silent"
    notice = customer.told("reminder")
    outbox.sweep(100)
    handset.state[ids.outside(notice.pk)] = "failed"
    settle_down()
    assert state(notice) == "failed"
    assert FactRow.objects.filter(kind="notices.failed").count() == 1


def test_probes_are_never_texted(customer: Customer, handset: HandsetNetwork, prove: Act, settle_down: Act) -> None:
    prove()
    with transaction.atomic():
        Account.objects.update(probe=True)
    assert customer.told("reminder").state == "cancelled"
    settle_down()
    assert handset.posts == 0


def test_the_payer_is_told_where_there_is_no_holder(db: None, noon: clock.Frozen) -> None:
    with transaction.atomic():
        party = Party.objects.create(name="Ann Lee", phone="+821099998888", language="en")
        account = accounts.open_account("A-9", "KRW")
        AccountRole.objects.create(account=account, party=party, role="payer")
        notice = notices.send("ticket", account.pk, params={"answer_by": clock.now()}, key="t")
    assert (notice.party, notice.lang) == (party, "en")


def test_texts_and_links_are_stored_nowhere(
    customer: Customer, handset: HandsetNetwork, prove: Act, settle_down: Act
) -> None:
    prove()
    customer.told("suspension_notice", effective="2014-11-11")
    settle_down()
    code = handset.texts[0].split("여섯 자리 번호 ")[1][:6]
    for row in [*Notice.objects.values(), *Delivery.objects.values(), *OutboxRow.objects.values()]:
        assert code not in str({name: value for name, value in row.items() if not name.endswith("_at")})


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("commit", [1, 2, 3])
def test_a_crash_at_any_commit_sends_one_text(
    when: seam.When, commit: int, *, committed_db: str, handset: HandsetNetwork, prove: Act, noon: clock.Frozen
) -> None:
    prove()
    customer = new_customer()
    notice = customer.told("reminder")
    with pytest.raises(seam.Crash), seam.crash(when, at_commit=commit):
        outbox.sweep(100)
    connection.close()
    noon.advance(timedelta(seconds=31))
    outbox.sweep(100)
    noon.advance(timedelta(seconds=2))
    receipts.sweep(100)
    assert (state(notice), len(handset.got)) == ("delivered", 1)


def test_two_workers_hand_one_notice_over_once(committed_db: str, handset: HandsetNetwork, prove: Act) -> None:
    with clock.freeze(clock.at(date(2014, 10, 22), 12)):
        prove()
        notice = new_customer().told("reminder")

        def work() -> None:
            outbox.sweep(100)
            connection.close()

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert (state(notice), handset.posts) == ("sent", 1)


def test_a_gateways_nonsense_is_no_acceptance() -> None:
    with net.using(lambda request: net.Reply(202, {}, b"<html>")):
        assert isinstance(Handset().send("A", "+8210", "t", "SMS"), Unknown)
        assert Handset().receipt("A").state == "unknown"
    with net.using(lambda request: net.Reply(200, {}, b'{"id": "B", "state": "lost"}')):
        assert isinstance(Handset().send("A", "+8210", "t", "SMS"), Unknown)
        assert Handset().receipt("A").state == "unknown"

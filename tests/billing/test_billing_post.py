"""Posting payments, fees and their undoing."""
from datetime import date
import pytest
from django.db import transaction
from doenda.billing import accounts, bills, books, owed, post
from doenda.kernel import clock

def test_a_payment_settles(db):
    with transaction.atomic():
        a = accounts.open_account("A1","KRW",lines=["+821012345678"])
        a = accounts.lock(a.pk)
        b = bills.issue(a,"B1",[bills.Item("service",50000),bills.Item("content",3000)],due_date=date(2026,10,1))
        assert owed.overdue(a.pk,date(2026,10,2))[0].remaining==53000
        p = post.payment(a,[(b.pk,60000)],provider="sandbox",fact_kind="p",fact_id="1",at=clock.now())
        assert (p.posted,p.credit)==(53000,7000)
        assert books.credit(a.pk)==7000
        assert books.trial().ok
        u = post.undo_payment("p","1",("bounce","1"))
        assert u.reopened==(b.pk,)
        assert books.trial().ok, books.trial()
        assert books.credit(a.pk)==0

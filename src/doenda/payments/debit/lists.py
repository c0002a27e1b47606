"""Debits that wait for a person, for the desk."""

from collections.abc import Iterable
from datetime import timedelta

from doenda.payments import desk
from doenda.payments.debit.models import DebitFile, DebitParked


@desk.lists("debit records")
def _parked() -> Iterable[desk.Item]:
    """Records of an answer that fit no debit."""
    for each in DebitParked.objects.filter(closed_at=None).select_related("answer"):
        words = f"{each.answer.name} line {each.line}: {each.reason}"
        yield desk.Item(each.pk, "debit record", each.created_at, each.due_at, words, amount=each.amount)


@desk.lists("debit files")
def _late() -> Iterable[desk.Item]:
    """Files to the clearing house that have no answer, or not for every debit in them."""
    for file in DebitFile.objects.filter(person_owns_at__isnull=False, results_at=None):
        assert file.person_owns_at is not None
        deadline = file.person_owns_at + timedelta(days=1)
        yield desk.Item(file.pk, "debit file", file.person_owns_at, deadline, f"{file.name}: results are missing")

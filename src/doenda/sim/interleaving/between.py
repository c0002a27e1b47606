"""Between two runs in one database: what one left undone, or dated, is not the next one's, for sweeps see all accounts.

Money, bills and attempts stay as they are, in accounts of their own; only what would be found by a date, and the ways'
standing, which all customers share, begins anew. As the tables' owner: evidence is only ever added to otherwise.
"""

from django.db import connections, transaction

_SNAPSHOT = """
    CREATE TABLE IF NOT EXISTS interleaving_way AS SELECT * FROM assurance_way
"""

_LEFT = """
    UPDATE kernel_outboxrow SET done_at = created_at, lease_until = NULL WHERE done_at IS NULL;
    UPDATE kernel_factrow SET pending = '{}' WHERE pending <> '{}';
    UPDATE payments_attempt SET ask_at = NULL, expires_at = NULL WHERE ask_at IS NOT NULL OR expires_at IS NOT NULL;
    UPDATE payments_mandate SET state = 'cancelled', ended_at = active_at WHERE state = 'active';
    UPDATE billing_bill SET due_date = '2999-01-01' WHERE state = 'open' AND due_date < '2999-01-01';
    UPDATE dunning_case SET closed_at = opened_at WHERE closed_at IS NULL;
    UPDATE dunning_promise SET kept_at = created_at WHERE kept_at IS NULL AND broken_at IS NULL;
    UPDATE notices_notice SET receipt_due_at = NULL WHERE receipt_due_at IS NOT NULL;
    UPDATE payments_depositlease SET try_at = '2999-01-01', close_wanted_at = COALESCE(close_wanted_at, since)
        WHERE closed_at IS NULL AND try_at < '2999-01-01';
    UPDATE payments_depositfeed SET checked = cursor, checked_at = NULL;
    DELETE FROM payments_debitparked; DELETE FROM payments_debititem; DELETE FROM payments_debitfile;
    DELETE FROM payments_debitanswer; UPDATE payments_debitcursor SET number = 0;
    DO $$ BEGIN
        IF EXISTS (SELECT FROM payments_reconrun) THEN TRUNCATE payments_reconline, payments_reconrun; END IF;
    END $$;
    DELETE FROM assurance_evidence; DELETE FROM assurance_transition;
    DELETE FROM assurance_offer; DELETE FROM assurance_exposure;
    DELETE FROM assurance_way; INSERT INTO assurance_way SELECT * FROM interleaving_way;
"""


def begin() -> None:
    """Keep how the ways stand before the first run."""
    _as_owner(_SNAPSHOT)


def forget() -> None:
    """After each run."""
    _as_owner(_LEFT)


def end() -> None:
    """Leave nothing of ours in the database."""
    _as_owner("DROP TABLE IF EXISTS interleaving_way")


def _as_owner(statements: str) -> None:
    with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
        cursor.execute(statements)

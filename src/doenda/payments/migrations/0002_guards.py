"""What Django cannot declare: in_flight follows the attempt, and every move is a declared one."""

from django.db import migrations

EDGES = [
    ("closed", "paid"),
    ("created", "closed"),
    ("created", "expired"),
    ("created", "needs_redirect"),
    ("created", "our_fault"),
    ("created", "paid"),
    ("created", "refused"),
    ("expired", "paid"),
    ("needs_redirect", "closed"),
    ("needs_redirect", "expired"),
    ("needs_redirect", "paid"),
    ("needs_redirect", "refused"),
    ("needs_redirect", "sent"),
    ("our_fault", "paid"),
    ("paid", "reversed"),
    ("refused", "paid"),
    ("sent", "our_fault"),
    ("sent", "paid"),
    ("sent", "refused"),
    ("sent", "unknown"),
    ("unknown", "paid"),
    ("unknown", "refused"),
]

FOLLOW = """
    ALTER TABLE payments_attemptbill ADD CONSTRAINT attempt_bill_follows_attempt
        FOREIGN KEY (attempt_id, in_flight) REFERENCES payments_attempt (id, in_flight) ON UPDATE CASCADE;
    ALTER TABLE payments_attemptmove ADD CONSTRAINT attempt_move_is_declared
        FOREIGN KEY (source, target) REFERENCES payments_attemptedge (source, target);
"""
UNFOLLOW = """
    ALTER TABLE payments_attemptmove DROP CONSTRAINT attempt_move_is_declared;
    ALTER TABLE payments_attemptbill DROP CONSTRAINT attempt_bill_follows_attempt;
"""


def declare(apps, schema_editor):
    edge = apps.get_model("payments", "AttemptEdge")
    edge.objects.using(schema_editor.connection.alias).bulk_create(edge(source=s, target=t) for s, t in EDGES)


def withdraw(apps, schema_editor):
    apps.get_model("payments", "AttemptEdge").objects.using(schema_editor.connection.alias).all().delete()


class Migration(migrations.Migration):
    dependencies = [("payments", "0001_initial")]
    operations = [migrations.RunPython(declare, withdraw), migrations.RunSQL(FOLLOW, UNFOLLOW)]

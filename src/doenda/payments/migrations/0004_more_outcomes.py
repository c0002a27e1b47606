"""More ways for money to come in and to go back: deposits, debits, money that moves at the provider, refund cases."""

import django.db.models.deletion
from django.db import migrations, models

import doenda.kernel.clock
import doenda.kernel.ids
import doenda.payments.states

NEW_EDGES = [
    ("at_provider", "closed"),
    ("at_provider", "expired"),
    ("at_provider", "our_fault"),
    ("at_provider", "paid"),
    ("at_provider", "refused"),
    ("at_provider", "unknown"),
    ("created", "at_provider"),
    ("created", "instructed"),
    ("created", "needs_deposit"),
    ("created", "sent"),
    ("instructed", "closed"),
    ("instructed", "our_fault"),
    ("instructed", "paid"),
    ("instructed", "refused"),
    ("needs_deposit", "closed"),
    ("needs_deposit", "expired"),
    ("needs_deposit", "paid"),
    ("needs_deposit", "refused"),
    ("paid", "needs_deposit"),
    ("paid", "undone"),
    ("undone", "paid"),
    ("unknown", "closed"),
]

TAKEN = "UPDATE payments_attempt SET taken = amount, times_paid = 1 WHERE state IN ('paid', 'reversed')"


def declare(apps, schema_editor):
    edge = apps.get_model("payments", "AttemptEdge")
    edge.objects.using(schema_editor.connection.alias).bulk_create(edge(source=s, target=t) for s, t in NEW_EDGES)


def withdraw(apps, schema_editor):
    edges = apps.get_model("payments", "AttemptEdge").objects.using(schema_editor.connection.alias)
    for source, target in NEW_EDGES:
        edges.filter(source=source, target=target).delete()


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0001_initial'),
        ('payments', '0003_doorbell_forged'),
    ]

    operations = [
        migrations.CreateModel(
            name='RefundCase',
            fields=[
                ('id', models.UUIDField(default=doenda.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=doenda.kernel.clock.now, editable=False)),
                ('fact_id', models.CharField(max_length=128, unique=True)),
                ('amount', models.BigIntegerField()),
                ('currency', models.CharField(max_length=3)),
                ('owner', models.CharField(choices=[('system', 'system'), ('desk', 'desk')], max_length=10)),
                ('due_at', models.DateTimeField()),
                ('closed_at', models.DateTimeField(null=True)),
                ('outcome', models.CharField(default='', max_length=40)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name='attempt',
            name='attempt_in_flight',
        ),
        migrations.RemoveIndex(
            model_name='attempt',
            name='attempt_expires',
        ),
        migrations.RemoveIndex(
            model_name='doorbell',
            name='doorbell_forged',
        ),
        migrations.AddField(
            model_name='attempt',
            name='details',
            field=models.JSONField(default=dict),
        ),
        migrations.AddField(
            model_name='attempt',
            name='due_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='attempt',
            name='given_back',
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='attempt',
            name='mandate_id',
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name='attempt',
            name='secret',
            field=models.CharField(default='', max_length=64),
        ),
        migrations.AddField(
            model_name='attempt',
            name='taken',
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='attempt',
            name='times_paid',
            field=models.SmallIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='attempt',
            name='undone_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='refund',
            name='approved_by',
            field=models.CharField(default='', max_length=80),
        ),
        migrations.AddField(
            model_name='refund',
            name='asked_by',
            field=models.CharField(default='system', max_length=80),
        ),
        migrations.AddField(
            model_name='refund',
            name='code',
            field=models.CharField(default='', max_length=80),
        ),
        migrations.AddField(
            model_name='refund',
            name='failed_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='refund',
            name='needs_two',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='refund',
            name='of_credit',
            field=models.BooleanField(default=False),
        ),
        migrations.AlterField(
            model_name='doorbell',
            name='genuine',
            field=models.BooleanField(null=True),
        ),
        migrations.AddIndex(
            model_name='attempt',
            index=models.Index(condition=models.Q(('state__in', [doenda.payments.states.State['AT_PROVIDER'], doenda.payments.states.State['CREATED'], doenda.payments.states.State['NEEDS_DEPOSIT'], doenda.payments.states.State['NEEDS_REDIRECT']])), fields=['expires_at'], name='attempt_expires'),
        ),
        migrations.AddIndex(
            model_name='attempt',
            index=models.Index(condition=models.Q(('state', 'instructed')), fields=['due_at'], name='attempt_instructed'),
        ),
        migrations.AddIndex(
            model_name='doorbell',
            index=models.Index(condition=models.Q(('genuine', False), ('genuine', None), _connector='OR'), fields=['created_at'], name='doorbell_forged'),
        ),
        migrations.AddIndex(
            model_name='refund',
            index=models.Index(condition=models.Q(('done_at', None), ('failed_at', None)), fields=['created_at'], name='refund_open'),
        ),
        migrations.AddConstraint(
            model_name='attempt',
            constraint=models.CheckConstraint(condition=models.Q(('given_back__gte', 0), ('given_back__lte', models.F('taken'))), name='attempt_given_back'),
        ),
        migrations.AddConstraint(
            model_name='attempt',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('in_flight', True), ('state__in', [doenda.payments.states.State['AT_PROVIDER'], doenda.payments.states.State['SENT'], doenda.payments.states.State['UNKNOWN']])), models.Q(('in_flight', False), models.Q(('state__in', [doenda.payments.states.State['AT_PROVIDER'], doenda.payments.states.State['SENT'], doenda.payments.states.State['UNKNOWN']]), _negated=True)), _connector='OR'), name='attempt_in_flight'),
        ),
        migrations.AddConstraint(
            model_name='refund',
            constraint=models.CheckConstraint(condition=models.Q(('approved_by', models.F('asked_by')), _negated=True), name='refund_maker_not_checker'),
        ),
        migrations.AddConstraint(
            model_name='refund',
            constraint=models.CheckConstraint(condition=models.Q(('needs_two', False), ('done_at', None), models.Q(('approved_by', ''), _negated=True), _connector='OR'), name='refund_four_eyes'),
        ),
        migrations.AddConstraint(
            model_name='refund',
            constraint=models.CheckConstraint(condition=models.Q(('done_at', None), ('failed_at', None), _connector='OR'), name='refund_done_or_failed'),
        ),
        migrations.AddField(
            model_name='refundcase',
            name='account',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='refund_cases', to='billing.account'),
        ),
        migrations.AddField(
            model_name='refundcase',
            name='attempt',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='refund_cases', to='payments.attempt'),
        ),
        migrations.AddField(
            model_name='refundcase',
            name='refund',
            field=models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='case', to='payments.refund'),
        ),
        migrations.AddIndex(
            model_name='refundcase',
            index=models.Index(condition=models.Q(('closed_at', None)), fields=['due_at'], name='refund_case_open'),
        ),
        migrations.AddIndex(
            model_name='refundcase',
            index=models.Index(fields=['account'], name='refund_case_account'),
        ),
        migrations.AddConstraint(
            model_name='refundcase',
            constraint=models.CheckConstraint(condition=models.Q(('amount__gt', 0)), name='refund_case_amount'),
        ),
        migrations.RunPython(declare, withdraw),
        migrations.RunSQL(TAKEN, migrations.RunSQL.noop),
    ]

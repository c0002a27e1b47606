"""Leased account numbers: the pool, leases that cannot overlap, the bank's lines, how far its list is read."""

import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
from django.db import migrations, models

import doenda.kernel.clock
import doenda.kernel.ids

# The range types of the database itself are enough: each number has 2^34 seconds of its own on one line of time.
SPAN = """
    ALTER TABLE payments_depositlease ADD CONSTRAINT deposit_lease_span CHECK (
        NOT isempty(span)
        AND lower(span) = number_id::bigint * 17179869184 + floor(extract(epoch FROM since))::bigint
        AND upper(span) = number_id::bigint * 17179869184
            + COALESCE(ceil(extract(epoch FROM rests_until))::bigint, 17179869183)
    )
"""
UNSPAN = "ALTER TABLE payments_depositlease DROP CONSTRAINT deposit_lease_span"
FEED = "INSERT INTO payments_depositfeed (id, cursor, checked, numbers, trouble) VALUES (1, 0, 0, 0, '')"


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0001_initial'),
        ('payments', '0004_more_outcomes'),
    ]

    operations = [
        migrations.CreateModel(
            name='DepositFeed',
            fields=[
                ('id', models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ('cursor', models.BigIntegerField(default=0)),
                ('checked', models.BigIntegerField(default=0)),
                ('checked_at', models.DateTimeField(null=True)),
                ('numbers', models.IntegerField(default=0)),
                ('numbers_at', models.DateTimeField(null=True)),
                ('trouble', models.CharField(default='', max_length=80)),
                ('trouble_since', models.DateTimeField(null=True)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='deposit_feed_one_row')],
            },
        ),
        migrations.CreateModel(
            name='DepositNumber',
            fields=[
                ('id', models.AutoField(primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=doenda.kernel.clock.now, editable=False)),
                ('bank', models.CharField(max_length=10)),
                ('number', models.CharField(max_length=40)),
                ('holder', models.CharField(default='', max_length=60)),
                ('free_at', models.DateTimeField(default=doenda.kernel.clock.now, null=True)),
                ('retired', models.BooleanField(default=False)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('free_at__isnull', False), ('retired', False)), fields=['bank', 'free_at'], name='deposit_number_free'), models.Index(condition=models.Q(('free_at__isnull', False), ('retired', False)), fields=['free_at'], name='deposit_number_any')],
                'constraints': [models.UniqueConstraint(fields=('bank', 'number'), name='deposit_number_once'), models.CheckConstraint(condition=models.Q(('id__gte', 0), ('id__lt', 536870912)), name='deposit_number_fits')],
            },
        ),
        migrations.CreateModel(
            name='DepositLease',
            fields=[
                ('id', models.UUIDField(default=doenda.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=doenda.kernel.clock.now, editable=False)),
                ('channel', models.CharField(max_length=20)),
                ('wishes', models.JSONField(default=list)),
                ('since', models.DateTimeField(default=doenda.kernel.clock.now)),
                ('until', models.DateTimeField(null=True)),
                ('opened_at', models.DateTimeField(null=True)),
                ('close_wanted_at', models.DateTimeField(null=True)),
                ('closed_at', models.DateTimeField(null=True)),
                ('rests_until', models.DateTimeField(null=True)),
                ('try_at', models.DateTimeField(default=doenda.kernel.clock.now)),
                ('tries', models.IntegerField(default=0)),
                ('span', django.contrib.postgres.fields.ranges.BigIntegerRangeField()),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='deposit_leases', to='billing.account')),
                ('attempt', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='deposit_lease', to='payments.attempt')),
                ('number', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='leases', to='payments.depositnumber')),
            ],
        ),
        migrations.CreateModel(
            name='DepositLine',
            fields=[
                ('id', models.UUIDField(default=doenda.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=doenda.kernel.clock.now, editable=False)),
                ('bank', models.CharField(max_length=10)),
                ('ident', models.CharField(max_length=80)),
                ('kind', models.CharField(max_length=12)),
                ('of', models.CharField(default='', max_length=80)),
                ('number', models.CharField(max_length=40)),
                ('amount', models.BigIntegerField()),
                ('currency', models.CharField(max_length=3)),
                ('remitter', models.CharField(default='', max_length=60)),
                ('at', models.DateTimeField()),
                ('day_only', models.BooleanField(default=False)),
                ('order_id', models.CharField(default='', max_length=64)),
                ('source', models.CharField(max_length=10)),
                ('state', models.CharField(choices=[('stored', 'Stored'), ('posted', 'Posted'), ('parked', 'Parked'), ('noted', 'Noted'), ('sending_back', 'Sending Back'), ('sent_back', 'Sent Back')], default='stored', max_length=12)),
                ('reason', models.CharField(default='', max_length=80)),
                ('owner', models.CharField(default='', max_length=10)),
                ('due_at', models.DateTimeField(null=True)),
                ('asked_by', models.CharField(default='', max_length=80)),
                ('handled_by', models.CharField(default='', max_length=80)),
                ('handled_at', models.DateTimeField(null=True)),
                ('attempt', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='deposit_lines', to='payments.attempt')),
                ('lease', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='payments.depositlease')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('state', 'stored')), fields=['id'], name='deposit_line_stored'), models.Index(condition=models.Q(('state', 'parked')), fields=['due_at'], name='deposit_line_parked'), models.Index(condition=models.Q(('of', ''), _negated=True), fields=['bank', 'of'], name='deposit_line_of'), models.Index(fields=['bank', 'number', 'at'], name='deposit_line_number')],
                'constraints': [models.UniqueConstraint(fields=('bank', 'ident'), name='deposit_line_once'), models.CheckConstraint(condition=models.Q(('amount__gt', 0)), name='deposit_line_amount'), models.UniqueConstraint(condition=models.Q(('attempt__isnull', False), ('kind', 'deposit')), fields=('attempt',), name='deposit_line_attempt'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'parked'), _negated=True), models.Q(models.Q(('reason', ''), _negated=True), models.Q(('owner', ''), _negated=True), ('due_at__isnull', False)), _connector='OR'), name='deposit_line_parked_owned')],
            },
        ),
        migrations.AddIndex(
            model_name='depositlease',
            index=models.Index(condition=models.Q(('closed_at', None)), fields=['try_at'], name='deposit_lease_open'),
        ),
        migrations.AddConstraint(
            model_name='depositlease',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(expressions=[('span', '&&')], name='deposit_lease_alone'),
        ),
        migrations.AddConstraint(
            model_name='depositlease',
            constraint=models.UniqueConstraint(condition=models.Q(('attempt', None), ('closed_at', None)), fields=('account',), name='deposit_lease_own'),
        ),
        migrations.AddConstraint(
            model_name='depositlease',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('closed_at', None), ('rests_until', None)), models.Q(('closed_at__isnull', False), ('rests_until__isnull', False)), _connector='OR'), name='deposit_lease_rests'),
        ),
        migrations.RunSQL(SPAN, UNSPAN),
        migrations.RunSQL(FEED, migrations.RunSQL.noop),
    ]

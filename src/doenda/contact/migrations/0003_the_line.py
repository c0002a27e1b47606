"""The ticket is the place in line: what holds it, who serves it, what was told, whom we called back."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import doenda.kernel.clock
import doenda.kernel.ids

ANSWERED = "UPDATE contact_ticket SET state = 'done', closed_at = answered_at WHERE answered_at IS NOT NULL"
"""What was answered before is done; what was not stays on the desk, which is the column's default."""


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0001_initial'),
        ('contact', '0002_refund_tickets'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Agent',
            fields=[
                ('id', models.UUIDField(default=doenda.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=doenda.kernel.clock.now, editable=False)),
                ('skills', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), default=list)),
                ('langs', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=2), default=list)),
                ('state', models.CharField(choices=[('out', 'Out'), ('ready', 'Ready'), ('paused', 'Paused'), ('offered', 'Offered'), ('talking', 'Talking'), ('wrap_up', 'Wrap Up')], default='out', max_length=8)),
                ('since', models.DateTimeField(default=doenda.kernel.clock.now)),
                ('seen_until', models.DateTimeField(null=True)),
                ('shift_until', models.DateTimeField(null=True)),
                ('pause_after', models.CharField(blank=True, max_length=40)),
                ('reason', models.CharField(blank=True, max_length=40)),
            ],
        ),
        migrations.CreateModel(
            name='Assignment',
            fields=[
                ('id', models.UUIDField(default=doenda.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=doenda.kernel.clock.now, editable=False)),
                ('lease_until', models.DateTimeField()),
                ('taken_at', models.DateTimeField(null=True)),
                ('talked_until', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('end', models.CharField(blank=True, max_length=8)),
            ],
        ),
        migrations.CreateModel(
            name='Dial',
            fields=[
                ('id', models.UUIDField(default=doenda.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=doenda.kernel.clock.now, editable=False)),
                ('number', models.CharField(max_length=20)),
                ('tries', models.IntegerField()),
                ('lease_until', models.DateTimeField()),
                ('reserved', models.BigIntegerField()),
                ('cost', models.BigIntegerField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('end', models.CharField(blank=True, max_length=10)),
            ],
        ),
        migrations.CreateModel(
            name='DialDay',
            fields=[
                ('day', models.DateField(primary_key=True, serialize=False)),
                ('spent', models.BigIntegerField(default=0)),
                ('most', models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name='Estimate',
            fields=[
                ('id', models.UUIDField(default=doenda.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=doenda.kernel.clock.now, editable=False)),
                ('channel', models.CharField(max_length=20)),
                ('rule', models.CharField(blank=True, max_length=8)),
                ('position', models.IntegerField()),
                ('agents', models.IntegerField()),
                ('ready', models.IntegerField()),
                ('mu', models.FloatField(null=True)),
                ('theta', models.FloatField()),
                ('mean', models.FloatField(null=True)),
                ('variance', models.FloatField(null=True)),
                ('low', models.IntegerField(null=True)),
                ('high', models.IntegerField(null=True)),
                ('said_position', models.BooleanField(default=False)),
                ('longer', models.BooleanField(default=False)),
                ('first', models.BooleanField()),
                ('outcome', models.CharField(blank=True, max_length=10)),
                ('waited', models.FloatField(null=True)),
                ('error', models.FloatField(null=True)),
                ('covered', models.BooleanField(null=True)),
                ('settled_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='Holding',
            fields=[
                ('id', models.UUIDField(default=doenda.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=doenda.kernel.clock.now, editable=False)),
                ('channel', models.CharField(max_length=20)),
                ('call_id', models.CharField(max_length=120)),
                ('node', models.CharField(blank=True, max_length=40)),
                ('lease_until', models.DateTimeField()),
                ('waited_until', models.DateTimeField(null=True)),
                ('end', models.CharField(blank=True, max_length=10)),
                ('ended_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='ProvenNumber',
            fields=[
                ('id', models.UUIDField(default=doenda.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=doenda.kernel.clock.now, editable=False)),
                ('number', models.CharField(max_length=20)),
                ('how', models.CharField(max_length=20)),
            ],
        ),
        migrations.AddField(
            model_name='ticket',
            name='closed_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='ticket',
            name='joined_into',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='joined', to='contact.ticket'),
        ),
        migrations.AddField(
            model_name='ticket',
            name='kept_until',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='ticket',
            name='lost',
            field=models.IntegerField(default=0),
        ),
        migrations.AddField(
            model_name='ticket',
            name='priority',
            field=models.SmallIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='ticket',
            name='skill',
            field=models.CharField(blank=True, max_length=40),
        ),
        migrations.AddField(
            model_name='ticket',
            name='state',
            field=models.CharField(choices=[('desk', 'Desk'), ('waiting', 'Waiting'), ('away', 'Away'), ('callback', 'Callback'), ('offered', 'Offered'), ('talking', 'Talking'), ('wrapping_up', 'Wrapping Up'), ('done', 'Done'), ('gone', 'Gone')], default='desk', max_length=12),
        ),
        migrations.AddField(
            model_name='ticket',
            name='window_from',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='ticket',
            name='window_until',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='ticket',
            name='dated',
            field=models.BooleanField(default=True),
        ),
        migrations.RunSQL(ANSWERED, migrations.RunSQL.noop),
        migrations.AddIndex(
            model_name='ticket',
            index=models.Index(condition=models.Q(('state__in', ('waiting', 'away', 'callback'))), fields=['-priority', 'queued_at', 'id'], name='ticket_line'),
        ),
        migrations.AddIndex(
            model_name='ticket',
            index=models.Index(condition=models.Q(('phone', ''), _negated=True), fields=['phone', 'queued_at'], name='ticket_phone'),
        ),
        migrations.AddConstraint(
            model_name='ticket',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'away'), ('kept_until', None), _connector='XOR'), name='ticket_kept_while_away'),
        ),
        migrations.AddConstraint(
            model_name='ticket',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ('done', 'gone')), ('closed_at', None), _connector='XOR'), name='ticket_closed'),
        ),
        migrations.AddConstraint(
            model_name='ticket',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'callback'), _negated=True), models.Q(models.Q(('phone', ''), _negated=True), ('window_from__isnull', False)), _connector='OR'), name='ticket_callback_has_number'),
        ),
        migrations.AddField(
            model_name='agent',
            name='user',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='agent', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='assignment',
            name='agent',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='assignments', to='contact.agent'),
        ),
        migrations.AddField(
            model_name='assignment',
            name='ticket',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='assignments', to='contact.ticket'),
        ),
        migrations.AddField(
            model_name='dial',
            name='ticket',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='dials', to='contact.ticket'),
        ),
        migrations.AddConstraint(
            model_name='dialday',
            constraint=models.CheckConstraint(condition=models.Q(('spent__gte', 0)), name='dial_day_spent'),
        ),
        migrations.AddField(
            model_name='estimate',
            name='ticket',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='estimates', to='contact.ticket'),
        ),
        migrations.AddField(
            model_name='holding',
            name='ticket',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='holdings', to='contact.ticket'),
        ),
        migrations.AddField(
            model_name='provennumber',
            name='account',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='billing.account'),
        ),
        migrations.AddIndex(
            model_name='agent',
            index=models.Index(condition=models.Q(('state', 'out'), _negated=True), fields=['state', 'since', 'id'], name='agent_at_work'),
        ),
        migrations.AddIndex(
            model_name='assignment',
            index=models.Index(condition=models.Q(('ended_at', None)), fields=['lease_until'], name='assignment_open'),
        ),
        migrations.AddIndex(
            model_name='assignment',
            index=models.Index(condition=models.Q(('end', 'served')), fields=['ended_at'], name='assignment_served'),
        ),
        migrations.AddIndex(
            model_name='assignment',
            index=models.Index(fields=['ticket', 'created_at'], name='assignment_ticket'),
        ),
        migrations.AddConstraint(
            model_name='assignment',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_at', None)), fields=('ticket',), name='assignment_one_agent'),
        ),
        migrations.AddConstraint(
            model_name='assignment',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_at', None)), fields=('agent',), name='assignment_one_ticket'),
        ),
        migrations.AddConstraint(
            model_name='assignment',
            constraint=models.CheckConstraint(condition=models.Q(('end', ''), ('ended_at__isnull', False), _connector='XOR'), name='assignment_end'),
        ),
        migrations.AddIndex(
            model_name='dial',
            index=models.Index(fields=['ticket', 'created_at'], name='dial_ticket'),
        ),
        migrations.AddIndex(
            model_name='dial',
            index=models.Index(fields=['number', 'created_at'], name='dial_number'),
        ),
        migrations.AddConstraint(
            model_name='dial',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_at', None)), fields=('ticket',), name='dial_one_a_ticket'),
        ),
        migrations.AddConstraint(
            model_name='dial',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_at', None)), fields=('number',), name='dial_one_a_number'),
        ),
        migrations.AddConstraint(
            model_name='dial',
            constraint=models.CheckConstraint(condition=models.Q(('end', ''), ('ended_at__isnull', False), _connector='XOR'), name='dial_end'),
        ),
        migrations.AddIndex(
            model_name='estimate',
            index=models.Index(fields=['ticket', 'created_at'], name='estimate_ticket'),
        ),
        migrations.AddIndex(
            model_name='estimate',
            index=models.Index(condition=models.Q(('outcome', 'served')), fields=['created_at'], name='estimate_served'),
        ),
        migrations.AddConstraint(
            model_name='estimate',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('high', None), ('low', None)), models.Q(('high__gte', 1), ('low__gte', 0)), _connector='OR'), name='estimate_range'),
        ),
        migrations.AddConstraint(
            model_name='estimate',
            constraint=models.CheckConstraint(condition=models.Q(('outcome', ''), ('settled_at__isnull', False), _connector='XOR'), name='estimate_settled'),
        ),
        migrations.AddIndex(
            model_name='holding',
            index=models.Index(fields=['ticket', 'created_at'], name='holding_ticket'),
        ),
        migrations.AddIndex(
            model_name='holding',
            index=models.Index(condition=models.Q(('ended_at', None)), fields=['lease_until'], name='holding_live'),
        ),
        migrations.AddIndex(
            model_name='holding',
            index=models.Index(condition=models.Q(('waited_until__isnull', False)), fields=['waited_until'], name='holding_waited'),
        ),
        migrations.AddConstraint(
            model_name='holding',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_at', None)), fields=('channel', 'call_id'), name='holding_once'),
        ),
        migrations.AddConstraint(
            model_name='holding',
            constraint=models.CheckConstraint(condition=models.Q(('end', ''), ('waited_until__isnull', False), _connector='XOR'), name='holding_end'),
        ),
        migrations.AddConstraint(
            model_name='provennumber',
            constraint=models.UniqueConstraint(fields=('number', 'account'), name='proven_once', nulls_distinct=False),
        ),
    ]

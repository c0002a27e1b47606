"""The counter: stores, shifts, drawers, slips, what was pressed, receipts, payouts."""

import django.db.models.deletion
from django.db import migrations, models

import doenda.kernel.clock
import doenda.kernel.ids


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0001_initial'),
        ('payments', '0006_debit'),
    ]

    operations = [
        migrations.CreateModel(
            name='DrawerMove',
            fields=[
                ('id', models.UUIDField(default=doenda.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=doenda.kernel.clock.now, editable=False)),
                ('press', models.CharField(max_length=64, unique=True)),
                ('amount', models.BigIntegerField()),
                ('reason', models.CharField(max_length=120)),
                ('by', models.CharField(max_length=80)),
                ('needs_two', models.BooleanField(default=False)),
                ('second', models.CharField(default='', max_length=80)),
            ],
        ),
        migrations.CreateModel(
            name='Payout',
            fields=[
                ('id', models.UUIDField(default=doenda.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=doenda.kernel.clock.now, editable=False)),
                ('key', models.CharField(max_length=120, unique=True)),
                ('amount', models.BigIntegerField()),
                ('reason', models.CharField(max_length=80)),
                ('withdrawn_at', models.DateTimeField(null=True)),
                ('withdrawn_by', models.CharField(default='', max_length=80)),
            ],
        ),
        migrations.CreateModel(
            name='Receipt',
            fields=[
                ('id', models.UUIDField(default=doenda.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=doenda.kernel.clock.now, editable=False)),
                ('year', models.SmallIntegerField()),
                ('number', models.IntegerField()),
                ('kind', models.CharField(choices=[('taken', 'Taken'), ('given_back', 'Given Back')], max_length=10)),
                ('clerk', models.CharField(max_length=80)),
                ('method', models.CharField(choices=[('cash', 'cash'), ('card', 'card')], max_length=10)),
                ('amount', models.BigIntegerField()),
                ('tendered', models.BigIntegerField()),
                ('change', models.BigIntegerField(default=0)),
                ('currency', models.CharField(max_length=3)),
                ('approval', models.CharField(default='', max_length=12)),
                ('needs_two', models.BooleanField(default=False)),
                ('second', models.CharField(default='', max_length=80)),
                ('voided_at', models.DateTimeField(null=True)),
                ('voided_by', models.CharField(default='', max_length=80)),
                ('void_second', models.CharField(default='', max_length=80)),
                ('void_reason', models.CharField(default='', max_length=120)),
                ('void_approval', models.CharField(default='', max_length=12)),
            ],
        ),
        migrations.CreateModel(
            name='Shift',
            fields=[
                ('id', models.UUIDField(default=doenda.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=doenda.kernel.clock.now, editable=False)),
                ('till', models.CharField(max_length=10)),
                ('clerk', models.CharField(max_length=80)),
                ('currency', models.CharField(max_length=3)),
                ('float_amount', models.BigIntegerField()),
                ('counted', models.BigIntegerField(null=True)),
                ('expected', models.BigIntegerField(null=True)),
                ('difference', models.BigIntegerField(null=True)),
                ('counted_at', models.DateTimeField(null=True)),
                ('needs_two', models.BooleanField(default=False)),
                ('second', models.CharField(default='', max_length=80)),
                ('reason', models.CharField(default='', max_length=120)),
                ('closed_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='Slip',
            fields=[
                ('id', models.UUIDField(default=doenda.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=doenda.kernel.clock.now, editable=False)),
                ('number', models.CharField(max_length=10, unique=True)),
                ('closed_at', models.DateTimeField(null=True)),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='Store',
            fields=[
                ('id', models.UUIDField(default=doenda.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=doenda.kernel.clock.now, editable=False)),
                ('code', models.CharField(max_length=10, unique=True)),
                ('name', models.CharField(max_length=80)),
                ('closed_at', models.DateTimeField(null=True)),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='StoreYear',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('year', models.SmallIntegerField()),
                ('last', models.IntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name='Taking',
            fields=[
                ('id', models.UUIDField(default=doenda.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=doenda.kernel.clock.now, editable=False)),
                ('press', models.CharField(max_length=64, unique=True)),
                ('method', models.CharField(max_length=10)),
                ('amount', models.BigIntegerField()),
                ('tendered', models.BigIntegerField()),
                ('approval', models.CharField(default='', max_length=12)),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.AddField(
            model_name='payout',
            name='attempt',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='payouts', to='payments.attempt'),
        ),
        migrations.AddField(
            model_name='receipt',
            name='attempt',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='receipts', to='payments.attempt'),
        ),
        migrations.AddField(
            model_name='receipt',
            name='payout',
            field=models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='receipt', to='payments.payout'),
        ),
        migrations.AddField(
            model_name='receipt',
            name='shift',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='receipts', to='payments.shift'),
        ),
        migrations.AddField(
            model_name='drawermove',
            name='shift',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='moves', to='payments.shift'),
        ),
        migrations.AddField(
            model_name='slip',
            name='attempt',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='slip', to='payments.attempt'),
        ),
        migrations.AddField(
            model_name='shift',
            name='store',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='shifts', to='payments.store'),
        ),
        migrations.AddField(
            model_name='receipt',
            name='store',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='receipts', to='payments.store'),
        ),
        migrations.AddField(
            model_name='storeyear',
            name='store',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='payments.store'),
        ),
        migrations.AddField(
            model_name='taking',
            name='account',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='billing.account'),
        ),
        migrations.AddField(
            model_name='taking',
            name='shift',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='takings', to='payments.shift'),
        ),
        migrations.AddField(
            model_name='receipt',
            name='taking',
            field=models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='receipt', to='payments.taking'),
        ),
        migrations.AddConstraint(
            model_name='payout',
            constraint=models.CheckConstraint(condition=models.Q(('amount__gt', 0)), name='payout_amount'),
        ),
        migrations.AddConstraint(
            model_name='drawermove',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('amount', 0), _negated=True), models.Q(('reason', ''), _negated=True)), name='drawer_move_says_why'),
        ),
        migrations.AddConstraint(
            model_name='drawermove',
            constraint=models.CheckConstraint(condition=models.Q(('second', models.F('by')), _negated=True), name='drawer_maker_not_checker'),
        ),
        migrations.AddConstraint(
            model_name='drawermove',
            constraint=models.CheckConstraint(condition=models.Q(('needs_two', False), models.Q(('second', ''), _negated=True), _connector='OR'), name='drawer_four_eyes'),
        ),
        migrations.AddConstraint(
            model_name='shift',
            constraint=models.UniqueConstraint(condition=models.Q(('closed_at', None)), fields=('store', 'till'), name='shift_one_a_till'),
        ),
        migrations.AddConstraint(
            model_name='shift',
            constraint=models.UniqueConstraint(condition=models.Q(('closed_at', None)), fields=('clerk',), name='shift_one_a_clerk'),
        ),
        migrations.AddConstraint(
            model_name='shift',
            constraint=models.CheckConstraint(condition=models.Q(('float_amount__gte', 0)), name='shift_float'),
        ),
        migrations.AddConstraint(
            model_name='shift',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('counted', None), ('counted_at', None), ('difference', None), ('expected', None)), models.Q(('counted__gte', 0), ('counted_at__isnull', False), ('difference', django.db.models.expressions.CombinedExpression(models.F('counted'), '-', models.F('expected'))), ('expected__isnull', False)), _connector='OR'), name='shift_difference'),
        ),
        migrations.AddConstraint(
            model_name='shift',
            constraint=models.CheckConstraint(condition=models.Q(('closed_at', None), ('counted__isnull', False), _connector='OR'), name='shift_counted_before_closed'),
        ),
        migrations.AddConstraint(
            model_name='shift',
            constraint=models.CheckConstraint(condition=models.Q(('second', models.F('clerk')), _negated=True), name='shift_maker_not_checker'),
        ),
        migrations.AddConstraint(
            model_name='shift',
            constraint=models.CheckConstraint(condition=models.Q(('needs_two', False), ('closed_at', None), models.Q(('second', ''), _negated=True), _connector='OR'), name='shift_four_eyes'),
        ),
        migrations.AddConstraint(
            model_name='storeyear',
            constraint=models.UniqueConstraint(fields=('store', 'year'), name='store_year'),
        ),
        migrations.AddIndex(
            model_name='receipt',
            index=models.Index(fields=['created_at'], name='receipt_at'),
        ),
        migrations.AddIndex(
            model_name='receipt',
            index=models.Index(condition=models.Q(('voided_at__isnull', False)), fields=['voided_at'], name='receipt_voided'),
        ),
        migrations.AddConstraint(
            model_name='receipt',
            constraint=models.UniqueConstraint(fields=('store', 'year', 'number'), name='receipt_number'),
        ),
        migrations.AddConstraint(
            model_name='receipt',
            constraint=models.UniqueConstraint(condition=models.Q(('kind', 'taken')), fields=('attempt',), name='receipt_once'),
        ),
        migrations.AddConstraint(
            model_name='receipt',
            constraint=models.UniqueConstraint(condition=models.Q(('method', 'card'), ('voided_at', None)), fields=('shift', 'approval', 'amount', 'kind'), name='receipt_approval_once'),
        ),
        migrations.AddConstraint(
            model_name='receipt',
            constraint=models.CheckConstraint(condition=models.Q(('amount__gt', 0), ('change__gte', 0), ('tendered', django.db.models.expressions.CombinedExpression(models.F('amount'), '+', models.F('change')))), name='receipt_change'),
        ),
        migrations.AddConstraint(
            model_name='receipt',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('approval', ''), ('method', 'cash')), models.Q(('change', 0), ('method', 'card'), models.Q(('approval', ''), _negated=True)), _connector='OR'), name='receipt_approval'),
        ),
        migrations.AddConstraint(
            model_name='receipt',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind', 'taken'), ('payout', None), ('taking__isnull', False)), models.Q(('kind', 'given_back'), ('payout__isnull', False), ('taking', None)), _connector='OR'), name='receipt_kind'),
        ),
        migrations.AddConstraint(
            model_name='receipt',
            constraint=models.CheckConstraint(condition=models.Q(('second', models.F('clerk')), _negated=True), name='receipt_maker_not_checker'),
        ),
        migrations.AddConstraint(
            model_name='receipt',
            constraint=models.CheckConstraint(condition=models.Q(('needs_two', False), models.Q(('second', ''), _negated=True), _connector='OR'), name='receipt_four_eyes'),
        ),
        migrations.AddConstraint(
            model_name='receipt',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('void_second', ''), ('voided_at', None), ('voided_by', '')), models.Q(('kind', 'taken'), ('voided_at__isnull', False), models.Q(('void_reason', ''), _negated=True), models.Q(('voided_by', ''), _negated=True), models.Q(('void_second', ''), _negated=True), models.Q(('void_second', models.F('voided_by')), _negated=True)), _connector='OR'), name='receipt_void_four_eyes'),
        ),
    ]

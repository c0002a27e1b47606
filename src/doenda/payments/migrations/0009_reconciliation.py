"""Reconciliation: runs, and lines of which only the fate may change."""

import django.db.models.deletion
import django.db.models.expressions
from django.db import migrations, models

import doenda.kernel.clock
import doenda.kernel.ids

GUARD = """
    CREATE FUNCTION payments_recon_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'what the other side told stays as it was told, and what is settled stays so'
            USING ERRCODE = 'integrity_constraint_violation';
    END $$;
    CREATE TRIGGER recon_line_told BEFORE UPDATE ON payments_reconline FOR EACH ROW WHEN (
        (OLD.id, OLD.run_id, OLD.source, OLD.ident, OLD.kind, OLD.amount, OLD.currency, OLD.at, OLD.booked_on,
         OLD.reference, OLD.provider_ref, OLD.told, OLD.probe)
        IS DISTINCT FROM
        (NEW.id, NEW.run_id, NEW.source, NEW.ident, NEW.kind, NEW.amount, NEW.currency, NEW.at, NEW.booked_on,
         NEW.reference, NEW.provider_ref, NEW.told, NEW.probe)
        OR OLD.state <> 'parked' AND (OLD.state, OLD.fact_kind, OLD.fact_id, OLD.handled_by)
        IS DISTINCT FROM (NEW.state, NEW.fact_kind, NEW.fact_id, NEW.handled_by)
    ) EXECUTE FUNCTION payments_recon_refuse();
    CREATE TRIGGER recon_line_kept BEFORE DELETE ON payments_reconline FOR EACH ROW
        EXECUTE FUNCTION payments_recon_refuse();
"""
UNGUARD = """
    DROP TRIGGER recon_line_told ON payments_reconline;
    DROP TRIGGER recon_line_kept ON payments_reconline;
    DROP FUNCTION payments_recon_refuse();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0001_initial'),
        ('payments', '0008_refund_back_to'),
    ]

    operations = [
        migrations.CreateModel(
            name='ReconRun',
            fields=[
                ('id', models.UUIDField(default=doenda.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=doenda.kernel.clock.now, editable=False)),
                ('source', models.CharField(max_length=80)),
                ('since', models.DateTimeField(null=True)),
                ('until', models.DateTimeField(null=True)),
                ('name', models.CharField(default='', max_length=255)),
                ('sha256', models.CharField(default='', max_length=64)),
                ('form', models.CharField(default='', max_length=20)),
                ('statement', models.CharField(default='', max_length=140)),
                ('sequence', models.BigIntegerField(null=True)),
                ('opening', models.BigIntegerField(null=True)),
                ('closing', models.BigIntegerField(null=True)),
                ('currency', models.CharField(default='', max_length=3)),
                ('lines', models.IntegerField(default=0)),
                ('known', models.IntegerField(default=0)),
                ('matched', models.IntegerField(default=0)),
                ('parked', models.IntegerField(default=0)),
                ('probes', models.IntegerField(default=0)),
                ('their_total', models.BigIntegerField(default=0)),
                ('our_total', models.BigIntegerField(default=0)),
                ('difference', models.BigIntegerField(default=0)),
                ('ok', models.BooleanField(default=True)),
                ('told', models.JSONField(default=dict)),
            ],
            options={
                'indexes': [models.Index(fields=['source', 'created_at'], name='recon_run_source'), models.Index(condition=models.Q(('sequence__isnull', False)), fields=['source', 'sequence'], name='recon_run_sequence')],
                'constraints': [models.CheckConstraint(condition=models.Q(('difference', django.db.models.expressions.CombinedExpression(models.F('their_total'), '-', models.F('our_total')))), name='recon_run_difference')],
            },
        ),
        migrations.CreateModel(
            name='ReconLine',
            fields=[
                ('id', models.UUIDField(default=doenda.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=doenda.kernel.clock.now, editable=False)),
                ('source', models.CharField(max_length=80)),
                ('ident', models.CharField(max_length=140)),
                ('kind', models.CharField(choices=[('in', 'In'), ('out', 'Out')], max_length=3)),
                ('amount', models.BigIntegerField()),
                ('currency', models.CharField(max_length=3)),
                ('at', models.DateTimeField()),
                ('booked_on', models.DateField(null=True)),
                ('reference', models.CharField(default='', max_length=140)),
                ('provider_ref', models.CharField(default='', max_length=200)),
                ('told', models.JSONField(default=dict)),
                ('probe', models.BooleanField(default=False)),
                ('state', models.CharField(choices=[('matched', 'Matched'), ('parked', 'Parked'), ('settled_by_hand', 'Settled By Hand')], max_length=15)),
                ('fact_kind', models.CharField(default='', max_length=40)),
                ('fact_id', models.CharField(default='', max_length=128)),
                ('reason', models.CharField(choices=[('NOT_IN_LEDGER', 'Not In Ledger'), ('NOT_AT_PROVIDER', 'Not At Provider'), ('AMOUNT_DIFFERS', 'Amount Differs'), ('CURRENCY_DIFFERS', 'Currency Differs'), ('SIDE_DIFFERS', 'Side Differs'), ('LOST_ZERO', 'Lost Zero'), ('TRANSPOSED_DIGITS', 'Transposed Digits'), ('WRONG_REFERENCE', 'Wrong Reference'), ('AMBIGUOUS', 'Ambiguous'), ('TWICE', 'Twice'), ('UNDONE_UNKNOWN', 'Undone Unknown'), ('OTHER_MERCHANT', 'Other Merchant'), ('TOO_EARLY', 'Too Early'), ('FEE_DIFFERS', 'Fee Differs'), ('NOT_PAID_OUT', 'Not Paid Out'), ('BALANCE_DIFFERS', 'Balance Differs'), ('UNREADABLE', 'Unreadable')], default='', max_length=20)),
                ('owner', models.CharField(default='', max_length=10)),
                ('due_at', models.DateTimeField(null=True)),
                ('suggestion', models.JSONField(default=dict)),
                ('asked_by', models.CharField(default='', max_length=80)),
                ('handled_by', models.CharField(default='', max_length=80)),
                ('handled_at', models.DateTimeField(null=True)),
                ('words', models.CharField(default='', max_length=200)),
                ('account', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='recon_lines', to='billing.account')),
                ('run', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='told_lines', to='payments.reconrun')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('state', 'parked')), fields=['due_at'], name='recon_line_parked'), models.Index(condition=models.Q(('fact_id', ''), _negated=True), fields=['fact_kind', 'fact_id'], name='recon_line_fact'), models.Index(fields=['source', 'at'], name='recon_line_at')],
                'constraints': [models.UniqueConstraint(fields=('source', 'ident'), name='recon_line_once'), models.UniqueConstraint(condition=models.Q(('state', 'matched')), fields=('source', 'fact_kind', 'fact_id'), name='recon_fact_once'), models.CheckConstraint(condition=models.Q(('amount__gt', 0)), name='recon_line_amount'), models.CheckConstraint(condition=models.Q(('kind__in', ['in', 'out'])), name='recon_line_kind'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'matched'), models.Q(('fact_kind', ''), _negated=True), models.Q(('fact_id', ''), _negated=True)), models.Q(('state', 'parked'), models.Q(('reason', ''), _negated=True), models.Q(('owner', ''), _negated=True), ('due_at__isnull', False)), models.Q(('state', 'settled_by_hand'), models.Q(('handled_by', ''), _negated=True), ('handled_at__isnull', False)), _connector='OR'), name='recon_line_ends')],
            },
        ),
        migrations.RunSQL(GUARD, UNGUARD),
    ]

"""When a provider last told how a waiting account stands, and when the bank's list was last read to its end."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("payments", "0009_reconciliation")]
    operations = [
        migrations.AddField("attempt", "heard_at", models.DateTimeField(null=True)),
        migrations.AddField("depositfeed", "read_at", models.DateTimeField(null=True)),
    ]

"""The payer's own account stands sealed with the one refund that goes there."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("payments", "0007_counter")]
    operations = [migrations.AddField("refund", "back_to", models.BinaryField(null=True))]

"""Somebody asks a customer where to send what was paid too much."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("contact", "0001_initial")]
    operations = [
        migrations.AlterField(
            model_name="ticket",
            name="kind",
            field=models.CharField(
                choices=[
                    ("person", "Person"),
                    ("dispute", "Dispute"),
                    ("already_paid", "Already Paid"),
                    ("report", "Report"),
                    ("unknown_outcome", "Unknown Outcome"),
                    ("refund", "Refund"),
                ],
                max_length=16,
            ),
        )
    ]

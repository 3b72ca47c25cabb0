"""Results lead to the facts that they were judged by. Nothing changes in the database: both are views."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("incentives", "0002_findings"),
    ]

    operations = [
        migrations.AddField(
            model_name="result",
            name="facts",
            field=models.ForeignObject(
                from_fields=("run", "shop"),
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="incentives.frozenshop",
                to_fields=("run", "shop"),
            ),
        ),
    ]

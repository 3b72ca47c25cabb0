"""Tries to sign in are counted; and everybody who has an account now was given it, so their addresses are vouched for."""

from django.db import migrations, models


def vouch(apps, schema_editor):
    """Whoever signs up proves the address from now on. These were made by operators and by invitation."""
    User = apps.get_model("core", "User")
    EmailAddress = apps.get_model("account", "EmailAddress")
    known = EmailAddress.objects.values("user")
    EmailAddress.objects.bulk_create(
        (
            EmailAddress(user_id=pk, email=email.lower(), primary=True, verified=True)
            for pk, email in User.objects.exclude(pk__in=known).values_list("pk", "email")
        ),
        batch_size=1000,
        ignore_conflicts=True,
    )


class Migration(migrations.Migration):

    dependencies = [
        ("account", "0009_emailaddress_unique_primary_email"),
        ("core", "0003_notices"),
    ]

    operations = [
        migrations.CreateModel(
            name="SignInTries",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(db_collation="C", max_length=64, unique=True, verbose_name="key")),
                ("tries", models.PositiveIntegerField(verbose_name="tries")),
                ("last_at", models.DateTimeField(db_index=True, verbose_name="last")),
                ("locked_until", models.DateTimeField(null=True, verbose_name="locked until")),
            ],
            options={
                "verbose_name": "tries to sign in",
                "verbose_name_plural": "tries to sign in",
            },
        ),
        migrations.RunPython(vouch, migrations.RunPython.noop),
    ]

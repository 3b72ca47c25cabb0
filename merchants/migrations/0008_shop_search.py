import django.contrib.postgres.indexes
import django.db.models.functions.comparison
import django.db.models.functions.text
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

import merchants.finding


class Migration(migrations.Migration):
    """Indexes on large tables, built while these are read and written: about a second for 100,000 shops."""

    atomic = False

    dependencies = [
        ('core', '0005_policy_drafts'),
        ('merchants', '0007_duplicates'),
        ('partners', '0004_payees'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='merchant',
            index=django.contrib.postgres.indexes.GinIndex(django.contrib.postgres.indexes.OpClass('registration_key', name='gin_trgm_ops'), name='merchant_number_parts'),
        ),
        AddIndexConcurrently(
            model_name='merchant',
            index=django.contrib.postgres.indexes.GinIndex(django.contrib.postgres.indexes.OpClass(merchants.finding.Folded('name'), name='gin_trgm_ops'), name='merchant_name_parts'),
        ),
        AddIndexConcurrently(
            model_name='shop',
            index=django.contrib.postgres.indexes.GinIndex(django.contrib.postgres.indexes.OpClass(django.db.models.functions.text.Concat(django.db.models.functions.comparison.Coalesce(merchants.finding.Folded('code'), models.Value('')), models.Value('\n'), django.db.models.functions.comparison.Coalesce(merchants.finding.Folded('merchant_name'), models.Value('')), models.Value('\n'), django.db.models.functions.comparison.Coalesce(merchants.finding.Folded('brand_name'), models.Value('')), models.Value('\n'), output_field=models.CharField()), name='gin_trgm_ops'), name='shop_text_parts'),
        ),
    ]

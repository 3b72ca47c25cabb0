"""Payment batches, and the results that the bank sends back."""

import django.db.models.deletion
import django.db.models.expressions
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('core', '0001_initial'),
        ('incentives', '0004_holds_adjustments'),
        ('partners', '0004_payees'),
    ]

    operations = [
        migrations.CreateModel(
            name='BankResult',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sha256', models.CharField(max_length=64, verbose_name='fingerprint of the file')),
                ('loaded_at', models.DateTimeField(verbose_name='loaded')),
                ('rows', models.IntegerField(verbose_name='rows')),
                ('paid', models.IntegerField(verbose_name='paid')),
                ('refused', models.IntegerField(verbose_name='refused')),
                ('unchanged', models.IntegerField(verbose_name='unchanged')),
                ('quarantined', models.IntegerField(verbose_name='set aside')),
                ('loaded_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'bank result',
                'verbose_name_plural': 'bank results',
            },
        ),
        migrations.CreateModel(
            name='BankResultRow',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('line', models.IntegerField(verbose_name='line')),
                ('code', models.CharField(max_length=20, verbose_name='code')),
                ('note', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='core.note')),
                ('result', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='quarantine', to='incentives.bankresult')),
            ],
            options={
                'verbose_name': 'row set aside',
                'verbose_name_plural': 'rows set aside',
            },
        ),
        migrations.CreateModel(
            name='PaymentBatch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('draft', 'Draft'), ('locked', 'Locked'), ('exported', 'Exported'), ('cancelled', 'Cancelled')], default='draft', max_length=10, verbose_name='state')),
                ('version', models.IntegerField(default=1, verbose_name='version')),
                ('currency', models.CharField(max_length=3, verbose_name='currency')),
                ('created_at', models.DateTimeField(verbose_name='made')),
                ('locked_at', models.DateTimeField(null=True, verbose_name='locked')),
                ('exported_at', models.DateTimeField(null=True, verbose_name='exported')),
                ('file_sha256', models.CharField(blank=True, max_length=64, verbose_name='fingerprint of the file')),
                ('cancelled_at', models.DateTimeField(null=True, verbose_name='cancelled')),
                ('cancel_reason', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='core.note')),
                ('cancelled_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('created_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('exported_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('locked_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'payment batch',
                'verbose_name_plural': 'payment batches',
            },
        ),
        migrations.CreateModel(
            name='PaymentItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reference', models.CharField(max_length=40, unique=True, verbose_name='our reference')),
                ('amount', models.DecimalField(decimal_places=2, max_digits=19, verbose_name='amount')),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('paid', 'Paid'), ('refused', 'Refused by the bank'), ('dropped', 'Taken out')], default='waiting', max_length=10, verbose_name='state')),
                ('settled_at', models.DateTimeField(null=True, verbose_name='settled')),
                ('batch', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='items', to='incentives.paymentbatch')),
                ('payee', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='partners.payee')),
                ('payout', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='payment_items', to='incentives.payout')),
            ],
            options={
                'verbose_name': 'payment',
                'verbose_name_plural': 'payments',
            },
        ),
        migrations.AddConstraint(
            model_name='bankresult',
            constraint=models.CheckConstraint(condition=models.Q(('rows', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('paid'), '+', models.F('refused')), '+', models.F('unchanged')), '+', models.F('quarantined')))), name='bank_result_adds_up'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='bankresult',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='ac22210cfdb19e4fe3e188b430823fc55f84f8a3', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_8e2cc', table='incentives_bankresult', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='bankresult',
            trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: table % can not be truncated', TG_TABLE_NAME;", hash='7025dd75bf830d224da2366a0a7df4a3684720f7', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_fcc3f', table='incentives_bankresult', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='bankresultrow',
            constraint=models.UniqueConstraint(fields=('result', 'line'), name='bank_row_once'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='bankresultrow',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='aee12ef8b7082c3afaa03d26628107c61e2c8ec2', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_a3bf7', table='incentives_bankresultrow', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='bankresultrow',
            trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: table % can not be truncated', TG_TABLE_NAME;", hash='f3d1db70bcddb98c5946b7f216eec38b851ae667', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_9ac63', table='incentives_bankresultrow', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='paymentbatch',
            constraint=models.CheckConstraint(condition=models.Q(('currency__regex', '^[A-Z]{3}$')), name='batch_currency'),
        ),
        migrations.AddConstraint(
            model_name='paymentbatch',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state__in', ['locked', 'exported']), _negated=True), models.Q(('locked_at__isnull', False), ('locked_by__isnull', False)), _connector='OR'), name='batch_locked_by_somebody'),
        ),
        migrations.AddConstraint(
            model_name='paymentbatch',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'exported'), _negated=True), models.Q(('exported_at__isnull', False), ('exported_by__isnull', False), models.Q(('file_sha256', ''), _negated=True)), _connector='OR'), name='batch_exported_as_a_file'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='paymentbatch',
            trigger=pgtrigger.compiler.Trigger(name='legal_transitions', sql=pgtrigger.compiler.UpsertTriggerSql(func='IF NEW."state" IS DISTINCT FROM OLD."state" AND (OLD."state", NEW."state") NOT IN ((\'draft\', \'cancelled\'), (\'draft\', \'locked\'), (\'locked\', \'cancelled\'), (\'locked\', \'exported\')) THEN RAISE EXCEPTION \'pgtrigger: illegal transition from % to % in table %\', OLD."state", NEW."state", TG_TABLE_NAME; END IF; IF NEW."version" <> OLD."version" + 1 THEN RAISE EXCEPTION \'pgtrigger: version must grow by one in table %\', TG_TABLE_NAME; END IF; RETURN NEW;', hash='324512433d2c4759d5fbe38be1a3f693b62576bc', operation='UPDATE', pgid='pgtrigger_legal_transitions_7bba1', table='incentives_paymentbatch', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='paymentbatch',
            trigger=pgtrigger.compiler.Trigger(name='frozen', sql=pgtrigger.compiler.UpsertTriggerSql(func='IF NEW."currency" IS DISTINCT FROM OLD."currency" OR NEW."created_by_id" IS DISTINCT FROM OLD."created_by_id" OR NEW."created_at" IS DISTINCT FROM OLD."created_at" THEN RAISE EXCEPTION \'pgtrigger: currency, created_by_id, created_at can not change in table %\', TG_TABLE_NAME; END IF; RETURN NEW;', hash='67392be1c8f722bf778ac5296fed363549e97134', operation='UPDATE', pgid='pgtrigger_frozen_c1fcb', table='incentives_paymentbatch', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='paymentbatch',
            trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='71eebaedacf330699beaa575a0ff148b45c641b0', operation='DELETE', pgid='pgtrigger_no_delete_3d211', table='incentives_paymentbatch', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='paymentbatch',
            trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: table % can not be truncated', TG_TABLE_NAME;", hash='2a429e4392dd2afdd229eca9fcdac729faf2cf1b', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_52e62', table='incentives_paymentbatch', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='paymentitem',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'waiting')), fields=('payout',), name='item_payout_in_one_batch'),
        ),
        migrations.AddConstraint(
            model_name='paymentitem',
            constraint=models.CheckConstraint(condition=models.Q(('amount__gt', 0)), name='item_pays_something'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='paymentitem',
            trigger=pgtrigger.compiler.Trigger(name='legal_transitions', sql=pgtrigger.compiler.UpsertTriggerSql(func='IF NEW."state" IS DISTINCT FROM OLD."state" AND (OLD."state", NEW."state") NOT IN ((\'waiting\', \'dropped\'), (\'waiting\', \'paid\'), (\'waiting\', \'refused\')) THEN RAISE EXCEPTION \'pgtrigger: illegal transition from % to % in table %\', OLD."state", NEW."state", TG_TABLE_NAME; END IF; RETURN NEW;', hash='46ea1b92d3651879d0ef5c4a85df70c6bee923b4', operation='UPDATE', pgid='pgtrigger_legal_transitions_eaf6b', table='incentives_paymentitem', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='paymentitem',
            trigger=pgtrigger.compiler.Trigger(name='frozen', sql=pgtrigger.compiler.UpsertTriggerSql(func='IF NEW."batch_id" IS DISTINCT FROM OLD."batch_id" OR NEW."payout_id" IS DISTINCT FROM OLD."payout_id" OR NEW."reference" IS DISTINCT FROM OLD."reference" OR NEW."amount" IS DISTINCT FROM OLD."amount" THEN RAISE EXCEPTION \'pgtrigger: batch_id, payout_id, reference, amount can not change in table %\', TG_TABLE_NAME; END IF; RETURN NEW;', hash='198db02e01b6886a6aad3e05f08e5cf1951c1d30', operation='UPDATE', pgid='pgtrigger_frozen_96c6f', table='incentives_paymentitem', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='paymentitem',
            trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='ff4a2e99beac50e737fdca7ee7efcf814eb1c95a', operation='DELETE', pgid='pgtrigger_no_delete_5928e', table='incentives_paymentitem', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='paymentitem',
            trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: table % can not be truncated', TG_TABLE_NAME;", hash='00da506ee0577b6895787477a765e7e7481b7372', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_8aa81', table='incentives_paymentitem', when='BEFORE')),
        ),
    ]


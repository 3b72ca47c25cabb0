"""Holds of partners, payouts and lines; adjustments; notes; decisions on many payouts."""

import django.contrib.postgres.constraints
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


def keep_what_is_held(apps, schema_editor):
    """Each payout that is held gets the hold that says so: who placed it, when, why, as its last decision has it."""
    Payout = apps.get_model("incentives", "Payout")
    Decision = apps.get_model("incentives", "Decision")
    Hold = apps.get_model("incentives", "Hold")
    Note = apps.get_model("core", "Note")
    for payout in Payout.objects.filter(held=True).order_by("pk"):
        decision = Decision.objects.filter(payout=payout, kind="hold").order_by("-pk").first()
        Hold.objects.get_or_create(
            partner_id=payout.partner_id,
            program_id=payout.program_id,
            shop=None,
            released_at=None,
            defaults={
                "placed_by_id": decision.actor_id if decision else None,
                "placed_at": decision.at if decision else payout.submitted_at,
                "reason_id": decision.reason_id if decision else Note.objects.create(text="–").pk,
            },
        )


class Migration(migrations.Migration):

    dependencies = [
        ('core', '0001_initial'),
        ('incentives', '0003_result_facts'),
        ('merchants', '0001_initial'),
        ('partners', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Adjustment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('manual', 'Manual'), ('difference', 'Difference of a later run'), ('recovery', 'Debt recovered'), ('write_off', 'Debt written off')], max_length=12, verbose_name='kind')),
                ('state', models.CharField(choices=[('proposed', 'Proposed'), ('confirmed', 'Confirmed'), ('declined', 'Declined'), ('withdrawn', 'Withdrawn')], default='proposed', max_length=12, verbose_name='state')),
                ('version', models.IntegerField(default=1, verbose_name='version')),
                ('amount', models.DecimalField(decimal_places=2, max_digits=19, verbose_name='amount')),
                ('currency', models.CharField(max_length=3, verbose_name='currency')),
                ('reference', models.CharField(blank=True, max_length=120, verbose_name="bank's reference")),
                ('details', models.JSONField(default=dict, verbose_name='details')),
                ('proposed_at', models.DateTimeField(verbose_name='proposed')),
                ('decided_at', models.DateTimeField(null=True, verbose_name='decided')),
            ],
            options={
                'verbose_name': 'adjustment',
                'verbose_name_plural': 'adjustments',
            },
        ),
        migrations.CreateModel(
            name='BulkDecision',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('step', models.CharField(max_length=20, verbose_name='step')),
                ('asked_at', models.DateTimeField(verbose_name='asked')),
                ('finished_at', models.DateTimeField(null=True, verbose_name='finished')),
                ('total', models.IntegerField(verbose_name='payouts')),
            ],
            options={
                'verbose_name': 'bulk decision',
                'verbose_name_plural': 'bulk decisions',
            },
        ),
        migrations.CreateModel(
            name='BulkItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('seen', models.IntegerField(null=True, verbose_name='version seen')),
                ('outcome', models.CharField(choices=[('waiting', 'Waiting'), ('done', 'Done'), ('refused', 'Refused')], default='waiting', max_length=10, verbose_name='outcome')),
                ('code', models.CharField(blank=True, max_length=40, verbose_name='code')),
                ('message', models.TextField(blank=True, verbose_name='message')),
            ],
            options={
                'verbose_name': 'payout of a bulk decision',
                'verbose_name_plural': 'payouts of bulk decisions',
            },
        ),
        migrations.CreateModel(
            name='Hold',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('placed_at', models.DateTimeField(verbose_name='held since')),
                ('released_at', models.DateTimeField(null=True, verbose_name='released')),
            ],
            options={
                'verbose_name': 'hold',
                'verbose_name_plural': 'holds',
            },
        ),
        migrations.CreateModel(
            name='PayoutNote',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(verbose_name='at')),
            ],
            options={
                'verbose_name': 'internal note',
                'verbose_name_plural': 'internal notes',
            },
        ),
        migrations.RemoveConstraint(
            model_name='ledgerentry',
            name='entry_account_known',
        ),
        migrations.RemoveConstraint(
            model_name='payoutline',
            name='line_one_live_for_a_merchant',
        ),
        migrations.RemoveConstraint(
            model_name='payoutline',
            name='line_one_live_for_a_brand',
        ),
        migrations.RemoveConstraint(
            model_name='payoutline',
            name='line_one_live_for_a_entry',
        ),
        migrations.AlterField(
            model_name='decision',
            name='kind',
            field=models.CharField(choices=[('submit', 'Submitted'), ('return', 'Returned'), ('approve', 'Approved'), ('close', 'Closed unpaid'), ('hold', 'Held'), ('release', 'Released'), ('void', 'Voided'), ('void_line', 'Line voided'), ('undo_void', 'Void undone'), ('start_payment', 'Sent to payment'), ('pay', 'Paid'), ('refuse', 'Refused by the bank'), ('claw_back', 'Clawed back'), ('carry', 'Account carried over anew'), ('adjust', 'Difference settled by an adjustment')], max_length=15, verbose_name='decision'),
        ),
        migrations.AlterField(
            model_name='ledgerentry',
            name='account',
            field=models.CharField(choices=[('incentive_expense', 'Incentive expense'), ('partner_payable', 'Payable to partners'), ('in_transit', 'Payments under way'), ('cash', 'Cash'), ('partner_receivable', 'Receivable from partners'), ('written_off', 'Written off')], max_length=20, verbose_name='account'),
        ),
        migrations.AlterField(
            model_name='payoutline',
            name='state',
            field=models.CharField(choices=[('live', 'Live'), ('withheld', 'Withheld'), ('returned', 'Returned'), ('void', 'Void'), ('clawed_back', 'Clawed back'), ('added', 'Paid by an adjustment'), ('deducted', 'Taken back by an adjustment')], max_length=12, verbose_name='state'),
        ),
        migrations.AddConstraint(
            model_name='ledgerentry',
            constraint=models.CheckConstraint(condition=models.Q(('account__in', ['incentive_expense', 'partner_payable', 'in_transit', 'cash', 'partner_receivable', 'written_off'])), name='entry_account_known'),
        ),
        migrations.AddConstraint(
            model_name='payoutline',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('merchant__isnull', False), ('state__in', ('live', 'added'))), expressions=[('merchant', '='), ('component', '='), ('scope', '&&')], name='line_one_live_for_a_merchant'),
        ),
        migrations.AddConstraint(
            model_name='payoutline',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('brand__isnull', False), ('state__in', ('live', 'added'))), expressions=[('brand', '='), ('component', '='), ('scope', '&&')], name='line_one_live_for_a_brand'),
        ),
        migrations.AddConstraint(
            model_name='payoutline',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('entry__isnull', False), ('state__in', ('live', 'added'))), expressions=[('entry', '='), ('component', '='), ('scope', '&&')], name='line_one_live_for_a_entry'),
        ),
        migrations.AddField(
            model_name='adjustment',
            name='decided_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='adjustment',
            name='decision_reason',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='core.note'),
        ),
        migrations.AddField(
            model_name='adjustment',
            name='partner',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='adjustments', to='partners.partner'),
        ),
        migrations.AddField(
            model_name='adjustment',
            name='payout',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='differences', to='incentives.payout'),
        ),
        migrations.AddField(
            model_name='adjustment',
            name='program',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='adjustments', to='core.program'),
        ),
        migrations.AddField(
            model_name='adjustment',
            name='proposed_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='adjustment',
            name='reason',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='core.note'),
        ),
        migrations.AddField(
            model_name='adjustment',
            name='run',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='incentives.run'),
        ),
        migrations.AddField(
            model_name='bulkdecision',
            name='actor',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='bulkdecision',
            name='reason',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='core.note'),
        ),
        migrations.AddField(
            model_name='bulkitem',
            name='bulk',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='items', to='incentives.bulkdecision'),
        ),
        migrations.AddField(
            model_name='bulkitem',
            name='payout',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='incentives.payout'),
        ),
        migrations.AddField(
            model_name='hold',
            name='partner',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='holds', to='partners.partner'),
        ),
        migrations.AddField(
            model_name='hold',
            name='placed_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='hold',
            name='program',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='holds', to='core.program'),
        ),
        migrations.AddField(
            model_name='hold',
            name='reason',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='core.note'),
        ),
        migrations.AddField(
            model_name='hold',
            name='release_reason',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='core.note'),
        ),
        migrations.AddField(
            model_name='hold',
            name='released_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='hold',
            name='shop',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='holds', to='merchants.shop'),
        ),
        migrations.AddField(
            model_name='payoutnote',
            name='author',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='payoutnote',
            name='note',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='core.note'),
        ),
        migrations.AddField(
            model_name='payoutnote',
            name='payout',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='notes', to='incentives.payout'),
        ),
        migrations.AddConstraint(
            model_name='adjustment',
            constraint=models.CheckConstraint(condition=models.Q(('amount', 0), _negated=True), name='adjustment_moves_something'),
        ),
        migrations.AddConstraint(
            model_name='adjustment',
            constraint=models.CheckConstraint(condition=models.Q(('currency__regex', '^[A-Z]{3}$')), name='adjustment_currency'),
        ),
        migrations.AddConstraint(
            model_name='adjustment',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind__in', ('recovery', 'write_off')), _negated=True), ('amount__gt', 0), _connector='OR'), name='adjustment_repays_above_zero'),
        ),
        migrations.AddConstraint(
            model_name='adjustment',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind', 'difference'), ('payout__isnull', False), ('run__isnull', False)), models.Q(models.Q(('kind', 'difference'), _negated=True), ('payout', None), ('run', None)), _connector='OR'), name='adjustment_difference_of_a_payout'),
        ),
        migrations.AddConstraint(
            model_name='adjustment',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'confirmed'), _negated=True), models.Q(('decided_by__isnull', False), models.Q(('decided_by', models.F('proposed_by')), _negated=True)), _connector='OR'), name='adjustment_two_people'),
        ),
        migrations.AddConstraint(
            model_name='adjustment',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at', None), ('decided_by', None), ('state', 'proposed')), models.Q(models.Q(('state', 'proposed'), _negated=True), ('decided_at__isnull', False), ('decided_by__isnull', False)), _connector='OR'), name='adjustment_decided_by_somebody'),
        ),
        migrations.AddConstraint(
            model_name='adjustment',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'proposed')), fields=('payout',), name='adjustment_one_proposed_of_a_payout'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='adjustment',
            trigger=pgtrigger.compiler.Trigger(name='legal_transitions', sql=pgtrigger.compiler.UpsertTriggerSql(func='IF NEW."state" IS DISTINCT FROM OLD."state" AND (OLD."state", NEW."state") NOT IN ((\'proposed\', \'confirmed\'), (\'proposed\', \'declined\'), (\'proposed\', \'withdrawn\')) THEN RAISE EXCEPTION \'pgtrigger: illegal transition from % to % in table %\', OLD."state", NEW."state", TG_TABLE_NAME; END IF; IF NEW."version" <> OLD."version" + 1 THEN RAISE EXCEPTION \'pgtrigger: version must grow by one in table %\', TG_TABLE_NAME; END IF; RETURN NEW;', hash='54d93461adc1e1b4f1c43f0e297e6954f456cfeb', operation='UPDATE', pgid='pgtrigger_legal_transitions_e9b2c', table='incentives_adjustment', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='adjustment',
            trigger=pgtrigger.compiler.Trigger(name='frozen', sql=pgtrigger.compiler.UpsertTriggerSql(func='IF NEW."partner_id" IS DISTINCT FROM OLD."partner_id" OR NEW."program_id" IS DISTINCT FROM OLD."program_id" OR NEW."kind" IS DISTINCT FROM OLD."kind" OR NEW."amount" IS DISTINCT FROM OLD."amount" OR NEW."currency" IS DISTINCT FROM OLD."currency" OR NEW."payout_id" IS DISTINCT FROM OLD."payout_id" OR NEW."run_id" IS DISTINCT FROM OLD."run_id" OR NEW."reason_id" IS DISTINCT FROM OLD."reason_id" OR NEW."reference" IS DISTINCT FROM OLD."reference" OR NEW."details" IS DISTINCT FROM OLD."details" OR NEW."proposed_by_id" IS DISTINCT FROM OLD."proposed_by_id" OR NEW."proposed_at" IS DISTINCT FROM OLD."proposed_at" THEN RAISE EXCEPTION \'pgtrigger: partner_id, program_id, kind, amount, currency, payout_id, run_id, reason_id, reference, details, proposed_by_id, proposed_at can not change in table %\', TG_TABLE_NAME; END IF; RETURN NEW;', hash='d347c4ff5cb27ea04eff7dd5ae5d3d32fe6490f4', operation='UPDATE', pgid='pgtrigger_frozen_b7b4f', table='incentives_adjustment', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='adjustment',
            trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='76266a3792d2e5110c98b2b8d118eedbd54c8714', operation='DELETE', pgid='pgtrigger_no_delete_4d9de', table='incentives_adjustment', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='adjustment',
            trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: table % can not be truncated', TG_TABLE_NAME;", hash='f6856e6edaf03e59304ed121482c7ddb2f1b4212', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_2bd94', table='incentives_adjustment', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='bulkdecision',
            trigger=pgtrigger.compiler.Trigger(name='frozen', sql=pgtrigger.compiler.UpsertTriggerSql(func='IF NEW."step" IS DISTINCT FROM OLD."step" OR NEW."actor_id" IS DISTINCT FROM OLD."actor_id" OR NEW."reason_id" IS DISTINCT FROM OLD."reason_id" OR NEW."asked_at" IS DISTINCT FROM OLD."asked_at" OR NEW."total" IS DISTINCT FROM OLD."total" THEN RAISE EXCEPTION \'pgtrigger: step, actor_id, reason_id, asked_at, total can not change in table %\', TG_TABLE_NAME; END IF; RETURN NEW;', hash='e6cf083df4c2e9d5d3ab7cc4a76e365045b31e3f', operation='UPDATE', pgid='pgtrigger_frozen_8961e', table='incentives_bulkdecision', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='bulkdecision',
            trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='ea410f9512bb8c270891b7f7beac66f1a8ff11b2', operation='DELETE', pgid='pgtrigger_no_delete_70fd5', table='incentives_bulkdecision', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='bulkdecision',
            trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: table % can not be truncated', TG_TABLE_NAME;", hash='38e430fa422a53b6983e6b8145373a788ec33a47', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_f31de', table='incentives_bulkdecision', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='bulkitem',
            index=models.Index(condition=models.Q(('outcome', 'waiting')), fields=['bulk', 'payout'], name='bulk_waiting'),
        ),
        migrations.AddConstraint(
            model_name='bulkitem',
            constraint=models.UniqueConstraint(fields=('bulk', 'payout'), name='bulk_item_once'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='bulkitem',
            trigger=pgtrigger.compiler.Trigger(name='frozen', sql=pgtrigger.compiler.UpsertTriggerSql(func='IF NEW."bulk_id" IS DISTINCT FROM OLD."bulk_id" OR NEW."payout_id" IS DISTINCT FROM OLD."payout_id" OR NEW."seen" IS DISTINCT FROM OLD."seen" THEN RAISE EXCEPTION \'pgtrigger: bulk_id, payout_id, seen can not change in table %\', TG_TABLE_NAME; END IF; RETURN NEW;', hash='d05a1a36e065a26b6c346c7b0240da673b29081e', operation='UPDATE', pgid='pgtrigger_frozen_41b11', table='incentives_bulkitem', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='bulkitem',
            trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='8d8fcd1b5dba8480f42c1e30c0304d48514a262b', operation='DELETE', pgid='pgtrigger_no_delete_501a2', table='incentives_bulkitem', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='bulkitem',
            trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: table % can not be truncated', TG_TABLE_NAME;", hash='df98d5888763e6b904a3a3f9b2c5fcb3f46af60c', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_d024b', table='incentives_bulkitem', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='hold',
            constraint=models.UniqueConstraint(condition=models.Q(('released_at', None)), fields=('partner', 'program', 'shop'), name='hold_once_at_a_time', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='hold',
            constraint=models.CheckConstraint(condition=models.Q(('shop', None), ('program__isnull', False), _connector='OR'), name='hold_line_in_a_program'),
        ),
        migrations.AddConstraint(
            model_name='hold',
            constraint=models.CheckConstraint(condition=models.Q(('released_at__isnull', False), models.Q(('release_reason', None), ('released_by', None)), _connector='OR'), name='hold_released_whole'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='hold',
            trigger=pgtrigger.compiler.Trigger(name='frozen', sql=pgtrigger.compiler.UpsertTriggerSql(func='IF NEW."partner_id" IS DISTINCT FROM OLD."partner_id" OR NEW."program_id" IS DISTINCT FROM OLD."program_id" OR NEW."shop_id" IS DISTINCT FROM OLD."shop_id" OR NEW."placed_by_id" IS DISTINCT FROM OLD."placed_by_id" OR NEW."placed_at" IS DISTINCT FROM OLD."placed_at" OR NEW."reason_id" IS DISTINCT FROM OLD."reason_id" THEN RAISE EXCEPTION \'pgtrigger: partner_id, program_id, shop_id, placed_by_id, placed_at, reason_id can not change in table %\', TG_TABLE_NAME; END IF; RETURN NEW;', hash='71203bed93ba476624b38bb766623d11a31f3ae5', operation='UPDATE', pgid='pgtrigger_frozen_4c54b', table='incentives_hold', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='hold',
            trigger=pgtrigger.compiler.Trigger(name='once_set', sql=pgtrigger.compiler.UpsertTriggerSql(func='IF (OLD."released_at" IS NOT NULL AND NEW."released_at" IS DISTINCT FROM OLD."released_at") OR (OLD."released_by_id" IS NOT NULL AND NEW."released_by_id" IS DISTINCT FROM OLD."released_by_id") OR (OLD."release_reason_id" IS NOT NULL AND NEW."release_reason_id" IS DISTINCT FROM OLD."release_reason_id") THEN RAISE EXCEPTION \'pgtrigger: released_at, released_by_id, release_reason_id can not change once set in table %\', TG_TABLE_NAME; END IF; RETURN NEW;', hash='a2661bc7f75db42c4de3cf10549d016f6202a298', operation='UPDATE', pgid='pgtrigger_once_set_53911', table='incentives_hold', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='hold',
            trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='d6e50530d9387cc87219633c1480477d3d33fe34', operation='DELETE', pgid='pgtrigger_no_delete_6051d', table='incentives_hold', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='hold',
            trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: table % can not be truncated', TG_TABLE_NAME;", hash='3127280b7451eacb18b8d99807b441b2e755de18', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_28742', table='incentives_hold', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='payoutnote',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='49129088379200e92003b62b02efaf55c0334ed7', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_3c4dc', table='incentives_payoutnote', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='payoutnote',
            trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: table % can not be truncated', TG_TABLE_NAME;", hash='26ef13fe125646ff4a76fa31746e473accc91003', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_27bd0', table='incentives_payoutnote', when='BEFORE')),
        ),
        # Last: what was inserted must be committed before its table is altered again.
        migrations.RunPython(keep_what_is_held, migrations.RunPython.noop),
    ]

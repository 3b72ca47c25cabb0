import core.models
import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models


# Every run so far becomes a chain of its own; its rows go from the tables of old into those of the chain.
SET_ASIDE = """
ALTER TABLE incentives_frozenshop RENAME TO incentives_frozenshop_old;
ALTER TABLE incentives_result RENAME TO incentives_result_old;
ALTER TABLE incentives_firstentity RENAME TO incentives_firstentity_old;
"""
MOVE = """
UPDATE incentives_run SET chain_id = id WHERE as_of IS NOT NULL;
INSERT INTO incentives_frozenfacts (
    chain_id, since_id, until_id, shop_id, partner_id, cause, merchant_id, brand_id, brand_name, market, registered_at, certified_at,
    certified_on, window_ends_on, settles_by, entry_id, track, entry_in_force, entry_review, assigned_to_id,
    rival_id, rival_of, partner_certified, link_id, link_partner_id, link_valid, link_entry_id, gmv, lines,
    unrated_lines, unrated_currency, unrated_on, stock_countries, stock_seen, status, status_at, high_risk)
SELECT run_id, run_id, 9223372036854775807, shop_id, partner_id, cause, merchant_id, brand_id, brand_name, market, registered_at, certified_at,
    certified_on, window_ends_on, settles_by, entry_id, track, entry_in_force, entry_review, assigned_to_id,
    rival_id, rival_of, partner_certified, link_id, link_partner_id, link_valid, link_entry_id, gmv, lines,
    unrated_lines, unrated_currency, unrated_on, stock_countries, stock_seen, status, status_at, high_risk
FROM incentives_frozenshop_old;
INSERT INTO incentives_judgement (
    chain_id, since_id, until_id, shop_id, partner_id, verdict, amount, introduced, high_risk, listed, first_entity, partner_certified,
    exclusive_link, onboarded, activated, stocked, shop_normal, fingerprint)
SELECT run_id, run_id, 9223372036854775807, r.shop_id, r.partner_id, verdict, amount, f.certified_at IS NOT NULL, f.high_risk,
    listed, first_entity, r.partner_certified, exclusive_link, onboarded, activated, stocked, shop_normal, fingerprint
FROM incentives_result_old r JOIN incentives_frozenshop_old f USING (run_id, shop_id);
INSERT INTO incentives_firstentity (chain_id, since_id, until_id, scope, key, shop_id, shop_code, certified_at)
SELECT run_id, run_id, 9223372036854775807, scope, key, shop_id, shop_code, certified_at
FROM incentives_firstentity_old;
SET CONSTRAINTS ALL IMMEDIATE;
DROP TABLE incentives_frozenshop_old, incentives_result_old, incentives_firstentity_old;
"""
# Each run with the rows of its chain that hold for it. A run is read by its primary key first, then its chain by
# (chain_id, shop_id) or (chain_id, partner_id). Nearly all rows of a chain hold for its last run; of two comparisons the
# planner believes that they leave a ninth, and then joins two runs by a loop in a loop. Of a CASE it believes a half.
VIEWS = """
CREATE VIEW incentives_frozenshop AS
SELECT r.id AS run_id, h.shop_id, h.partner_id, h.cause, h.merchant_id, h.brand_id, h.brand_name, h.market, h.registered_at,
    h.certified_at, h.certified_on, h.window_ends_on, h.settles_by, h.entry_id, h.track, h.entry_in_force,
    h.entry_review, h.assigned_to_id, h.rival_id, h.rival_of, h.partner_certified, h.link_id, h.link_partner_id,
    h.link_valid, h.link_entry_id, h.gmv, h.lines, h.unrated_lines, h.unrated_currency, h.unrated_on,
    h.stock_countries, h.stock_seen, h.status, h.status_at, h.high_risk
FROM incentives_run r
JOIN incentives_frozenfacts h
  ON h.chain_id = r.chain_id AND CASE WHEN h.since_id <= r.id THEN h.until_id > r.id ELSE false END;
CREATE VIEW incentives_result AS
SELECT r.id AS run_id, h.shop_id, h.partner_id, h.verdict, h.amount, h.introduced, h.high_risk, h.listed, h.first_entity,
    h.partner_certified, h.exclusive_link, h.onboarded, h.activated, h.stocked, h.shop_normal, h.fingerprint
FROM incentives_run r
JOIN incentives_judgement h
  ON h.chain_id = r.chain_id AND CASE WHEN h.since_id <= r.id THEN h.until_id > r.id ELSE false END;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('incentives', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='run',
            name='chain',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='incentives.run'),
        ),
        migrations.AddField(
            model_name='run',
            name='reached',
            field=models.IntegerField(blank=True, null=True, verbose_name='shops reached by changes'),
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(SET_ASIDE)],
            state_operations=[
                migrations.DeleteModel('FrozenShop'),
                migrations.DeleteModel('Result'),
                migrations.DeleteModel('FirstEntity'),
            ],
        ),
        migrations.CreateModel(
            name='FrozenFacts',
            fields=[
                ('chain_id', models.BigIntegerField()),
                ('since_id', models.BigIntegerField()),
                ('until_id', models.BigIntegerField(default=9223372036854775807)),
                ('shop', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='merchants.shop')),
                ('partner', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='partners.partner')),
                ('cause', models.CharField(max_length=10)),
                ('merchant', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='merchants.merchant')),
                ('brand', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='merchants.brand')),
                ('brand_name', models.CharField(max_length=255, null=True)),
                ('market', models.CharField(max_length=2)),
                ('registered_at', models.DateTimeField()),
                ('certified_at', models.DateTimeField(null=True)),
                ('certified_on', models.DateField(null=True)),
                ('window_ends_on', models.DateField(null=True)),
                ('settles_by', models.DateField(null=True)),
                ('entry', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='merchants.targetentry')),
                ('track', models.CharField(choices=[('target', 'Target list'), ('directed', 'Directed invitation')], max_length=10, null=True)),
                ('entry_in_force', models.BooleanField(default=False)),
                ('entry_review', models.CharField(choices=[('pending', 'Pending'), ('approved', 'Approved'), ('rejected', 'Rejected')], max_length=10, null=True)),
                ('assigned_to', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='partners.partner')),
                ('rival', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='merchants.shop')),
                ('rival_of', models.CharField(max_length=8, null=True)),
                ('partner_certified', models.BooleanField(null=True)),
                ('link', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='partners.invitelink')),
                ('link_partner', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='partners.partner')),
                ('link_valid', models.BooleanField(null=True)),
                ('link_entry', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='merchants.targetentry')),
                ('gmv', models.DecimalField(decimal_places=16, max_digits=40, null=True)),
                ('lines', models.IntegerField(default=0)),
                ('unrated_lines', models.IntegerField(default=0)),
                ('unrated_currency', models.CharField(max_length=3, null=True)),
                ('unrated_on', models.DateField(null=True)),
                ('stock_countries', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=2), default=list, size=None)),
                ('stock_seen', models.BooleanField(default=False)),
                ('status', models.CharField(choices=[('open', 'Open'), ('restricted', 'Restricted'), ('closing', 'Closing'), ('closed', 'Closed')], max_length=10, null=True)),
                ('status_at', models.DateTimeField(null=True)),
                ('high_risk', models.BooleanField(default=False)),
                ('pk', models.CompositePrimaryKey('chain_id', 'shop_id', 'since_id', blank=True, editable=False, primary_key=True, serialize=False)),
            ],
            options={
                'verbose_name': 'frozen facts',
                'verbose_name_plural': 'frozen facts',
                'indexes': [],
                'constraints': [],
            },
        ),
        migrations.CreateModel(
            name='Judgement',
            fields=[
                ('chain_id', models.BigIntegerField()),
                ('since_id', models.BigIntegerField()),
                ('until_id', models.BigIntegerField(default=9223372036854775807)),
                ('shop', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='merchants.shop')),
                ('partner', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='partners.partner')),
                ('verdict', models.CharField(choices=[('eligible', 'Eligible'), ('pending', 'Pending'), ('needs_data', 'Needs data'), ('not_eligible', 'Not eligible')], max_length=12, verbose_name='verdict')),
                ('amount', models.DecimalField(decimal_places=2, max_digits=19, verbose_name='amount')),
                ('introduced', models.BooleanField()),
                ('high_risk', models.BooleanField()),
                ('listed', models.CharField(choices=[('met', 'Met'), ('not_met', 'Not met'), ('pending', 'Pending'), ('unknown', 'Unknown'), ('not_applicable', 'Not applicable')], max_length=14)),
                ('first_entity', models.CharField(choices=[('met', 'Met'), ('not_met', 'Not met'), ('pending', 'Pending'), ('unknown', 'Unknown'), ('not_applicable', 'Not applicable')], max_length=14)),
                ('partner_certified', models.CharField(choices=[('met', 'Met'), ('not_met', 'Not met'), ('pending', 'Pending'), ('unknown', 'Unknown'), ('not_applicable', 'Not applicable')], max_length=14)),
                ('exclusive_link', models.CharField(choices=[('met', 'Met'), ('not_met', 'Not met'), ('pending', 'Pending'), ('unknown', 'Unknown'), ('not_applicable', 'Not applicable')], max_length=14)),
                ('onboarded', models.CharField(choices=[('met', 'Met'), ('not_met', 'Not met'), ('pending', 'Pending'), ('unknown', 'Unknown'), ('not_applicable', 'Not applicable')], max_length=14)),
                ('activated', models.CharField(choices=[('met', 'Met'), ('not_met', 'Not met'), ('pending', 'Pending'), ('unknown', 'Unknown'), ('not_applicable', 'Not applicable')], max_length=14)),
                ('stocked', models.CharField(choices=[('met', 'Met'), ('not_met', 'Not met'), ('pending', 'Pending'), ('unknown', 'Unknown'), ('not_applicable', 'Not applicable')], max_length=14)),
                ('shop_normal', models.CharField(choices=[('met', 'Met'), ('not_met', 'Not met'), ('pending', 'Pending'), ('unknown', 'Unknown'), ('not_applicable', 'Not applicable')], max_length=14)),
                ('fingerprint', models.BinaryField(max_length=32)),
                ('pk', models.CompositePrimaryKey('chain_id', 'shop_id', 'since_id', blank=True, editable=False, primary_key=True, serialize=False)),
            ],
            options={
                'verbose_name': 'judgement',
                'verbose_name_plural': 'judgements',
                'indexes': [models.Index(fields=['chain_id', 'partner', 'verdict'], name='judgement_of_partner')],
                'constraints': [],
            },
        ),
        migrations.CreateModel(
            name='Reached',
            fields=[
                ('pk', models.CompositePrimaryKey('run_id', 'shop_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('run_id', models.BigIntegerField()),
                ('shop', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='merchants.shop')),
            ],
            options={
                'verbose_name': 'reached shop',
                'verbose_name_plural': 'reached shops',
                'indexes': [],
                'constraints': [],
            },
        ),
        migrations.CreateModel(
            name='FirstEntity',
            fields=[
                ('chain_id', models.BigIntegerField()),
                ('since_id', models.BigIntegerField()),
                ('until_id', models.BigIntegerField(default=9223372036854775807)),
                ('pk', models.CompositePrimaryKey('chain_id', 'scope', 'key', 'since_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('scope', models.CharField(max_length=8)),
                ('key', models.BigIntegerField()),
                ('shop', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='merchants.shop')),
                ('shop_code', core.models.CodeField(db_collation='C', max_length=64)),
                ('certified_at', models.DateTimeField()),
            ],
            options={
                'verbose_name': 'first entity',
                'verbose_name_plural': 'first entities',
                'indexes': [],
                'constraints': [],
            },
        ),
        migrations.RunSQL(MOVE),
        migrations.CreateModel(
            name='FrozenShop',
            fields=[
                ('shop', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='merchants.shop')),
                ('partner', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='partners.partner')),
                ('cause', models.CharField(max_length=10)),
                ('merchant', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='merchants.merchant')),
                ('brand', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='merchants.brand')),
                ('brand_name', models.CharField(max_length=255, null=True)),
                ('market', models.CharField(max_length=2)),
                ('registered_at', models.DateTimeField()),
                ('certified_at', models.DateTimeField(null=True)),
                ('certified_on', models.DateField(null=True)),
                ('window_ends_on', models.DateField(null=True)),
                ('settles_by', models.DateField(null=True)),
                ('entry', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='merchants.targetentry')),
                ('track', models.CharField(choices=[('target', 'Target list'), ('directed', 'Directed invitation')], max_length=10, null=True)),
                ('entry_in_force', models.BooleanField(default=False)),
                ('entry_review', models.CharField(choices=[('pending', 'Pending'), ('approved', 'Approved'), ('rejected', 'Rejected')], max_length=10, null=True)),
                ('assigned_to', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='partners.partner')),
                ('rival', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='merchants.shop')),
                ('rival_of', models.CharField(max_length=8, null=True)),
                ('partner_certified', models.BooleanField(null=True)),
                ('link', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='partners.invitelink')),
                ('link_partner', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='partners.partner')),
                ('link_valid', models.BooleanField(null=True)),
                ('link_entry', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='merchants.targetentry')),
                ('gmv', models.DecimalField(decimal_places=16, max_digits=40, null=True)),
                ('lines', models.IntegerField(default=0)),
                ('unrated_lines', models.IntegerField(default=0)),
                ('unrated_currency', models.CharField(max_length=3, null=True)),
                ('unrated_on', models.DateField(null=True)),
                ('stock_countries', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=2), default=list, size=None)),
                ('stock_seen', models.BooleanField(default=False)),
                ('status', models.CharField(choices=[('open', 'Open'), ('restricted', 'Restricted'), ('closing', 'Closing'), ('closed', 'Closed')], max_length=10, null=True)),
                ('status_at', models.DateTimeField(null=True)),
                ('high_risk', models.BooleanField(default=False)),
                ('pk', models.CompositePrimaryKey('run_id', 'shop_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.DO_NOTHING, related_name='frozen', to='incentives.run')),
            ],
            options={
                'verbose_name': 'frozen facts of a run',
                'verbose_name_plural': 'frozen facts of a run',
                'managed': False,
                'indexes': [],
                'constraints': [],
            },
        ),
        migrations.CreateModel(
            name='Result',
            fields=[
                ('partner', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='partners.partner')),
                ('verdict', models.CharField(choices=[('eligible', 'Eligible'), ('pending', 'Pending'), ('needs_data', 'Needs data'), ('not_eligible', 'Not eligible')], max_length=12, verbose_name='verdict')),
                ('amount', models.DecimalField(decimal_places=2, max_digits=19, verbose_name='amount')),
                ('introduced', models.BooleanField()),
                ('high_risk', models.BooleanField()),
                ('listed', models.CharField(choices=[('met', 'Met'), ('not_met', 'Not met'), ('pending', 'Pending'), ('unknown', 'Unknown'), ('not_applicable', 'Not applicable')], max_length=14)),
                ('first_entity', models.CharField(choices=[('met', 'Met'), ('not_met', 'Not met'), ('pending', 'Pending'), ('unknown', 'Unknown'), ('not_applicable', 'Not applicable')], max_length=14)),
                ('partner_certified', models.CharField(choices=[('met', 'Met'), ('not_met', 'Not met'), ('pending', 'Pending'), ('unknown', 'Unknown'), ('not_applicable', 'Not applicable')], max_length=14)),
                ('exclusive_link', models.CharField(choices=[('met', 'Met'), ('not_met', 'Not met'), ('pending', 'Pending'), ('unknown', 'Unknown'), ('not_applicable', 'Not applicable')], max_length=14)),
                ('onboarded', models.CharField(choices=[('met', 'Met'), ('not_met', 'Not met'), ('pending', 'Pending'), ('unknown', 'Unknown'), ('not_applicable', 'Not applicable')], max_length=14)),
                ('activated', models.CharField(choices=[('met', 'Met'), ('not_met', 'Not met'), ('pending', 'Pending'), ('unknown', 'Unknown'), ('not_applicable', 'Not applicable')], max_length=14)),
                ('stocked', models.CharField(choices=[('met', 'Met'), ('not_met', 'Not met'), ('pending', 'Pending'), ('unknown', 'Unknown'), ('not_applicable', 'Not applicable')], max_length=14)),
                ('shop_normal', models.CharField(choices=[('met', 'Met'), ('not_met', 'Not met'), ('pending', 'Pending'), ('unknown', 'Unknown'), ('not_applicable', 'Not applicable')], max_length=14)),
                ('fingerprint', models.BinaryField(max_length=32)),
                ('pk', models.CompositePrimaryKey('run_id', 'shop_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.DO_NOTHING, related_name='results', to='incentives.run')),
                ('shop', models.ForeignKey(on_delete=django.db.models.deletion.DO_NOTHING, related_name='results', to='merchants.shop')),
            ],
            options={
                'verbose_name': 'result',
                'verbose_name_plural': 'results',
                'managed': False,
                'indexes': [],
                'constraints': [],
            },
        ),
        migrations.RunSQL(VIEWS),
    ]

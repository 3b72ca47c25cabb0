import django.db.models.deletion
import partners.models.applications
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('merchants', '0005_claims_released'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='import',
            name='mapping',
            field=models.JSONField(blank=True, default=list, verbose_name='columns as they were mapped'),
        ),
        migrations.CreateModel(
            name='FeedUpload',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('partners', 'Partners'), ('targets', 'Target entries'), ('invites', 'Invite links'), ('claims', 'Claims'), ('shops', 'Shops'), ('shop_statuses', 'Shop statuses'), ('settlements', 'Settlements'), ('stock', 'Stock'), ('violations', 'Violations'), ('fx', 'Exchange rates')], max_length=20, verbose_name='feed')),
                ('state', models.CharField(choices=[('kept', 'Not loaded yet'), ('queued', 'Waiting for a worker'), ('loading', 'Loading'), ('loaded', 'Loaded'), ('failed', 'Not loaded: refused'), ('dropped', 'Thrown away')], default='kept', max_length=10, verbose_name='state')),
                ('name', models.CharField(max_length=200, verbose_name='file')),
                ('size', models.BigIntegerField(verbose_name='bytes')),
                ('sha256', models.CharField(max_length=64, verbose_name='fingerprint')),
                ('content', models.FileField(blank=True, max_length=200, storage=partners.models.applications.private_files, upload_to='', verbose_name='content')),
                ('preview', models.JSONField(blank=True, default=dict, verbose_name='preview')),
                ('total', models.BigIntegerField(blank=True, null=True, verbose_name='rows')),
                ('mapping', models.JSONField(blank=True, default=list, verbose_name='columns as they were mapped')),
                ('strict', models.BooleanField(default=False, verbose_name='strict')),
                ('uploaded_at', models.DateTimeField(verbose_name='uploaded')),
                ('moved_at', models.DateTimeField(verbose_name='last step')),
                ('tries', models.PositiveIntegerField(default=0, verbose_name='tries')),
                ('error', models.TextField(blank=True, verbose_name='error')),
                ('asked_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('import_of', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='upload', to='merchants.import')),
                ('uploaded_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'feed upload',
                'verbose_name_plural': 'feed uploads',
                'indexes': [models.Index(condition=models.Q(('state__in', ['kept', 'queued', 'loading'])), fields=['moved_at'], name='feed_upload_open')],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['kept', 'dropped']), ('asked_by__isnull', False), _connector='OR'), name='feed_upload_load_was_asked')],
            },
        ),
    ]

"""A feed's file between the page that took it and the worker that loads it."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.models import User
from merchants.feed_querysets import FeedUploadQuerySet
from merchants.models.imports import Import
from merchants.states import FeedKind, UploadState
from partners.models.applications import private_files


class FeedUpload(models.Model):
    """One file that was handed in: kept privately until it is loaded or thrown away, and no longer.

    `preview` is what `merchants.imports.preview` found, `total` the rows that it counted (null where that would
    have taken too long), `mapping` what a person said of its headings (see Import). Both file and preview may name
    people: they go when the file is done with. `moved_at` is when `state` last changed. `import_of` is the load,
    from its first moment on.
    """

    kind = models.CharField(_("feed"), max_length=20, choices=FeedKind)
    state = models.CharField(_("state"), max_length=10, choices=UploadState, default=UploadState.KEPT)
    name = models.CharField(_("file"), max_length=200)
    size = models.BigIntegerField(_("bytes"))
    sha256 = models.CharField(_("fingerprint"), max_length=64)
    content = models.FileField(_("content"), storage=private_files, max_length=200, blank=True)
    preview = models.JSONField(_("preview"), default=dict, blank=True)
    total = models.BigIntegerField(_("rows"), null=True, blank=True)
    mapping = models.JSONField(_("columns as they were mapped"), default=list, blank=True)
    strict = models.BooleanField(_("strict"), default=False)
    uploaded_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField(_("uploaded"))
    asked_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    moved_at = models.DateTimeField(_("last step"))
    tries = models.PositiveIntegerField(_("tries"), default=0)
    import_of = models.OneToOneField(Import, models.PROTECT, null=True, blank=True, related_name="upload")
    error = models.TextField(_("error"), blank=True)

    objects = FeedUploadQuerySet.as_manager()

    class Meta:
        verbose_name = _("feed upload")
        verbose_name_plural = _("feed uploads")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state__in=[UploadState.KEPT, UploadState.DROPPED]) | Q(asked_by__isnull=False),
                name="feed_upload_load_was_asked",
            ),
        ]
        indexes: ClassVar = [
            # The sweep, and the list's own short queue: uploads that are not done with.
            models.Index(
                fields=["moved_at"],
                name="feed_upload_open",
                condition=Q(state__in=[UploadState.KEPT, UploadState.QUEUED, UploadState.LOADING]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"

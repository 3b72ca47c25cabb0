"""Imports: what a feed file brought, and the rows that it could not."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.models import FactBatch, User
from core.triggers import no_truncate
from merchants.feed_querysets import ImportQuerySet
from merchants.states import FeedKind, ImportState


class Import(models.Model):
    """One load of one feed file. It exists from the load's first moment, so that a failed one leaves a trace.

    `columns` are the feed's or the file's own; `mapping` is what a person said of a file whose headings were others:
    pairs of a heading and the feed's column, empty where it was left out.
    `batch` is the batch of facts that it landed; `rows = new + unchanged + updated + rejected` once landed.
    """

    kind = models.CharField(_("feed"), max_length=20, choices=FeedKind)
    state = models.CharField(_("state"), max_length=10, choices=ImportState, default=ImportState.RUNNING)
    batch = models.OneToOneField(FactBatch, models.PROTECT, null=True, related_name="import_of")
    file_name = models.CharField(_("file"), max_length=255)
    sha256 = models.CharField(_("fingerprint"), max_length=64)
    size = models.BigIntegerField(_("bytes"))
    strict = models.BooleanField(_("strict"), default=False)
    actor = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    started_at = models.DateTimeField(_("started"))
    finished_at = models.DateTimeField(_("finished"), null=True)
    rows = models.BigIntegerField(_("rows"), default=0)
    new = models.BigIntegerField(_("new"), default=0)
    unchanged = models.BigIntegerField(_("unchanged"), default=0)
    updated = models.BigIntegerField(_("updated"), default=0)
    rejected = models.BigIntegerField(_("rejected"), default=0)
    columns = models.JSONField(_("columns"), default=list)
    ignored_columns = models.JSONField(_("columns not known"), default=list)
    mapping = models.JSONField(_("columns as they were mapped"), default=list, blank=True)
    error = models.TextField(_("error"), blank=True)

    objects = ImportQuerySet.as_manager()

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(state=ImportState.LANDED)
                | Q(rows=models.F("new") + models.F("unchanged") + models.F("updated") + models.F("rejected")),
                name="import_counts_add_up",
            ),
            models.CheckConstraint(
                condition=~Q(state=ImportState.LANDED) | Q(batch__isnull=False),
                name="import_landed_has_a_batch",
            ),
        ]
        triggers: ClassVar = [no_truncate()]

    def __str__(self) -> str:
        return f"{self.kind} {self.file_name}"


class RejectedRow(models.Model):
    """A row in quarantine: where, what is wrong, and the row as it came. Erasable: it may name people."""

    import_of = models.ForeignKey(Import, models.CASCADE, related_name="rejected_rows")
    line = models.BigIntegerField(_("line"))
    column = models.CharField(_("column"), max_length=64, blank=True)
    code = models.CharField(_("code"), max_length=40)
    message = models.TextField(_("message"))
    cells = models.JSONField(_("cells"))

    class Meta:
        verbose_name = _("rejected row")
        verbose_name_plural = _("rejected rows")

    def __str__(self) -> str:
        return f"{self.line}: {self.code}"

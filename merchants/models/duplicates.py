"""Entries of a list that look like one: what they are compared by, and what was decided on each pair."""

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.models import Note, Program
from core.triggers import frozen, legal_transitions, no_delete
from merchants.models.lists import TargetEntry
from merchants.querysets import EntryPairQuerySet
from merchants.states import PAIR_TRANSITIONS, PairState


class EntryName(models.Model):
    """An entry's name and brand as they are compared (`merchants.searching.trigram_key`), and that they were.

    An entry without such a row, or with another `given` name than the list has, is still to be compared.
    """

    entry = models.OneToOneField(TargetEntry, models.PROTECT, primary_key=True, related_name="compared")
    program = models.ForeignKey(Program, models.PROTECT, related_name="+")
    given = models.CharField(_("name as given"), max_length=255, blank=True)
    name = models.CharField(_("compared name"), max_length=600, blank=True)
    brand = models.CharField(_("compared brand"), max_length=600, blank=True)

    class Meta:
        verbose_name = _("compared name")
        verbose_name_plural = _("compared names")
        indexes: ClassVar = [
            GinIndex(OpClass("name", name="gin_trgm_ops"), name="entryname_name_parts"),
            GinIndex(OpClass("brand", name="gin_trgm_ops"), name="entryname_brand_parts"),
        ]

    def __str__(self) -> str:
        return self.name or self.brand


class EntryPair(models.Model):
    """Two entries of one list that may be the same. A pair is found once; what was decided on it stays.

    `first` is the older entry. `names` and `brands` say how alike those are, in per cent; `one_merchant`: both name the
    same registration number. `rejected` is the one that was taken off as the other's duplicate.
    """

    program = models.ForeignKey(Program, models.PROTECT, related_name="+")
    first = models.ForeignKey(TargetEntry, models.PROTECT, related_name="+")
    second = models.ForeignKey(TargetEntry, models.PROTECT, related_name="pairs")
    names = models.PositiveSmallIntegerField(_("names alike, in per cent"))
    brands = models.PositiveSmallIntegerField(_("brands alike, in per cent"))
    one_merchant = models.BooleanField(_("one registration number"))
    found_at = models.DateTimeField(_("found"))
    state = models.CharField(_("state"), max_length=10, choices=PairState, default=PairState.OPEN)
    rejected = models.ForeignKey(TargetEntry, models.PROTECT, null=True, blank=True, related_name="+")
    reason = models.ForeignKey(Note, models.PROTECT, null=True, blank=True, related_name="+")
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("decided by")
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)

    objects = EntryPairQuerySet.as_manager()

    class Meta:
        verbose_name = _("possible duplicate")
        verbose_name_plural = _("possible duplicates")
        indexes: ClassVar = [
            models.Index(fields=["program", "-names"], condition=Q(state=PairState.OPEN), name="pair_open")
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["first", "second"], name="pair_once"),
            models.CheckConstraint(condition=Q(first__lt=F("second")), name="pair_older_first"),
            models.CheckConstraint(condition=Q(names__lte=100, brands__lte=100), name="pair_in_per_cent"),
            models.CheckConstraint(
                condition=Q(state=PairState.OPEN, decided_at=None)
                | (~Q(state=PairState.OPEN) & Q(decided_at__isnull=False)),
                name="pair_decided_at_some_time",
            ),
            models.CheckConstraint(
                condition=Q(state=PairState.REJECTED, rejected__isnull=False)
                | (~Q(state=PairState.REJECTED) & Q(rejected=None)),
                name="pair_rejects_one",
            ),
        ]
        triggers: ClassVar = [
            frozen("program_id", "first_id", "second_id", "found_at"),
            *legal_transitions(PAIR_TRANSITIONS, version=None),
            *no_delete(),
        ]

    def __str__(self) -> str:
        return f"{self.first_id} = {self.second_id}?"

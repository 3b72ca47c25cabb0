"""A policy draft (政策草案): the next version of a program's rules while people still work on it."""

from functools import cached_property
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.models import PolicyVersion, Program, User
from core.policy import Policy
from core.triggers import append_only, frozen, no_delete


class DraftState(models.TextChoices):
    """What became of a draft."""

    OPEN = "open", _("Being worked on")
    PUBLISHED = "published", _("Published")
    DROPPED = "dropped", _("Thrown away")


class PolicyDraft(models.Model):
    """What the next version shall say. A program has one open draft at a time.

    `based_on` is the version that was in force when it was last edited, `revision` counts the edits: who publishes
    names the one that she has read. `published_as` is the version that came of it.
    """

    program = models.ForeignKey(Program, models.PROTECT, related_name="drafts")
    state = models.CharField(_("state"), max_length=10, choices=DraftState, default=DraftState.OPEN)
    document = models.JSONField(_("document"))
    based_on = models.ForeignKey(PolicyVersion, models.PROTECT, related_name="+")
    revision = models.PositiveIntegerField(_("revision"), default=1)
    published_as = models.OneToOneField(
        PolicyVersion, models.PROTECT, null=True, blank=True, related_name="published_draft"
    )

    class Meta:
        verbose_name = _("policy draft")
        verbose_name_plural = _("policy drafts")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["program"], condition=Q(state="open"), name="policy_draft_one_open"),
            models.CheckConstraint(
                condition=Q(state="published", published_as__isnull=False)
                | (~Q(state="published") & Q(published_as=None)),
                name="policy_draft_published_as_a_version",
            ),
            models.CheckConstraint(condition=Q(revision__gte=1), name="policy_draft_revision_from_one"),
        ]
        triggers: ClassVar = [frozen("id", "program_id"), *no_delete()]

    def __str__(self) -> str:
        return f"{self.program} draft {self.pk}"

    @cached_property
    def rules(self) -> Policy:
        """The document, parsed."""
        return Policy.parse(self.document)

    def was_edited_by(self, user_id: int | None) -> bool:
        """Whether any of it is this person's: then she doesn't publish it. One query."""
        return bool(self.edits.filter(by=user_id).exists())


class PolicyDraftEdit(models.Model):
    """Who wrote a revision of a draft, and when. Nobody publishes a draft that they have edited."""

    draft = models.ForeignKey(PolicyDraft, models.PROTECT, related_name="edits")
    revision = models.PositiveIntegerField(_("revision"))
    fingerprint = models.CharField(_("fingerprint"), max_length=64)
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("edit of a policy draft")
        verbose_name_plural = _("edits of policy drafts")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["draft", "revision"], name="policy_draft_revision_once"),
        ]
        triggers: ClassVar = append_only()

    def __str__(self) -> str:
        return f"{self.draft} r{self.revision}"

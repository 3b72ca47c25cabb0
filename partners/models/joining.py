"""That a partner takes part in a program, by the rules of which version; and colleagues who are asked to join it."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.models import PolicyVersion, Program, User
from core.triggers import append_only, frozen
from partners.models.organisations import Partner
from partners.querysets import InvitationQuerySet, JoiningQuerySet
from partners.states import MemberRole


class Joining(models.Model):
    """A partner's acceptance of one policy version, and its commitment. The latest one in a program rules."""

    partner = models.ForeignKey(Partner, models.PROTECT, related_name="joinings")
    program = models.ForeignKey(Program, models.PROTECT, related_name="joinings")
    policy = models.ForeignKey(PolicyVersion, models.PROTECT, related_name="joinings")
    commitment = models.PositiveIntegerField(_("commitment"))
    accepted_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("accepted by"))
    accepted_at = models.DateTimeField(_("accepted"))

    objects = JoiningQuerySet.as_manager()

    class Meta:
        verbose_name = _("joining")
        verbose_name_plural = _("joinings")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["partner", "policy"], name="joining_version_once"),
            models.CheckConstraint(condition=Q(commitment__gte=1), name="joining_commits_to_something"),
        ]
        indexes: ClassVar = [models.Index(fields=["program", "partner"], name="joining_program")]
        triggers: ClassVar = append_only()

    def __str__(self) -> str:
        return f"{self.partner_id}: {self.policy_id}"


class Invitation(models.Model):
    """A colleague who is asked by mail to join a partner's team. Of the token only its hash is kept.

    The address is the only thing here that names somebody; it is emptied when the person asks to be forgotten.
    """

    partner = models.ForeignKey(Partner, models.PROTECT, related_name="invitations")
    email = models.EmailField(_("e-mail"), blank=True)
    role = models.CharField(_("role"), max_length=10, choices=MemberRole)
    token_hash = models.CharField(_("token's fingerprint"), max_length=64, unique=True)
    invited_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("invited by"))
    created_at = models.DateTimeField(_("invited"))
    expires_at = models.DateTimeField(_("expires"))
    accepted_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", verbose_name=_("accepted by"))
    accepted_at = models.DateTimeField(_("accepted"), null=True)
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(created_at__lt=F("expires_at")), name="invitation_lasts"),
            models.CheckConstraint(condition=Q(role__in=MemberRole.values), name="invitation_role_known"),
            models.CheckConstraint(
                condition=Q(accepted_at=None) | Q(withdrawn_at=None), name="invitation_accepted_or_withdrawn"
            ),
            models.CheckConstraint(
                condition=Q(accepted_at=None, accepted_by=None)
                | Q(accepted_at__isnull=False, accepted_by__isnull=False),
                name="invitation_accepted_by_somebody",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["partner", "-id"], name="invitation_of_partner")]
        triggers: ClassVar = [frozen("partner_id", "role", "token_hash", "invited_by_id", "created_at", "expires_at")]

    def __str__(self) -> str:
        return f"{self.partner_id}: {self.role}"

"""The only way from a view to a partner's rows."""

from typing import Self

from django.db import models

from core.actors import Actor, Capability
from partners.states import MemberRole


class ScopedQuerySet(models.QuerySet):  # type: ignore[type-arg]  # the model is each subclass's own
    """Rows that belong to a partner, named by `partner_path`; what an actor may see of them."""

    partner_path = "partner"

    def visible_to(self, actor: Actor) -> Self:
        """All rows for operators, the own organisations' rows for partners, none for anybody else."""
        if actor.can(Capability.VIEW_EVERYTHING):
            return self
        if actor.can(Capability.VIEW_OWN):
            return self.filter(**{f"{self.partner_path}__in": sorted(actor.partner_ids)})
        return self.none()


class PartnerQuerySet(ScopedQuerySet):
    """Partners."""

    partner_path = "pk"


class InviteLinkQuerySet(ScopedQuerySet):
    """Invite links."""


def own_or_submitted(actor: Actor, path: str = "") -> models.Q:
    """Which applications an actor may see; `path` leads to them.

    The applicant's until it is certified, from then on its organisation's owners'; operators' once it was submitted.
    """
    mine = models.Q(**{f"{path}applicant": actor.user_id, f"{path}partner": None})
    became = models.Q(
        **{
            f"{path}partner__memberships__user": actor.user_id,
            f"{path}partner__memberships__role": MemberRole.OWNER,
        }
    )
    if actor.can(Capability.VIEW_EVERYTHING):
        return models.Q(**{f"{path}submitted_at__isnull": False}) | mine
    return mine | became


class ApplicationQuerySet(models.QuerySet):  # type: ignore[type-arg]  # its model imports this
    """Applications for certification."""

    def visible_to(self, actor: Actor) -> Self:
        """See `own_or_submitted`; nothing for a stranger."""
        return self.filter(own_or_submitted(actor)).distinct() if actor.user_id is not None else self.none()


class ApplicationFileQuerySet(models.QuerySet):  # type: ignore[type-arg]  # its model imports this
    """Their files."""

    def visible_to(self, actor: Actor) -> Self:
        """As their applications."""
        if actor.user_id is None:
            return self.none()
        return self.filter(own_or_submitted(actor, "application__")).distinct()


class JoiningQuerySet(ScopedQuerySet):
    """In which programs partners take part."""


class PayeeQuerySet(models.QuerySet):  # type: ignore[type-arg]  # its model imports this
    """Where partners' money goes."""

    def visible_to(self, actor: Actor) -> Self:
        """All for operators, the own organisation's for its owners and members; a viewer doesn't see its account."""
        if actor.can(Capability.VIEW_EVERYTHING):
            return self
        if actor.user_id is None or not actor.can(Capability.VIEW_OWN):
            return self.none()
        # One membership for a partner and a person: the join gives no row twice.
        return self.filter(
            partner__memberships__user=actor.user_id,
            partner__memberships__role__in=[MemberRole.OWNER, MemberRole.MEMBER],
        )


class InvitationQuerySet(ScopedQuerySet):
    """Colleagues who are asked to join."""

"""The only way from a view to a partner's rows."""

from typing import Self

from django.db import models

from core.actors import Actor, Capability


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

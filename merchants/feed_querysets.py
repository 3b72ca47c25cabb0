"""The only way from a view to imports and to the files that were handed in."""

from typing import Self

from django.db.models import Q, QuerySet

from core.actors import Actor, Capability
from merchants.states import ImportState


class OperatorsQuerySet(QuerySet):  # type: ignore[type-arg]  # the model is each subclass's own
    """Rows of the marketplace's own work: a file holds every partner's rows, so no partner sees any."""

    def visible_to(self, actor: Actor) -> Self:
        """All for operators, none for anybody else."""
        return self if actor.can(Capability.VIEW_EVERYTHING) else self.none()


class ImportQuerySet(OperatorsQuerySet):
    """Imports."""

    def troubled(self) -> Self:
        """Those that set rows aside, or recorded nothing."""
        return self.filter(Q(rejected__gt=0) | Q(state__in=[ImportState.REFUSED, ImportState.FAILED]))


class FeedUploadQuerySet(OperatorsQuerySet):
    """Files of feeds that were handed in on a page."""

"""The only way from a view to what was computed and paid."""

from typing import Self

from django.db import models

from core.actors import Actor, Capability
from partners.querysets import ScopedQuerySet


class RunQuerySet(models.QuerySet):  # type: ignore[type-arg]  # models import this module
    """Runs."""

    def visible_to(self, actor: Actor) -> Self:
        """Operators see every run; partners see runs only through their own results."""
        return self if actor.can(Capability.VIEW_EVERYTHING) else self.none()

    def published(self) -> Self:
        """Finished official runs: the ones whose figures anybody is shown."""
        return self.filter(state="finished", kind="official")


class ResultQuerySet(ScopedQuerySet):
    """Results, by the partner that the run attributed the shop to."""


class InvoiceQuerySet(ScopedQuerySet):
    """Invoices."""


class PreviewQuerySet(ScopedQuerySet):
    """Payout previews."""


class PayoutQuerySet(ScopedQuerySet):
    """Payouts."""

    def in_life(self) -> Self:
        """Those that still count: one for a partner and a program."""
        from incentives.states import IN_LIFE

        return self.filter(state__in=IN_LIFE)

"""What happens to an invite link: it is extended, visited, and asked for too often."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.models import FactBatch
from core.triggers import append_only
from partners.models.organisations import InviteLink


class LinkExtension(models.Model):
    """The fact that a link's expiry was put off. `InviteLink.expires_at` is the latest one's."""

    link = models.ForeignKey(InviteLink, models.PROTECT, related_name="extensions")
    expires_before = models.DateTimeField(_("expired before"))
    expires_at = models.DateTimeField(_("expires"))
    batch = models.ForeignKey(FactBatch, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("link extension")
        verbose_name_plural = _("link extensions")
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(expires_at__gt=models.F("expires_before")), name="extension_puts_off")
        ]
        triggers: ClassVar = append_only()

    def __str__(self) -> str:
        return f"{self.link_id} → {self.expires_at:%Y-%m-%d %H:%M}"


class LinkVisits(models.Model):
    """How often a link's page was opened on a day of the platform's time zone. A count: who came is not kept."""

    link = models.ForeignKey(InviteLink, models.CASCADE, related_name="visits")
    day = models.DateField(_("day"))
    visits = models.PositiveIntegerField(_("visits"), default=0)

    class Meta:
        verbose_name = _("visits of a link")
        verbose_name_plural = _("visits of links")
        constraints: ClassVar = [models.UniqueConstraint(fields=["link", "day"], name="visits_once_a_day")]

    def __str__(self) -> str:
        return f"{self.link_id} {self.day}: {self.visits}"


class RateCount(models.Model):
    """How often something was asked for in one span of time, so that it can be enough (`partners.rates`).

    `key` is a keyed hash: neither an address nor a link's code can be read from it.
    """

    key = models.CharField(_("key"), max_length=64, db_collation="C")
    span = models.BigIntegerField(_("span"))
    ends_at = models.DateTimeField(_("ends"), db_index=True)
    count = models.PositiveIntegerField(_("count"), default=0)

    class Meta:
        verbose_name = _("rate count")
        verbose_name_plural = _("rate counts")
        constraints: ClassVar = [models.UniqueConstraint(fields=["key", "span"], name="rate_once_a_span")]

    def __str__(self) -> str:
        return f"{self.key[:8]} {self.span}: {self.count}"

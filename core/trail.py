"""The audit trail to read: narrowed, page by page, and as a table to take along."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import django_filters
from django import forms
from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.actors import Actor, Capability
from core.models import AuditEvent

COLUMNS = ("id", "at", "actor_id", "acting_as", "action", "kind", "subject", "details", "request", "hash")


def trail(actor: Actor) -> QuerySet[AuditEvent]:
    """The rows that somebody may read, the newest first: all for operators, none for others."""
    rows = AuditEvent.objects.select_related("actor").order_by("-pk")
    return rows if actor.can(Capability.VIEW_EVERYTHING) else rows.none()


def _day() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"})


class TrailFilter(django_filters.FilterSet):  # type: ignore[misc]  # untyped
    """What the trail is narrowed by. Days are the platform's.

    `action` finds a whole area too (`payout`); `subject` is a kind with or without its id (`incentives.payout 7`);
    `who` is a person's id, name or address, or what the system calls itself.
    """

    action = django_filters.CharFilter(label=_("Action"), method="of_action")
    subject = django_filters.CharFilter(label=_("Subject"), method="of_subject")
    who = django_filters.CharFilter(label=_("Who"), method="by")
    since = django_filters.DateFilter(label=_("From"), method="from_day", widget=_day())
    until = django_filters.DateFilter(label=pgettext_lazy("day", "To"), method="to_day", widget=_day())

    class Meta:
        model = AuditEvent
        fields: Sequence[str] = ()

    def of_action(self, rows: QuerySet[AuditEvent], _name: str, value: str) -> QuerySet[AuditEvent]:
        """Index audit_action."""
        return rows.filter(Q(action=value) | Q(action__startswith=f"{value.removesuffix('.')}."))

    def of_subject(self, rows: QuerySet[AuditEvent], _name: str, value: str) -> QuerySet[AuditEvent]:
        """Index audit_subject."""
        kind, _space, ident = value.strip().lower().partition(" ")
        rows = rows.filter(Q(subject_type=kind) | Q(subject_type__endswith=f".{kind}"))
        return rows.filter(subject_id=ident.strip()) if ident.strip() else rows

    def by(self, rows: QuerySet[AuditEvent], _name: str, value: str) -> QuerySet[AuditEvent]:
        """A person or a part of the system."""
        if value.isascii() and value.isdecimal() and len(value) < 19:
            return rows.filter(actor=int(value))
        found = Q(actor__name__icontains=value) | Q(actor__email__iexact=value) | Q(actor_label__iexact=value)
        return rows.filter(found)

    def from_day(self, rows: QuerySet[AuditEvent], _name: str, value: date) -> QuerySet[AuditEvent]:
        """From the day's first instant on."""
        return rows.filter(at__gte=_start(value))

    def to_day(self, rows: QuerySet[AuditEvent], _name: str, value: date) -> QuerySet[AuditEvent]:
        """To the day's last."""
        return rows.filter(at__lt=_start(value + timedelta(days=1)))


def as_rows(events: QuerySet[AuditEvent]) -> Iterator[Sequence[Any]]:
    """The trail as `COLUMNS` name it: people by id, as the trail has them."""
    for event in events.iterator(chunk_size=2000):
        yield (
            event.pk,
            event.at,
            event.actor_id,
            event.actor_label,
            event.action,
            event.subject_type,
            event.subject_id,
            ", ".join(f"{key}={value}" for key, value in event.details.items()),
            event.request_id,
            event.hash,
        )


def _start(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=ZoneInfo(settings.PLATFORM_TIME_ZONE))

"""Applications for a list: those that wait, who has them, for how long; as a table to take along, too."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import django_filters
from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.actors import Actor, Capability
from partners.models import Application
from partners.pages import actor_for
from partners.states import ApplicationState, Category

COLUMNS = (
    "id",
    "name",
    "category",
    "country",
    "registration_no",
    "state",
    "submitted_at",
    "reviewer_id",
    "decided_at",
    "partner_code",
)
# How each sorting is asked for, and what it sorts by; the first is the list's own.
SORTS: dict[str, tuple[str, ...]] = {
    "oldest": ("submitted_at", "pk"),
    "newest": ("-submitted_at", "-pk"),
    "name": ("name", "pk"),
    "changed": ("-changed_at", "-pk"),
}


def applications(actor: Actor) -> QuerySet[Application]:
    """Every application that was submitted, the one that has waited longest first; none for whoever is no operator."""
    rows: QuerySet[Application] = Application.objects.visible_to(actor).filter(submitted_at__isnull=False)
    rows = rows if actor.can(Capability.VIEW_EVERYTHING) else rows.none()
    return rows.select_related("reviewer", "partner").order_by(*SORTS["oldest"])


def waits_for(actor: Actor) -> Q:
    """Which applications wait for this person: nobody's, the own ones, and where four eyes are asked for, others' too.

    Nobody decides on what they filed themselves.
    """
    under_review = Q(state=ApplicationState.IN_REVIEW)
    if not settings.CERTIFICATION_FOUR_EYES:
        under_review &= Q(reviewer=actor.user_id)
    return (Q(state=ApplicationState.SUBMITTED) | under_review) & ~Q(applicant=actor.user_id)


class ApplicationFilter(django_filters.FilterSet):  # type: ignore[misc]  # untyped
    """What the list of applications is narrowed and sorted by. `request` says who asks."""

    q = django_filters.CharFilter(label=_("Organisation or number"), method="named")
    state = django_filters.ChoiceFilter(
        label=_("State"),
        choices=[(state.value, state.label) for state in ApplicationState if state != ApplicationState.DRAFT],
        empty_label=_("All"),
    )
    whose = django_filters.ChoiceFilter(
        label=_("Reviewer"),
        method="reviewed_by",
        choices=[
            ("todo", _("Waits for me")),
            ("me", _("Taken by me")),
            ("others", _("Taken by others")),
            ("nobody", _("Taken by nobody")),
        ],
        empty_label=_("Anybody"),
    )
    category = django_filters.ChoiceFilter(label=_("Category"), choices=Category, empty_label=_("All"))
    age = django_filters.ChoiceFilter(
        label=_("Undecided for"),
        method="undecided_for",
        choices=[("3", _("3 days or more")), ("7", _("7 days or more")), ("30", _("30 days or more"))],
        empty_label=_("Any time"),
    )
    sort = django_filters.ChoiceFilter(
        label=_("Sorted by"),
        method="sorted_by",
        choices=[("newest", _("Newest first")), ("name", _("Name")), ("changed", _("Last changed"))],
        empty_label=_("Oldest first"),
    )

    class Meta:
        model = Application
        fields: Sequence[str] = ()

    def named(self, rows: QuerySet[Application], _name: str, value: str) -> QuerySet[Application]:
        """Anywhere in the name or the registration number."""
        return rows.filter(Q(name__icontains=value.strip()) | Q(registration_no__icontains=value.strip()))

    def reviewed_by(self, rows: QuerySet[Application], _name: str, value: str) -> QuerySet[Application]:
        """By who has it."""
        actor = actor_for(self.request)
        if value == "todo":
            return rows.filter(waits_for(actor))
        if value == "nobody":
            return rows.filter(reviewer=None)
        taken = rows.exclude(reviewer=None)
        mine = Q(reviewer=actor.user_id)
        return taken.filter(mine) if value == "me" else taken.exclude(mine)

    def undecided_for(self, rows: QuerySet[Application], _name: str, value: str) -> QuerySet[Application]:
        """Submitted so many days ago, and not decided yet."""
        undecided = (ApplicationState.SUBMITTED, ApplicationState.IN_REVIEW, ApplicationState.MORE_INFORMATION)
        return rows.filter(state__in=undecided, submitted_at__lte=timezone.now() - timedelta(days=int(value)))

    def sorted_by(self, rows: QuerySet[Application], _name: str, value: str) -> QuerySet[Application]:
        """As `SORTS` say."""
        return rows.order_by(*SORTS[value])


def as_rows(found: QuerySet[Application]) -> Iterator[Sequence[Any]]:
    """The list as `COLUMNS` name it. People by id; no contact."""
    for row in found.iterator(chunk_size=2000):
        yield (
            row.pk,
            row.name,
            row.category,
            row.country,
            row.registration_no,
            row.state,
            row.submitted_at,
            row.reviewer_id,
            row.decided_at,
            row.partner.code if row.partner else None,
        )

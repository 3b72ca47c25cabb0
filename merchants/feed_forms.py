"""Forms and filters of the feeds' pages."""

from typing import Any

import django_filters
from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.actors import OPERATOR_ROLES
from core.models import User
from merchants.feed_querysets import ImportQuerySet
from merchants.imports.kinds import KINDS
from merchants.models import Import
from merchants.states import FeedKind, ImportState

TROUBLED, CLEAN = "troubled", "clean"


def _operators(request: object) -> QuerySet[User]:
    """Whoever may have loaded something: people who hold, or held, an operator's role, and are still known."""
    return (
        User.objects.filter(role_grants__role__in=[role.value for role in OPERATOR_ROLES]).distinct().order_by("name")
    )


class ImportFilter(django_filters.FilterSet):  # type: ignore[misc]  # untyped
    """What the list of imports is narrowed and sorted by."""

    kind = django_filters.ChoiceFilter(label=_("Feed"), choices=FeedKind, empty_label=_("All"))
    state = django_filters.ChoiceFilter(label=_("State"), choices=ImportState, empty_label=_("All"))
    outcome = django_filters.ChoiceFilter(
        label=_("Outcome"),
        method="by_outcome",
        choices=[(TROUBLED, _("Rows set aside, or refused")), (CLEAN, _("Every row taken"))],
        empty_label=_("All"),
    )
    who = django_filters.ModelChoiceFilter(
        "actor", label=pgettext_lazy("person", "By"), queryset=_operators, empty_label=_("Everybody")
    )
    search = django_filters.CharFilter(label=_("File or fingerprint"), method="find")
    sort = django_filters.OrderingFilter(
        label=_("Sorted by"),
        fields=(("pk", "id"), ("rows", "rows"), ("rejected", "rejected"), ("kind", "kind")),
        choices=(
            ("-id", _("Newest first")),
            ("id", _("Oldest first")),
            ("-rejected", _("Most rows set aside")),
            ("-rows", _("Most rows")),
            ("kind", _("Feed")),
        ),
        empty_label=None,
    )

    class Meta:
        model = Import
        fields = ("kind", "state", "outcome", "who", "search", "sort")

    def by_outcome(self, queryset: ImportQuerySet, name: str, value: str) -> QuerySet[Import]:
        """Those that somebody has to look at, or the others."""
        if value == TROUBLED:
            return queryset.troubled()
        return queryset.filter(state=ImportState.LANDED, rejected=0)

    def find(self, queryset: QuerySet[Import], name: str, value: str) -> QuerySet[Import]:
        """Files whose name contains what was typed, or whose fingerprint begins with it."""
        wanted = value.strip()
        return queryset.filter(Q(file_name__icontains=wanted) | Q(sha256__startswith=wanted.lower()))

    def filter_queryset(self, queryset: QuerySet[Import]) -> QuerySet[Any]:
        """The newest come first unless another order is asked for."""
        found: QuerySet[Any] = super().filter_queryset(queryset)
        return found if self.form.cleaned_data.get("sort") else found.order_by("-pk")


class UploadForm(forms.Form):
    """A feed's file, and which feed it is."""

    kind = forms.ChoiceField(label=_("Feed"))
    file = forms.FileField(
        label=_("File"),
        help_text=_("CSV, .csv.gz or XLSX (its first sheet). You see what it comes to before anything is recorded."),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.gz,.xlsx"}),
        error_messages={"required": _("Choose a file."), "empty": _("The file is empty.")},
        allow_empty_file=True,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = [(kind.value, f"{kind.label} · {kind.value}") for kind in KINDS]  # type: ignore[attr-defined]


class LoadForm(forms.Form):
    """How the file is to be loaded."""

    strict = forms.BooleanField(
        label=_("All or nothing"),
        required=False,
        help_text=_("Record nothing when any row is bad. Otherwise good rows are recorded and bad ones set aside."),
    )

"""Forms and filters of the runs' pages."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import django_filters
from django import forms
from django.utils.translation import gettext_lazy as _

from core.models import Program
from core.policy import Policy
from incentives.models import Run
from incentives.states import RunKind, RunState


class RunFilter(django_filters.FilterSet):  # type: ignore[misc]  # untyped
    """What the history of runs is narrowed by."""

    program = django_filters.ModelChoiceFilter(
        label=_("Program"), queryset=Program.objects.order_by("code"), to_field_name="code", empty_label=_("All")
    )
    state = django_filters.ChoiceFilter(label=_("State"), choices=RunState, empty_label=_("All"))
    kind = django_filters.ChoiceFilter(label=_("Kind"), choices=RunKind, empty_label=_("All"))

    class Meta:
        model = Run
        fields = ("program", "state", "kind")


class StartForm(forms.Form):
    """Which program to judge, as of when, and whether from nothing."""

    program = forms.ChoiceField(label=_("Program"))
    as_of = forms.DateTimeField(
        label=_("As of"),
        required=False,
        help_text=_("Leave empty for now. On the program's own clock."),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local", "step": "1"}),
    )
    full = forms.BooleanField(
        label=_("From nothing, not from the run before"),
        required=False,
        help_text=_("Finds the same, and takes longer."),
    )

    def __init__(self, *args: Any, programs: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["program"].choices = programs  # type: ignore[attr-defined]

    def moment(self, rules: Policy) -> datetime | None:
        """The moment asked for, on the clock of the program's rules; None for now."""
        given: datetime | None = self.cleaned_data["as_of"]
        return None if given is None else given.replace(tzinfo=ZoneInfo(rules.timezone))

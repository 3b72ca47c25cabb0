"""Forms and filters of the runs' pages."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import django_filters
from django import forms
from django.db.models import F, QuerySet
from django.db.models.expressions import OrderBy
from django.utils.translation import gettext_lazy as _

from core.models import Program
from core.policy import Policy
from incentives.models import Run
from incentives.states import RunKind, RunState

RUN_COLUMNS = (
    "run",
    "program",
    "kind",
    "state",
    "trigger",
    "as_of",
    "policy",
    "started_at",
    "finished_at",
    "shops",
    "eligible",
    "pending",
    "needs_data",
    "not_eligible",
    "base_amount",
    "net_amount",
    "digest",
)
# How each sorting is asked for, and what it sorts by; the newest first is the list's own.
RUN_SORTS: dict[str, tuple[OrderBy | str, ...]] = {
    "oldest": ("pk",),
    "as-of": (F("as_of").desc(nulls_last=True), "-pk"),
    "amount": (F("net_amount").desc(nulls_last=True), "-pk"),
}


class RunFilter(django_filters.FilterSet):  # type: ignore[misc]  # untyped
    """What the history of runs is narrowed by."""

    program = django_filters.ModelChoiceFilter(
        label=_("Program"), queryset=Program.objects.order_by("code"), to_field_name="code", empty_label=_("All")
    )
    state = django_filters.ChoiceFilter(label=_("State"), choices=RunState, empty_label=_("All"))
    kind = django_filters.ChoiceFilter(label=_("Kind"), choices=RunKind, empty_label=_("All"))

    sort = django_filters.ChoiceFilter(
        label=_("Sorted by"),
        method="sorted_by",
        choices=[
            ("oldest", _("Oldest first")),
            ("as-of", _("Latest moment first")),
            ("amount", _("Highest amount first")),
        ],
        empty_label=_("Newest first"),
    )

    class Meta:
        model = Run
        fields = ("program", "state", "kind")

    def sorted_by(self, rows: QuerySet[Run], _name: str, value: str) -> QuerySet[Run]:
        """As `RUN_SORTS` say."""
        return rows.order_by(*RUN_SORTS[value])


def run_rows(found: QuerySet[Run]) -> Iterator[Sequence[Any]]:
    """The history as `RUN_COLUMNS` name it; who asked for a run stays in the trail."""
    for run in found.iterator(chunk_size=2000):
        policy = run.policy.number if run.policy else None
        begun = (run.pk, run.program.code, run.kind, run.state, run.trigger, run.as_of, policy)
        found_out = (run.eligible, run.pending, run.needs_data, run.not_eligible, run.base_amount, run.net_amount)
        yield (*begun, run.started_at, run.finished_at, run.shops, *found_out, run.digest)


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

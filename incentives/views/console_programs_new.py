"""A new program in the admin dashboard: its period, its markets, and the first version of its policy."""

from dataclasses import replace
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from core.actors import Capability
from core.errors import DomainError
from core.models import CODE_LENGTH, Program
from core.policy import Policy
from core.policy_forms import LANGUAGES, Codes
from core.policy_reader import read_policy
from core.services import create_program
from incentives.views.common import actor_for
from partners.console import decided_by, operators


def _day() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class ProgramForm(forms.Form):
    """A program, and what its first rules are taken from."""

    code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=CODE_LENGTH,
        help_text=gettext_lazy("Feeds and links name the program by it; it never changes. A-Z a-z 0-9 . _ -"),
    )
    first = forms.DateField(label=gettext_lazy("First day"), widget=_day())
    last = forms.DateField(
        label=gettext_lazy("Last day"), widget=_day(), help_text=gettext_lazy("Both days belong to the period.")
    )
    rules_of = forms.ModelChoiceField(
        label=gettext_lazy("Rules as in"),
        queryset=Program.objects.none(),
        required=False,
        empty_label=gettext_lazy("the defaults"),
        help_text=gettext_lazy("The version in force there is taken over. A draft changes it afterwards."),
    )
    markets = Codes(
        label=gettext_lazy("Markets"),
        required=False,
        help_text=gettext_lazy("Codes of countries such as DE, separated by commas. Empty: as in those rules."),
    )
    amount = forms.DecimalField(
        label=gettext_lazy("Amount for each eligible shop"),
        required=False,
        min_value=0,
        decimal_places=2,
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
        help_text=gettext_lazy("Empty: as in those rules."),
    )
    examples = forms.BooleanField(
        label=gettext_lazy("Take over example tiers"),
        required=False,
        help_text=gettext_lazy("Only where those rules have steps of the discount that nobody announced."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["rules_of"].queryset = Program.objects.order_by("-ends_on", "code")  # type: ignore[attr-defined]
        for code, label in LANGUAGES:
            self.fields[f"name.{code}"] = forms.CharField(label=label, max_length=200)
        self.order_fields(["code", *(f"name.{code}" for code, _label in LANGUAGES)])

    def policy(self) -> Policy:
        """The first version's rules. Raises PolicyError for markets that can't be."""
        cleaned = self.cleaned_data
        taken = cleaned["rules_of"]
        rules = taken.current_policy.rules if taken else Policy()
        rules = replace(rules, name={code: cleaned[f"name.{code}"] for code, _label in LANGUAGES})
        if cleaned["markets"]:
            rules = replace(rules, markets=tuple(cleaned["markets"]))
        if cleaned["amount"] is not None:
            rules = replace(rules, incentive=replace(rules.incentive, amount=cleaned["amount"]))
        return read_policy(rules.document())


@operators
@require_http_methods(["GET", "HEAD", "POST"])
@decided_by(Capability.PUBLISH_POLICY)
def create(request: HttpRequest) -> HttpResponse:
    """Ask for a program's dates, markets and first rules; posted, make it."""
    actor = actor_for(request)
    form = ProgramForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        cleaned = form.cleaned_data
        try:
            made = create_program(
                actor=actor,
                code=cleaned["code"],
                start=cleaned["first"],
                end=cleaned["last"],
                policy=form.policy(),
                accept_example_tiers=cleaned["examples"],
            )
        except DomainError as refusal:
            form.add_error(None, refusal.message)
        else:
            messages.success(request, _("Made the program %(code)s, with version 1 of its policy.") % {"code": made})
            return HttpResponseRedirect(reverse("console-program", args=[made.code]))
    context = {"here": "programs", "form": form, "may_create": actor.can(Capability.PUBLISH_POLICY)}
    wrong = form.is_bound and not form.is_valid()
    return render(request, "console/programs/new.html", context, status=422 if wrong else 200)

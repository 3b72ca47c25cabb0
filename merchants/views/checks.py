"""May I recruit this merchant? The page that answers, and never says more than that."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from core import words
from merchants.checker import AskedTooOften, BadQuestion, check_merchant
from merchants.forms import HOMES
from merchants.imports.iso import COUNTRIES
from merchants.registration_numbers import fault
from merchants.views.targets import around, desk_for

# How each answer looks: its colour's class and its shape.
LOOKS = {
    "yes": ("met", "✓"),
    "mine": ("met", "✓"),
    "directed": ("met", "✓"),
    "waiting": ("pending", "◔"),
    "under_review": ("pending", "◔"),
    "taken": ("not_met", "✕"),
    "has_shop": ("not_met", "✕"),
    "not_listed": ("not_met", "✕"),
}


class CheckForm(forms.Form):
    """A registration number with its country, or a brand. `merchants.checker` says what is wrong with them."""

    use_required_attribute = False

    country = forms.ChoiceField(label=_("Country or region of registration"), required=False)
    registration_no = forms.CharField(
        label=_("Registration number"),
        help_text=_("Spaces, dashes and case don't matter"),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    )
    brand = forms.CharField(
        label=_("Brand"),
        help_text=_("The whole name; case and width don't matter"),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        others = sorted(set(COUNTRIES) - set(HOMES))
        self.fields["country"].choices = [(code, words.country(code)) for code in (*HOMES, *others)]  # type: ignore[attr-defined]


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def check(request: HttpRequest, program: str) -> HttpResponse:
    """Ask, and read the answer below the question. Nothing of it is in the address."""
    desk = desk_for(request, program)
    form = CheckForm(request.POST or None)
    answer, wait, status = None, "", 200
    if form.is_bound:
        status = 422
        if form.is_valid():
            try:
                answer = check_merchant(
                    actor=desk.actor, partner=desk.partner, program=desk.policy.program, at=desk.at, **form.cleaned_data
                )
                status = 200
            except BadQuestion as refused:
                for field, text in refused.fields.items():
                    form.add_error(field, text)
            except AskedTooOften as refused:
                wait, status = refused.message, 429
    return render(
        request,
        "portal/check.html",
        {
            **around(desk, "check"),
            "form": form,
            "answer": answer,
            "wait": wait,
            "mistyped": bool(
                answer
                and answer.registration_no
                and not answer.listed
                and fault(answer.country, answer.registration_no)
            ),
            "look": LOOKS[answer.answer][0] if answer else "",
            "shape": LOOKS[answer.answer][1] if answer else "",
            "most": settings.CHECKS_PER_MEMBER,
        },
        status=status,
    )

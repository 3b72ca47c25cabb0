"""What is typed to adjust a partner's running account. The service decides."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from incentives.states import AdjustmentKind

KINDS = [(kind.value, kind.label) for kind in AdjustmentKind if kind != AdjustmentKind.DIFFERENCE]


class AdjustmentForm(forms.Form):
    """An amount with its kind, program and reason."""

    kind = forms.ChoiceField(label=_("Kind of adjustment"), choices=KINDS)
    program = forms.ChoiceField(label=_("Program"))
    amount = forms.DecimalField(
        label=_("Amount"),
        max_digits=16,
        decimal_places=2,
        help_text=_("Above zero in the partner's favour, below zero to take it. Recovered or written off: above zero."),
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
    )
    reference = forms.CharField(
        label=_("The bank's reference"),
        max_length=120,
        required=False,
        help_text=_("Of a debt that the partner has paid back."),
    )
    reason = forms.CharField(
        label=_("Reason, which the partner reads"), max_length=4000, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args: Any, programs: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["program"] = forms.ChoiceField(label=_("Program"), choices=programs)
        self.order_fields(["kind", "program", "amount", "reference", "reason"])

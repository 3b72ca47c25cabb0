"""What people type about an invoice."""

from django import forms
from django.utils.translation import gettext_lazy as _

from core.uploads import ACCEPTED


class InvoiceForm(forms.Form):
    """An invoice. The form reads; the service decides, and its words stand beside the fields."""

    number = forms.CharField(
        label=_("Invoice number"), max_length=60, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    amount = forms.DecimalField(
        label=_("Amount on the invoice, tax included"),
        max_digits=17,
        decimal_places=2,
        localize=False,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    issued_on = forms.DateField(
        label=_("Date of the invoice"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    file = forms.FileField(
        label=_("The invoice itself"),
        widget=forms.FileInput(attrs={"accept": ACCEPTED}),
        help_text=_("PDF, PNG or JPEG."),
    )

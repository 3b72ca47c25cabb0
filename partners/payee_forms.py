"""What an owner types about the account that the organisation is paid to."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from partners.account_rules import COUNTRIES, CURRENCIES, written_together
from partners.forms import named
from partners.services import PayeeDetails


class NeverRepeated(forms.TextInput):
    """A text field whose value isn't written into the page again: an account number is typed anew after an error."""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """Django's context without the value."""
        context: dict[str, Any] = super().get_context(name, None, attrs)
        return context


_NUMBER = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "characters"}


class PayeeForm(forms.Form):
    """An account. The form reads; the service decides, and its words stand beside the fields."""

    holder = forms.CharField(
        label=_("Account holder"),
        required=False,
        max_length=200,
        help_text=_("The organisation's name as the bank has it."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    country = forms.ChoiceField(label=_("Country of the bank"), required=False)
    currency = forms.ChoiceField(
        label=_("Currency of the account"),
        required=False,
        choices=[("", _("Choose")), *((code, code) for code in CURRENCIES)],
        help_text=_("Payouts are in the program's currency; your bank converts them where the account has another."),
    )
    bank_name = forms.CharField(
        label=_("Bank and branch"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    bank_code = forms.CharField(
        label=_("Bank code"),
        required=False,
        max_length=40,
        help_text=_("SWIFT code (BIC); in mainland China the clearing number of 12 digits will do."),
        widget=forms.TextInput(attrs=_NUMBER),
    )
    account_number = forms.CharField(
        label=_("Account number"),
        required=False,
        max_length=80,
        help_text=_("The IBAN where your country has it. It is kept encrypted, and only its end is ever shown."),
        widget=NeverRepeated(attrs=_NUMBER),
    )
    again = forms.CharField(
        label=_("Account number, once more"),
        required=False,
        max_length=80,
        help_text=_("As nobody sees it again, a slip would not be noticed."),
        widget=NeverRepeated(attrs=_NUMBER),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["country"].choices = [("", _("Choose")), *named(COUNTRIES)]  # type: ignore[attr-defined]  # a ChoiceField

    def clean(self) -> dict[str, Any]:
        """The number typed twice alike."""
        found = super().clean() or self.cleaned_data
        first, second = (written_together(found.get(name, "")) for name in ("account_number", "again"))
        if first and first != second:
            self.add_error("again", _("The two account numbers differ."))
        return found

    def details(self) -> PayeeDetails:
        """What was typed, for the service."""
        given = self.cleaned_data
        return PayeeDetails(
            holder=given.get("holder", ""),
            bank_name=given.get("bank_name", ""),
            bank_code=given.get("bank_code", ""),
            country=given.get("country", ""),
            currency=given.get("currency", ""),
            account_number=given.get("account_number", ""),
        )

"""The registration form: reads what was typed; `merchants.entrants` says what is wrong with it."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core import words
from merchants.entrants import LONGEST, Entrant, problems
from merchants.imports.iso import COUNTRIES
from merchants.states import Consent

# Where merchants of these programs come from, the likeliest first; then all others.
HOMES = ("CN", "HK", "JP", "DE", "FR", "IT", "ES", "IE", "GB", "NL", "PL", "BR", "KR", "SG", "US")


class RegistrationForm(forms.Form):
    """What a merchant fills in. Everything that is missing or wrong is told beside its field, all at once."""

    use_required_attribute = False  # the server's words, in the reader's language, not the browser's

    merchant_name = forms.CharField(
        label=_("Company name"),
        help_text=_("As on the business licence"),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )
    country = forms.CharField(label=_("Country or region of registration"), required=False)
    registration_no = forms.CharField(
        label=_("Registration number"),
        help_text=_("In mainland China the 18 signs of the unified social credit code"),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    )
    brand = forms.CharField(label=_("Brand"), help_text=_("Leave empty if there is none"), required=False)
    market = forms.CharField(label=_("Market"), help_text=_("Where the shop will open"), required=False)
    contact_name = forms.CharField(
        label=_("Contact person"), required=False, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    phone = forms.CharField(
        label=_("Phone"), required=False, widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"})
    )
    wechat = forms.CharField(
        label=_("WeChat ID"),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    privacy = forms.BooleanField(label=_("I have read the privacy notice and agree to it"), required=False)
    share_contact = forms.BooleanField(required=False)

    def __init__(self, *args: Any, markets: Sequence[str], partner: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.markets = markets
        self.fields["country"].widget = forms.Select(choices=[("", _("Choose …")), *country_choices()])
        places = [(code, words.country(code)) for code in markets]
        self.fields["market"].widget = forms.Select(
            choices=places if len(places) == 1 else [("", _("Choose …")), *places]
        )
        self.fields["share_contact"].label = _("%(partner)s may see my contact and get in touch") % {"partner": partner}
        for name, longest in LONGEST.items():
            self.fields[name].widget.attrs["maxlength"] = longest
        for name in [*self.errors] if self.is_bound else ():
            self.fields[name].widget.attrs["aria-describedby"] = f"error_{name}"

    def entrant(self) -> Entrant:
        """What was typed."""
        typed = self.cleaned_data
        return Entrant(
            **{name: typed.get(name) or "" for name in (*LONGEST, "country", "market")},
            consents=frozenset(consent for consent in Consent if typed.get(consent.value)),
        )

    def clean(self) -> dict[str, Any]:
        """Every mistake at once."""
        found = super().clean() or self.cleaned_data
        for name, message in problems(self.entrant(), self.markets).items():
            self.add_error(name, message)
        return found


def country_choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """Every country in the reader's language, those that most merchants come from first."""
    others = [(code, words.country(code)) for code in sorted(set(COUNTRIES) - set(HOMES))]
    # Chinese readers know the codes' order from every other such list; names are sorted for those who read letters.
    others.sort(key=lambda one: one[0] if words.is_chinese() else one[1])
    return [
        (gettext("Most often"), [(code, words.country(code)) for code in HOMES]),
        (gettext("All others"), others),
    ]

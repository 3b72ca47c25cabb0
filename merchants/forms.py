"""The registration form: reads what was typed; `merchants.entrants` says what is wrong with it."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any

from django import forms
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from core import words
from merchants.entrants import LONGEST, Entrant, problems
from merchants.imports.iso import COUNTRIES
from merchants.states import Consent

# Where merchants of these programs come from, the likeliest first; then all others.
HOMES = ("CN", "HK", "JP", "DE", "FR", "IT", "ES", "IE", "GB", "NL", "PL", "BR", "KR", "SG", "US")


class CountrySelect(forms.Select):
    """A choice among 249: written in one go, where a template for each of them would take most of the page's time."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """The select element, with its groups."""
        groups = format_html_join(
            "",
            '<optgroup label="{}">{}</optgroup>',
            (
                (label, format_html_join("", '<option value="{}"{}>{}</option>', _options(named, value)))
                for label, named in _countries(get_language())
            ),
        )
        return format_html(
            '<select name="{}"{}><option value="">{}</option>{}</select>',
            name,
            flatatt(self.build_attrs(self.attrs, attrs)),
            _("Choose …"),
            groups,
        )


def _options(named: Iterable[tuple[str, str]], chosen: Any) -> Iterator[tuple[str, SafeString, str]]:
    for code, name in named:
        yield code, mark_safe(" selected" if code == chosen else ""), name  # noqa: S308 - these two texts


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
        self.fields["country"].widget = CountrySelect()
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


@cache
def _countries(language: str | None) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """The groups of countries with their names in this language, which is the one in force."""
    others = [(code, words.country(code)) for code in sorted(set(COUNTRIES) - set(HOMES))]
    # Chinese readers know the codes' order from every other such list; names are sorted for those who read letters.
    others.sort(key=lambda one: one[0] if words.is_chinese() else one[1])
    homes = tuple((code, words.country(code)) for code in HOMES)
    return (gettext("Most often"), homes), (gettext("All others"), tuple(others))

"""What people type on the partners' pages. Forms read; services decide, and their words stand beside the fields."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from core import words
from core.models import User
from core.uploads import ACCEPTED
from partners.states import Category, MemberRole, Resource, Service

# Where organisations have their seat, and where they work: the countries whose names the portal knows.
SEATS = ("CN", "HK", "SG", "JP", "KR", "GB", "DE", "FR", "IT", "ES", "IE", "NL", "PL", "US")
MARKETS = ("DE", "FR", "IT", "ES", "IE", "NL", "PL", "GB", "JP", "US")


def named(codes: tuple[str, ...]) -> list[tuple[str, str]]:
    """Countries with their names in the reader's language."""
    return [(code, words.country(code)) for code in codes]


class ApplicationForm(forms.Form):
    """An application, as far as it has been written: nothing is required before it is submitted."""

    name = forms.CharField(label=_("Name of the organisation, as registered"), required=False, max_length=255)
    category = forms.ChoiceField(label=_("Kind of service provider"), required=False)
    country = forms.ChoiceField(label=_("Country of registration"), required=False)
    registration_no = forms.CharField(
        label=_("Registration number"),
        required=False,
        max_length=64,
        help_text=_("In mainland China the unified social credit code."),
    )
    markets = forms.MultipleChoiceField(
        label=_("Countries where you work"), required=False, widget=forms.CheckboxSelectMultiple
    )
    resources = forms.MultipleChoiceField(
        label=_("Merchants whom you know"),
        required=False,
        choices=Resource.choices,
        widget=forms.CheckboxSelectMultiple,
    )
    services = forms.MultipleChoiceField(
        label=_("Services that you offer merchants"),
        required=False,
        choices=Service.choices,
        widget=forms.CheckboxSelectMultiple,
    )
    about = forms.CharField(
        label=_("About the organisation"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("Your experience with merchants, and how many you expect to bring. May stay empty."),
    )
    contact_name = forms.CharField(label=_("Contact person"), required=False, max_length=120)
    contact_phone = forms.CharField(
        label=_("Phone"),
        required=False,
        max_length=40,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
        help_text=_("One of phone, WeChat ID and e-mail is enough."),
    )
    contact_wechat = forms.CharField(label=_("WeChat ID"), required=False, max_length=60)
    contact_email = forms.EmailField(label=_("E-mail address"), required=False)
    file = forms.FileField(
        label=_("Add a document"),
        required=False,
        widget=forms.FileInput(attrs={"accept": ACCEPTED}),
        help_text=_("Business licence, references. PDF, PNG or JPEG, up to 10 files."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        empty = [("", _("Choose"))]
        self.fields["category"].choices = [*empty, *Category.choices]  # type: ignore[attr-defined]  # a ChoiceField
        self.fields["country"].choices = [*empty, *named(SEATS)]  # type: ignore[attr-defined]
        self.fields["markets"].choices = named(MARKETS)  # type: ignore[attr-defined]

    def data_to_save(self) -> dict[str, Any]:
        """What the service keeps. Fields that were refused here are left as they were."""
        return {name: value for name, value in self.cleaned_data.items() if name != "file"}


class JoiningForm(forms.Form):
    """The acceptance of a program's rules. `version` is the one that was read."""

    version = forms.IntegerField(min_value=1, max_value=1_000_000, widget=forms.HiddenInput)
    commitment = forms.IntegerField(
        label=_("Your commitment: shops that you undertake to bring in"),
        min_value=1,
        max_value=1_000_000,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
        help_text=_("Progress is measured against it each week."),
    )
    agreed = forms.BooleanField(label=_("I have read these rules, and accept them for the organisation."))


class InvitationForm(forms.Form):
    """A colleague to invite."""

    email = forms.EmailField(label=_("E-mail address"), widget=forms.EmailInput(attrs={"autocomplete": "off"}))
    role = forms.ChoiceField(label=_("Role"), choices=MemberRole.choices, initial=MemberRole.MEMBER)


class NewAccountForm(forms.Form):
    """The account that somebody makes who takes up an invitation."""

    name = forms.CharField(label=_("Your name"), max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    password = forms.CharField(
        label=_("Password"), strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )
    again = forms.CharField(
        label=_("Password, once more"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        """The password typed twice alike."""
        found = super().clean() or self.cleaned_data
        if found.get("password") and found.get("again") and found["password"] != found["again"]:
            self.add_error("again", _("The two passwords differ."))
        return found


class OwnAccountForm(forms.Form):
    """What a person says of themselves."""

    name = forms.CharField(label=_("Your name"), max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    language = forms.ChoiceField(
        label=_("Language"), choices=User.LANGUAGES, help_text=_("Mails come in this language, too.")
    )

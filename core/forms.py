"""The back office's forms for accounts. They read what was typed; the services decide."""

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core.actors import Role
from core.models import User

if TYPE_CHECKING:
    _UserForm = forms.ModelForm[User]
else:  # Django's own class takes no parameters
    _UserForm = forms.ModelForm

ROLE_NAMES: dict[Role, Promise] = {
    Role.RECRUITER: _("Recruiter"),
    Role.LIST_KEEPER: _("List keeper"),
    Role.REVIEWER: _("Reviewer"),
    Role.APPROVER: _("Approver"),
    Role.FINANCE: _("Finance"),
    Role.RISK: _("Risk"),
    Role.AUDITOR: _("Auditor"),
    Role.ADMINISTRATOR: _("Administrator"),
}


class _RolesForm(_UserForm):
    """Operator roles as boxes to tick."""

    roles = forms.MultipleChoiceField(
        label=_("roles"),
        required=False,
        choices=[(role.value, name) for role, name in ROLE_NAMES.items()],
        widget=forms.CheckboxSelectMultiple,
        help_text=_("What the person may do; any of them opens the back office."),
    )

    def wanted(self) -> frozenset[Role]:
        """The roles that were ticked."""
        return frozenset(Role(role) for role in self.cleaned_data["roles"])


class NewUserForm(_RolesForm):
    """An account that is being made."""

    password = forms.CharField(
        label=_("password"), strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )
    again = forms.CharField(
        label=_("password, once more"), strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )

    class Meta:
        model = User
        fields: ClassVar = ["email", "name", "language"]

    def clean_email(self) -> str:
        """Addresses are compared without case."""
        email = str(self.cleaned_data["email"]).lower()
        if User.objects.filter(email__iexact=email).exists():
            raise ValidationError(_("%(email)s has an account already."), params={"email": email})
        return email

    def clean(self) -> dict[str, Any]:
        """The password typed twice alike."""
        found = super().clean() or self.cleaned_data
        if found.get("password") != found.get("again"):
            self.add_error("again", _("The two passwords differ."))
        return found


class UserForm(_RolesForm):
    """What may change of an account that is there: whether it is open, and its roles."""

    class Meta:
        model = User
        fields: ClassVar = ["is_active"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["roles"].initial = sorted(self.instance.role_grants.values_list("role", flat=True))

"""Sign-up and sign-in: what allauth asks the house for.

Whatever allauth changes in somebody's account leaves a row in the audit trail and a mail to the person, in the
transaction of the change (`config.account_urls`).
"""

from __future__ import annotations

from typing import Any, ClassVar

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.account.stages import EmailVerificationStage
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.base import forms as second_factor
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import lazy
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext_lazy as _

from core import audit, lockout
from core.actors import Actor
from core.models import User

# What allauth tells a person by mail, and what the audit trail calls it.
_CHANGES = {
    "account/email/password_changed": "account.password_changed",
    "account/email/password_reset": "account.password_reset",
    "account/email/password_set": "account.password_set",
    "account/email/email_changed": "account.address_changed",
    "account/email/email_deleted": "account.address_dropped",
    "mfa/email/totp_activated": "account.totp_activated",
    "mfa/email/totp_deactivated": "account.totp_deactivated",
    "mfa/email/recovery_codes_generated": "account.recovery_codes_generated",
    "mfa/email/webauthn_added": "account.passkey_added",
    "mfa/email/webauthn_removed": "account.passkey_removed",
}


def _too_many_tries() -> str:
    minutes: int = settings.SIGN_IN_LOCK_MINUTES
    text = ngettext(
        "Too many tries. Wait %(count)d minute and try again, or set a new password by mail.",
        "Too many tries. Wait %(count)d minutes and try again, or set a new password by mail.",
        minutes,
    )
    return text % {"count": minutes}


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """The house's rules. The same answer for an address with an account and for one without, everywhere."""

    error_messages: ClassVar = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": _("The address or the password isn't right."),
        "too_many_login_attempts": lazy(_too_many_tries, str)(),
        "incorrect_password": _("This isn't your password."),
        "enter_current_password": _("This isn't your password."),
        "email_taken": _("There is an account with this address already."),
        "duplicate_email": _("This is your address already."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Whether organisations may arrive by themselves (SIGN_UP_OPEN)."""
        return bool(settings.SIGN_UP_OPEN)

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        """Make the account of somebody who arrives: without any role, reading the language of the form."""
        user.language = get_language() or settings.LANGUAGE_CODE
        user.name = form.cleaned_data["name"]
        with transaction.atomic():
            made: User = super().save_user(request, user, form, commit)
            audit.record(
                actor=Actor(user_id=made.pk), action="user.signed_up", subject=made, details={"language": made.language}
            )
        return made

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """Look at a password, unless the address is locked. A right one makes the count begin anew."""
        address = str(credentials.get("email", ""))
        if not lockout.begin_try(address=address, what=lockout.PASSWORD, at=timezone.now()):
            raise self.validation_error("too_many_login_attempts")
        user: User | None = super().authenticate(request, **credentials)
        if user is not None:
            lockout.forget_tries(address=address, what=lockout.PASSWORD)
        return user

    def set_password(self, user: User, password: str) -> None:
        """Keep a new password. Whoever may set one has shown who they are, and needs not wait for a lock to end."""
        super().set_password(user, password)
        lockout.forget_tries(address=user.email, what=lockout.PASSWORD)

    def get_login_stages(self) -> list[str]:
        """Addresses that the house vouches for are not asked for again."""
        house = f"{__name__}.{VerificationStage.__name__}"
        theirs = f"{EmailVerificationStage.__module__}.{EmailVerificationStage.__name__}"
        return [house if stage == theirs else stage for stage in super().get_login_stages()]

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """Take an address for proven, unless it is another account's. A changed one is told of with its mail, below."""
        others = User.objects.exclude(pk=email_address.user_id)
        if others.filter(email__iexact=email_address.email).exists():
            return False
        before = email_address.user.email
        done: bool = super().confirm_email(request, email_address)
        if done and before.lower() == email_address.email.lower():
            _write_down("account.address_verified", email_address.user)
        return done

    def send_notification_mail(
        self, template_prefix: str, user: User, context: dict[str, Any] | None = None, email: str | None = None
    ) -> None:
        """Write a change of the account down, and tell the person of it."""
        _write_down(_CHANGES[template_prefix], user)
        super().send_notification_mail(template_prefix, user, context, email)

    def format_email_subject(self, subject: str) -> str:
        """As it is: the sender says who writes."""
        return subject

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send it once what it tells of has been kept; a mail server that is away undoes nothing."""
        mail = self.render_mail(template_prefix, email, {"request": self.request, "email": email, **context})
        transaction.on_commit(mail.send, robust=True)


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # as above
    """Our words for what can go wrong with a second factor."""

    error_messages: ClassVar = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": _("This isn't the code that holds now."),
        "unverified_email": _("Prove your new address first, or keep the old one."),
    }


class VerificationStage(EmailVerificationStage):  # type: ignore[misc]  # as above
    """Whoever signs up proves the address. An account that somebody else made for the person needn't."""

    def handle(self) -> Any:
        """Vouch for the address of an account that was neither signed up nor asked to prove anything."""
        user = self.login.user
        if user is not None and not EmailAddress.objects.filter(user=user).exists():
            EmailAddress.objects.create(user=user, email=user.email.lower(), primary=True, verified=True)
        return super().handle()


class SignUpForm(forms.Form):
    """What is asked besides address and password. allauth builds its own form on this one."""

    name = forms.CharField(label=_("Your name"), max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"}))

    def signup(self, request: HttpRequest, user: User) -> None:
        """Nothing more: the adapter has kept the name."""


class _Counted:
    """A form that asks for the second factor's code, as often as a password may be tried."""

    user: User

    def clean_code(self) -> str:
        """Look at the code, unless the address is locked."""
        if not lockout.begin_try(address=self.user.email, what=lockout.SECOND_FACTOR, at=timezone.now()):
            raise ValidationError(_too_many_tries(), code="too_many_login_attempts")
        code: str = super().clean_code()  # type: ignore[misc]  # the form's own
        lockout.forget_tries(address=self.user.email, what=lockout.SECOND_FACTOR)
        return code


class AuthenticateForm(_Counted, second_factor.AuthenticateForm):  # type: ignore[misc]  # allauth has no types
    """The code at sign-in."""


class ReauthenticateForm(_Counted, second_factor.ReauthenticateForm):  # type: ignore[misc]  # as above
    """The code before a step that needs it again."""


def _write_down(action: str, user: User) -> None:
    with transaction.atomic():
        audit.record(actor=Actor(user_id=user.pk), action=action, subject=user)

"""The sign-in package's tables in the back office: to look at, as nothing there is edited past the portal's rules."""

from __future__ import annotations

from allauth.account import admin as _account_admin  # noqa: F401 (registers its own, so that they can be taken out)
from allauth.account.models import EmailAddress
from allauth.mfa import admin as _mfa_admin  # noqa: F401 (the same)
from allauth.mfa.models import Authenticator
from allauth.usersessions import admin as _sessions_admin  # noqa: F401 (the same)
from allauth.usersessions.models import UserSession
from django.contrib import admin

from core.backoffice import LookOnlyAdmin

# Where somebody is signed in is theirs to see, and is ended on their page of the admin dashboard.
admin.site.unregister([EmailAddress, Authenticator, UserSession])


@admin.register(EmailAddress)
class EmailAddressAdmin(LookOnlyAdmin):
    """Addresses that people have confirmed or changed."""

    list_display = ("email", "user", "primary", "verified")
    list_select_related = ("user",)
    search_fields = ("email",)


@admin.register(Authenticator)
class AuthenticatorAdmin(LookOnlyAdmin):
    """Who has set up which second factor. Never its secret."""

    list_display = ("user", "type", "created_at", "last_used_at")
    list_select_related = ("user",)
    list_filter = ("type",)
    fields = ("user", "type", "created_at", "last_used_at")

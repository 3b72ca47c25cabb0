"""Sign-in rules that allauth asks for."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Accounts are made by invitation: nobody signs up alone."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Refuse the public sign-up form."""
        return False

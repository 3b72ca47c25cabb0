"""allauth's pages, each one's change in one transaction with its audit row."""

from __future__ import annotations

from collections.abc import Iterator

from allauth import urls
from django.db import transaction
from django.urls import URLPattern, URLResolver

# Here passwords and codes are tried: each try has to stay counted, and nothing may wait while a hash is computed.
_TRIES = {
    "account_login",
    "account_reauthenticate",
    "mfa_authenticate",
    "mfa_reauthenticate",
    "mfa_reauthenticate_webauthn",
    "mfa_login_webauthn",
}


def _pages(patterns: list[URLPattern | URLResolver]) -> Iterator[URLPattern]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _pages(pattern.url_patterns)
        else:
            yield pattern


for page in _pages(urls.urlpatterns):
    if page.name not in _TRIES:
        page.callback = transaction.atomic(page.callback)

urlpatterns = urls.urlpatterns

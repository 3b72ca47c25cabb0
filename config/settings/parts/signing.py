"""The keys that statements are signed and checked with (docs/operations.md)."""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured

from config.env import env
from core.errors import BadInput
from incentives.signatures import PublicKey, SigningKey


def signing_key(text: str) -> str:
    """Return the text where it is a key; stop the start where it isn't. The message doesn't show it."""
    try:
        return SigningKey.from_text(text).text
    except BadInput as error:
        raise ImproperlyConfigured(
            f"STATEMENT_SIGNING_KEY: {error} Make one: python -c 'import secrets; print(secrets.token_urlsafe(32))'"
        ) from None


def public_keys(texts: list[str]) -> tuple[str, ...]:
    """Return the texts where all are public keys; stop the start where one isn't."""
    for text in texts:
        try:
            PublicKey.from_text(text)
        except BadInput as error:
            raise ImproperlyConfigured(f"STATEMENT_EARLIER_KEYS: {text!r}: {error}") from None
    return tuple(texts)


# Which key signs is particular to each environment; these are published beside it, so that what they signed stays
# verifiable.
STATEMENT_EARLIER_KEYS = public_keys(env.words("STATEMENT_EARLIER_KEYS", []))

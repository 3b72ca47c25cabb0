"""A result file between its preview and its loading: kept for half an hour, for the person who chose it alone."""

import secrets
import zlib

from django.core.cache import cache

# How long a previewed file waits, in seconds. It names payments and amounts, no account.
WAITS = 1800


def keep(user_id: int, content: bytes) -> str:
    """Keep a file, and return what it is asked for by."""
    token = secrets.token_urlsafe(16)
    cache.set(_key(user_id, token), zlib.compress(content), WAITS)
    return token


def kept(user_id: int, token: str) -> bytes | None:
    """The file; None where it has waited too long, or is another person's."""
    found = cache.get(_key(user_id, token))
    return zlib.decompress(found) if isinstance(found, bytes) else None


def forget(user_id: int, token: str) -> None:
    """Let go of a file that was loaded."""
    cache.delete(_key(user_id, token))


def _key(user_id: int, token: str) -> str:
    return f"bank-result:{user_id}:{token[:64]}"

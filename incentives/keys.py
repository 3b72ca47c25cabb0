"""This house's keys for statements, from the settings."""

from django.conf import settings

from incentives.signatures import PublicKey, SigningKey


def signing_key() -> SigningKey:
    """The key that signs now."""
    return SigningKey.from_text(settings.STATEMENT_SIGNING_KEY)


def published_keys() -> list[PublicKey]:
    """Every public key that statements of this house are checked with: the one that signs now, then earlier ones."""
    keys = [signing_key().public, *(PublicKey.from_text(text) for text in settings.STATEMENT_EARLIER_KEYS)]
    return list({key.id: key for key in keys}.values())

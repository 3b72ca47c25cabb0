"""Where partners' money goes: what account numbers are sealed with, what a payment asks for (docs/operations.md)."""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured

from config.env import env
from core.errors import BadInput
from partners.ciphers import AccountCipher


def payee_keys(texts: list[str]) -> tuple[str, ...]:
    """Return the texts where all are keys; stop the start where one isn't. The message shows none."""
    try:
        AccountCipher(texts)
    except BadInput as error:
        raise ImproperlyConfigured(
            f"PAYEE_KEYS: {error} Make one: python -c 'import base64, os; "
            "print(base64.urlsafe_b64encode(os.urandom(32)).decode())'"
        ) from None
    return tuple(texts)


# Whether a payment needs the partner's confirmed account (POLICY 6), and an invoice that was accepted.
PAYMENT_NEEDS_PAYEE = env.flag("PAYMENT_NEEDS_PAYEE", default=True)
INVOICE_REQUIRED = env.flag("INVOICE_REQUIRED")
# For how long whoever has given the password or a second factor once more may change where money goes.
PAYEE_PROOF_MINUTES = env.integer("PAYEE_PROOF_MINUTES", 5, minimum=1)

"""Account numbers at rest: Fernet (AES-128-CBC with HMAC-SHA256), under keys that can be changed. No database here.

The first key writes, all of them read. What is written says to which row it belongs, so that a text that was copied
from another row opens nothing.
"""

from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from core.errors import BadInput, DomainError


class Unreadable(DomainError):
    """A sealed text that none of the keys opens, or that belongs to another row."""

    code = "unreadable"


class AccountCipher:
    """Seals and opens texts with `keys`, each 32 random bytes as base64url."""

    def __init__(self, keys: Sequence[str]) -> None:
        """Raise BadInput, which shows no key, where there is none or one that can't be."""
        try:
            found = [Fernet(key) for key in keys]
        except ValueError:
            raise BadInput("one of them is no key: 32 bytes as base64url, 44 characters.") from None
        if not found:
            raise BadInput("there has to be one at least.")
        self._first = found[0]
        self._all = MultiFernet(found)

    def seal(self, text: str, *, owner: str) -> str:
        """Return `text` so that only a holder of the keys reads it, and only as that of `owner`."""
        return self._all.encrypt(f"{owner}\n{text}".encode()).decode("ascii")

    def open(self, sealed: str, *, owner: str) -> str:
        """Return what `seal` was given. Raises Unreadable, which shows nothing of it."""
        try:
            found, _, text = self._all.decrypt(sealed).decode().partition("\n")
        except InvalidToken:
            raise Unreadable("None of the keys in PAYEE_KEYS opens this account number.") from None
        if found != owner:
            raise Unreadable("This account number was sealed for another row.")
        return text

    def renewed(self, sealed: str) -> str | None:
        """The same text sealed with the first key; None where it is already. Raises Unreadable."""
        try:
            self._first.decrypt(sealed)
        except InvalidToken:
            try:
                return self._all.rotate(sealed).decode("ascii")
            except InvalidToken:
                raise Unreadable("None of the keys in PAYEE_KEYS opens this account number.") from None
        return None


def new_key() -> str:
    """A new key, as settings have it. A secret."""
    return Fernet.generate_key().decode("ascii")

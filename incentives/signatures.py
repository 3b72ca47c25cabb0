"""Signed statements: Ed25519 over canonical JSON, keys known by their fingerprint. No Django, no database here.

A signed document is {"format": …, "statement": …, "signature": {"algorithm", "key", "value"}}. The signature covers
the whole document but its own value: whoever changes any other part, or adds one, breaks it. It names its key and
doesn't bring it: whom to trust is the reader's to know.
"""

import base64
import binascii
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from core.errors import BadInput, DomainError
from incentives.canonical import NotCanonical, canonical, read_document

FORMAT = "dingyao-statement/1"
ALGORITHM = "Ed25519"
KEY_BYTES = 32


class NotAStatement(BadInput):
    """A file that isn't a signed statement at all."""

    code = "not_a_statement"


class OtherKey(DomainError):
    """Signed by a key that the reader doesn't know: nothing is said about its content."""

    code = "other_key"


class Changed(DomainError):
    """Not what was signed: a part of it, or the signature, was changed afterwards."""

    code = "changed"


@dataclass(frozen=True)
class PublicKey:
    """A key that statements are checked with. `raw` are its 32 bytes (RFC 8032)."""

    raw: bytes

    @cached_property
    def id(self) -> str:
        """Its fingerprint: the JWK thumbprint of RFC 7638, which no other key has."""
        return _encode(hashlib.sha256(canonical(self._members())).digest())

    def as_jwk(self) -> dict[str, str]:
        """The key as a JSON Web Key (RFC 8037)."""
        return {**self._members(), "kid": self.id, "alg": "EdDSA", "use": "sig"}

    def _members(self) -> dict[str, str]:
        return {"crv": "Ed25519", "kty": "OKP", "x": _encode(self.raw)}

    @property
    def text(self) -> str:
        """The key as settings have it: base64url without padding."""
        return _encode(self.raw)

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read what `text` writes. Raises BadInput."""
        return cls(_key_bytes(text, "public key"))


@dataclass(frozen=True)
class SigningKey:
    """The secret half: whoever has it can make statements. `seed` are its 32 bytes."""

    seed: bytes

    def __repr__(self) -> str:
        return f"SigningKey({self.public.id})"

    @cached_property
    def public(self) -> PublicKey:
        """The half that is published."""
        return PublicKey(Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw())

    @property
    def text(self) -> str:
        """The key as settings have it: base64url without padding. A secret."""
        return _encode(self.seed)

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read what `text` writes. Raises BadInput, which doesn't show the text."""
        return cls(_key_bytes(text, "signing key"))

    @classmethod
    def make(cls) -> Self:
        """Make a new key."""
        return cls(Ed25519PrivateKey.generate().private_bytes_raw())


def sign(statement: Mapping[str, Any], key: SigningKey) -> bytes:
    """Return the statement signed, as canonical text."""
    document = {
        "format": FORMAT,
        "statement": dict(statement),
        "signature": {"algorithm": ALGORITHM, "key": key.public.id},
    }
    value = Ed25519PrivateKey.from_private_bytes(key.seed).sign(canonical(document))
    document["signature"] = {"algorithm": ALGORITHM, "key": key.public.id, "value": _encode(value)}
    return canonical(document)


def verify(text: bytes, keys: Iterable[PublicKey]) -> tuple[dict[str, Any], PublicKey]:
    """Return the statement in a signed document, and which of the keys signed it.

    White space and the order of members don't matter. Raises NotAStatement, OtherKey or Changed.
    """
    document = _document(text)
    signature = document["signature"]
    key = next((key for key in keys if key.id == signature["key"]), None)
    if key is None:
        raise OtherKey(f"it names the key {signature['key']}, which is not among the keys to check with.")
    unsigned = {**document, "signature": {name: part for name, part in signature.items() if name != "value"}}
    try:
        Ed25519PublicKey.from_public_bytes(key.raw).verify(_decode(signature["value"]), canonical(unsigned))
    except (InvalidSignature, NotCanonical, ValueError):
        raise Changed("it is not what was signed: something in it was changed afterwards.") from None
    statement: dict[str, Any] = document["statement"]
    return statement, key


def _document(text: bytes) -> dict[str, Any]:
    """Read the text as a signed document of this format, or raise NotAStatement."""
    try:
        document = read_document(text)
    except NotCanonical as error:
        raise NotAStatement(f"{error}.") from None
    match document:
        case {
            "format": str() as found,
            "statement": dict(),
            "signature": {"algorithm": str() as algorithm, "key": str(), "value": str()},
        }:
            if (found, algorithm) != (FORMAT, ALGORITHM):
                raise NotAStatement(f"it is {found[:60]!r} by {algorithm[:60]!r}, not {FORMAT!r} by {ALGORITHM!r}.")
            return {**document}
    raise NotAStatement("it has no statement with a signature.")


# --- Keys as files ------------------------------------------------------------------------------------------


def key_set(keys: Iterable[PublicKey]) -> dict[str, list[dict[str, str]]]:
    """The keys as they are published: a JSON Web Key Set (RFC 7517), the one that signs now first."""
    return {"keys": [key.as_jwk() for key in keys]}


def read_keys(text: bytes) -> list[PublicKey]:
    """Read public keys from what was published (a key set, or one key of it) or from a PEM file. Raises BadInput."""
    if text.lstrip().startswith(b"-----BEGIN"):
        return [_from_pem(text)]
    try:
        found = read_document(text)
    except NotCanonical as error:
        raise BadInput(f"it holds no public keys: {error}.") from None
    entries = found.get("keys", [found]) if isinstance(found, dict) else None
    if not isinstance(entries, list) or not entries:
        raise BadInput("it holds no public keys.")
    return [_from_jwk(entry) for entry in entries]


def _from_jwk(entry: Any) -> PublicKey:
    match entry:
        case {"kty": "OKP", "crv": "Ed25519", "x": str() as text}:
            key = PublicKey.from_text(text)
            if entry.get("kid", key.id) != key.id:
                raise BadInput(f"a key in it calls itself {str(entry['kid'])[:60]}, but is {key.id}.")
            return key
    raise BadInput("it holds something that is no Ed25519 public key.")


def _from_pem(text: bytes) -> PublicKey:
    try:
        key = load_pem_public_key(text)
    except ValueError:
        raise BadInput("it is no PEM file of a public key.") from None
    if not isinstance(key, Ed25519PublicKey):
        raise BadInput("its key is no Ed25519 key.")
    return PublicKey(key.public_bytes_raw())


def _key_bytes(text: str, what: str) -> bytes:
    try:
        raw = _decode(text)
    except ValueError:
        raw = b""
    if len(raw) != KEY_BYTES:
        raise BadInput(f"it is no {what}: {KEY_BYTES} bytes as base64url without padding, 43 characters.")
    return raw


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def _decode(text: str) -> bytes:
    """Decode base64url without padding, and only the one text that these bytes have. Raises ValueError."""
    try:
        raw = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise ValueError("no base64url") from None
    if _encode(raw) != text:
        raise ValueError("no base64url without padding")
    return raw

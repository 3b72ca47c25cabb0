"""Signed documents: one text for one document, and nothing of it can be changed unnoticed."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from config.state import State
from core.errors import BadInput
from incentives.canonical import NotCanonical, canonical, read_document
from incentives.signatures import (
    Changed,
    NotAStatement,
    OtherKey,
    PublicKey,
    SigningKey,
    key_set,
    read_keys,
    sign,
    verify,
)

KEY = SigningKey(bytes(range(32)))
STATEMENT: dict[str, Any] = {
    "program": {"code": "POP-2026Q1"},
    "partner": {"code": "HARBOUR", "name": "海桥物流 “Harbour”"},
    "payout": {"id": 7, "state": "in_review", "provisional": True, "paid_at": None},
    "amounts": {"payable": "3600.00", "currency": "CNY"},
    "lines": [{"shop_code": "S-1", "amount": "2000.00"}, {"shop_code": "S-2", "amount": "2000.00"}],
    "issued_at": "2026-07-01T04:00:00Z",
}
SIGNED = sign(STATEMENT, KEY)


# --- One text ----------------------------------------------------------------------------------------------------


def test_canonical_text_is_that_of_rfc_8785() -> None:
    # The RFC's own examples of sorting (3.2.3) and of strings (3.2.2), without their floats.
    names = {"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\u0080": 6, "\u00f6": 7}
    assert list(json.loads(canonical(names)).values()) == [2, 4, 6, 7, 1, 5, 3]
    text = "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/"
    assert canonical([text, None, True, False, -1]) == (
        '["\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/",null,true,false,-1]'.encode()
    )


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner)
    ),
    max_leaves=12,
)


@given(JSON)
def test_canonical_text_reads_back_and_is_one(document: Any) -> None:
    text = canonical(document)
    assert read_document(text) == document
    assert canonical(json.loads(json.dumps(document, indent=2))) == text


@pytest.mark.parametrize("value", [1.0, 2**53, {1: "a"}, {"a": {1, 2}}, "\ud800", b"a"])
def test_what_has_no_canonical_text_is_refused(value: Any) -> None:
    with pytest.raises(NotCanonical):
        canonical(value)


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[1.5]", b"[1e2]", b"[NaN]", b'{"a":1,"a":1}', b"\xff", b"[" * 100_000, b"9" * 5000]
)
def test_what_is_no_strict_json_is_refused(text: bytes) -> None:
    with pytest.raises(NotCanonical):
        canonical(read_document(text))


# --- Signed ------------------------------------------------------------------------------------------------------


def test_a_signed_statement_verifies_however_it_is_laid_out() -> None:
    for text in (SIGNED, b"\xef\xbb\xbf" + SIGNED, json.dumps(json.loads(SIGNED), indent=4, sort_keys=False).encode()):
        assert verify(text, [SigningKey.make().public, KEY.public]) == (STATEMENT, KEY.public)


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every text, number, boolean and null in a document."""
    if isinstance(value, dict | list):
        for name, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(part, (*path, name))
    else:
        yield path


def other(value: Any) -> Any:
    """Something else of the same kind: of a text, one character."""
    match value:
        case bool():
            return not value
        case None:
            return "2026-01-01T00:00:00Z"
        case int():
            return value + 1
    last = value[-1:]
    return value[:-1] + ("1" if last != "1" else "2")


def changed(document: Any, path: tuple[Any, ...], value: Any) -> bytes:
    document = copy.deepcopy(document)
    place = document
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    return json.dumps(document, ensure_ascii=False).encode()


DOCUMENT = json.loads(SIGNED)


@pytest.mark.parametrize("path", list(leaves(DOCUMENT)), ids=lambda path: ".".join(map(str, path)))
def test_no_part_can_be_changed(path: tuple[Any, ...]) -> None:
    value = DOCUMENT
    for name in path:
        value = value[name]
    text = changed(DOCUMENT, path, other(value))
    expected = {"format": NotAStatement, "signature.algorithm": NotAStatement, "signature.key": OtherKey}
    with pytest.raises(expected.get(".".join(map(str, path)), Changed)):
        verify(text, [KEY.public])


def test_no_part_can_be_added_dropped_or_moved() -> None:
    lines = STATEMENT["lines"]
    for path, value in {
        ("more",): 1,
        ("signature", "more"): 1,
        ("statement", "more"): None,
        ("statement", "lines"): lines[::-1],
        ("statement", "lines", 0): {"shop_code": "S-1", "amount": "2000.00", "more": ""},
    }.items():
        with pytest.raises(Changed):
            verify(changed(DOCUMENT, path, value), [KEY.public])
    with pytest.raises(Changed):
        verify(changed(DOCUMENT, ("statement", "lines"), lines[:1]), [KEY.public])


def test_a_signature_of_another_key_is_none_of_ours() -> None:
    stranger = SigningKey.make()
    forged = sign(STATEMENT, stranger)
    with pytest.raises(OtherKey, match=stranger.public.id):
        verify(forged, [KEY.public])
    with pytest.raises(Changed):
        verify(changed(json.loads(forged), ("signature", "key"), KEY.public.id), [KEY.public])


@pytest.mark.parametrize(
    "text",
    [b"", b"[]", b"{}", b"PK\x03\x04", b'{"format":"dingyao-statement/1"}', json.dumps(STATEMENT).encode()]
    + [
        changed(DOCUMENT, path, value)
        for path, value in [(("signature",), "x"), (("statement",), []), (("format",), "x")]
    ],
)
def test_other_files_are_no_statements(text: bytes) -> None:
    with pytest.raises(NotAStatement):
        verify(text, [KEY.public])


# --- Keys --------------------------------------------------------------------------------------------------------


def test_a_key_is_known_by_its_thumbprint() -> None:
    # RFC 8037, appendix A.3.
    key = PublicKey.from_text("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")
    assert key.id == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_keys_are_read_as_published_one_by_one_and_as_pem() -> None:
    more = SigningKey.make().public
    pem = Ed25519PublicKey.from_public_bytes(more.raw).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    assert read_keys(json.dumps(key_set([KEY.public, more])).encode()) == [KEY.public, more]
    assert read_keys(json.dumps(more.as_jwk()).encode()) == [more]
    assert read_keys(pem) == [more]


def test_files_without_usable_keys_are_refused() -> None:
    curve = generate_private_key(SECP256R1()).public_key()
    for text in (
        b"",
        b"[]",
        b'{"keys": []}',
        b'{"keys": [{"kty": "RSA"}]}',
        b'{"kty": "OKP", "crv": "Ed25519", "x": "short"}',
        json.dumps({**KEY.public.as_jwk(), "kid": SigningKey.make().public.id}).encode(),
        b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        curve.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    ):
        with pytest.raises(BadInput):
            read_keys(text)


def test_a_signing_key_is_shown_by_nothing_but_its_text() -> None:
    assert KEY.text not in repr(KEY)
    with pytest.raises(BadInput) as refused:
        SigningKey.from_text("my secret")
    assert "my secret" not in refused.value.message
    # Of the texts that decode to these bytes only one is taken.
    with pytest.raises(BadInput):
        SigningKey.from_text(KEY.text + "=")


def test_a_machine_makes_its_key_once_for_itself_alone(tmp_path: Path) -> None:
    key = State(tmp_path).statement_key()
    assert State(tmp_path).statement_key() == key
    assert SigningKey.from_text(key).text == key
    assert (tmp_path / "statement_key").stat().st_mode & 0o777 == 0o600

"""One text for one document: the bytes that a signature covers. No Django here.

RFC 8785 (JSON Canonicalization Scheme) for documents of objects, lists, strings, whole numbers, booleans and null: no
white space, members sorted by their names' UTF-16 code units, strings with the shortest escapes, UTF-8. Floats are
refused, as their text differs from one language to the next: amounts are strings.
"""

import json
from collections.abc import Iterable
from typing import Any

# What every reader of JSON keeps exactly: beyond it some take a number for a float.
LARGEST_INTEGER = 2**53 - 1


class NotCanonical(ValueError):
    """A document that has no canonical text, or a text that is no such document; the message says why."""


def canonical(document: Any) -> bytes:
    """Return the document's canonical text. Raises NotCanonical for what JSON or these rules don't have."""
    try:
        return _text(document).encode("utf-8")
    except UnicodeEncodeError:
        raise NotCanonical("a text in it is no valid Unicode") from None
    except RecursionError:
        raise NotCanonical("it is nested too deeply") from None


def read_document(text: bytes) -> Any:
    """Read JSON strictly: UTF-8, no float, no name twice in one object. Raises NotCanonical."""
    try:
        return json.loads(
            text.decode("utf-8-sig"), parse_float=_refuse, parse_constant=_refuse, object_pairs_hook=_members
        )
    except NotCanonical:
        raise
    except UnicodeDecodeError:
        raise NotCanonical("it is no UTF-8 text") from None
    except RecursionError:
        raise NotCanonical("it is nested too deeply") from None
    except ValueError:
        raise NotCanonical("it is no JSON") from None


def _text(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            if abs(value) > LARGEST_INTEGER:
                raise NotCanonical("a whole number in it is too large")
            return str(value)
        case str():
            return json.dumps(value, ensure_ascii=False)
        case list() | tuple():
            return f"[{','.join(map(_text, value))}]"
        case dict():
            # By UTF-16, as RFC 8785 has it: above the basic plane that order differs from Python's own.
            names = sorted(value, key=lambda name: str(name).encode("utf-16-be", "surrogatepass"))
            return f"{{{','.join(f'{_name(name)}:{_text(value[name])}' for name in names)}}}"
    raise NotCanonical(f"a {type(value).__name__} has no place in it")


def _name(name: Any) -> str:
    if not isinstance(name, str):
        raise NotCanonical("a name in it is no text")
    return json.dumps(name, ensure_ascii=False)


def _refuse(text: str) -> Any:
    raise NotCanonical(f"{text[:20]} in it is no whole number")


def _members(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise NotCanonical(f"{name[:40]!r} stands twice in one object")
        found[name] = value
    return found

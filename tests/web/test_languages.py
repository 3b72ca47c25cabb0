"""Every text is in both languages: collected afresh from the sources, and compared with the Chinese catalogue."""

from __future__ import annotations

import io
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.extract import extract
from babel.messages.pofile import read_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[2]
FLOORS = ("config", "core", "partners", "merchants", "incentives", "governance")
KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
}
Text = tuple[str | None, str]


def in_python() -> Iterator[Text]:
    """Every text that the Python sources hand to gettext, with its context."""
    for floor in FLOORS:
        for path in sorted((ROOT / floor).rglob("*.py")):
            if "migrations" in path.parts:
                continue
            with path.open("rb") as source:
                for _, message, _, context in extract("python", source, keywords=KEYWORDS):
                    yield context, message if isinstance(message, str) else message[0]


CALL = re.compile(
    r"(?:_|gettext)\(u?(?P<one>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")\)|ngettext\(u?(?P<many>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")",
    re.DOTALL,
)


def in_templates() -> Iterator[Text]:
    """Every text of the templates, as Django's own collector sees it."""
    for path in sorted(path for path in (ROOT / "templates").rglob("*") if path.suffix in (".html", ".txt")):
        for found in CALL.finditer(templatize(path.read_text(), origin=str(path))):
            quoted = found["one"] or found["many"]
            yield None, eval(quoted)  # noqa: S307 (a literal that Django's collector wrote)


def catalogue(locale: str) -> dict[Text, str]:
    """What a catalogue says: by context and text."""
    path = ROOT / "locale" / locale / "LC_MESSAGES" / "django.po"
    found = {}
    for message in read_po(io.BytesIO(path.read_bytes()), locale=locale):
        if message.id and not message.fuzzy:
            first = message.id if isinstance(message.id, str) else message.id[0]
            said = message.string if isinstance(message.string, str) else next(iter(message.string or ("",)))
            found[message.context, first] = said
    return found


def test_the_collectors_find_texts() -> None:
    assert (None, "Entry %(entry)s is approved") in set(in_python())
    assert ("country", "Germany") in set(in_python())
    assert {(None, "Most urgent"), (None, "One more closure would not change the factor.")} <= set(in_templates())
    assert any(text.startswith("<b>%(standing)s</b> of %(commitment)s committed") for _, text in in_templates())


@pytest.mark.parametrize("locale", ["zh_Hans", "en"])
def test_every_text_is_in_the_catalogue(locale: str) -> None:
    known = catalogue(locale)
    missing = sorted({text for text in {*in_python(), *in_templates()} if text not in known}, key=str)
    assert missing == [], "run `make messages` and translate"


def test_every_text_has_its_chinese() -> None:
    assert sorted(text for (_, text), said in catalogue("zh_Hans").items() if not said) == []


def test_a_translation_keeps_the_places_of_its_values() -> None:
    place = re.compile(r"%\(\w+\)[sd]|%%|\{\w*\}")
    differ = {
        text: said
        for (_, text), said in catalogue("zh_Hans").items()
        if sorted(set(place.findall(text))) != sorted(set(place.findall(said)))
    }
    # Chinese leaves nothing out and adds nothing; only a plural's other form may count differently.
    assert differ == {}


def test_chinese_is_chinese() -> None:
    letters = set(string.ascii_letters)
    english = [
        text
        for (_, text), said in catalogue("zh_Hans").items()
        if said and set(said) & letters and not re.search(r"[\u4e00-\u9fff]", said) and text not in ("English", "ERP")
    ]
    assert english == []

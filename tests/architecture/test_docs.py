"""The documents say what the code does: tables of keys, columns, codes, roles and settings, and every link and name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest
from django.utils import translation

from config.state import ROOT
from core.actors import OPERATOR_ROLES, PARTNER_ROLES, ROLE_CAPABILITIES, Capability, Role
from core.policy import Policy
from incentives.engine.changes import CHANGE_COLUMNS
from incentives.exports import PAYOUT_COLUMNS, RESULT_COLUMNS
from incentives.statement_files import STATEMENT_COLUMNS
from merchants.imports.faults import RowError, explain
from merchants.imports.kinds import KINDS
from merchants.states import FeedKind

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
APPS = ("config", "core", "partners", "merchants", "incentives", "governance")

# One fault of each code, as a row of a feed has it: the feed, the column, what stands in it.
FAULTS: dict[RowError, tuple[FeedKind, str, str | None]] = {
    RowError.MISSING: (FeedKind.TARGETS, "listed_on", None),
    RowError.MALFORMED: (FeedKind.STOCK, "sellable", "-3"),
    RowError.CHARACTERS: (FeedKind.PARTNERS, "name", "Harbour\u200b"),
    RowError.UNKNOWN_REFERENCE: (FeedKind.SETTLEMENTS, "shop_code", "S-99"),
    RowError.CODE_CASE: (FeedKind.PARTNERS, "partner_code", "harbour"),
    RowError.SIGN: (FeedKind.SETTLEMENTS, "amount", "-5.00"),
    RowError.DECIMALS: (FeedKind.SETTLEMENTS, "amount", "1.00001"),
    RowError.RATE: (FeedKind.FX, "rate", "0"),
    RowError.PERIOD: (FeedKind.CLAIMS, "expires_at", "2025-01-01T00:00:00Z"),
    RowError.ORDER_OF_TIMES: (FeedKind.SETTLEMENTS, "settled_at", "2025-01-01T00:00:00Z"),
    RowError.NAMES_NOBODY: (FeedKind.TARGETS, "registration_no", None),
    RowError.TRACK_PARTNER: (FeedKind.TARGETS, "partner_code", None),
    RowError.CLAIM_OVERLAP: (FeedKind.CLAIMS, "claimed_at", "2025-01-01T00:00:00Z"),
    RowError.FORBIDDEN_REPEAT: (FeedKind.SETTLEMENTS, "amount", "160.00"),
    RowError.TOO_OFTEN: (FeedKind.FX, "rate_date", "2025-01-02"),
    RowError.FUTURE: (FeedKind.SHOP_STATUSES, "at", "2099-01-01T00:00:00Z"),
}


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def section(text: str, title: str) -> str:
    """What stands under a heading, up to the next one of any rank."""
    found = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#|\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"there is no heading {title!r}"
    return found[1]


def rows(text: str) -> list[list[str]]:
    """The tables' rows that begin with a word in code, as cells."""
    lines = [line for line in text.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def word(cell: str) -> str:
    return cell.strip("`")


# --- Roles --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("title", "roles"), [("Operators", OPERATOR_ROLES), ("Partners", PARTNER_ROLES)])
def test_roles_have_the_capabilities_that_the_page_shows(title: str, roles: frozenset[Role]) -> None:
    text = section(read("docs/roles.md"), title)
    header = next(line for line in text.splitlines() if line.startswith("| capability"))
    columns = [Role(name) for name in re.findall(r"`(\w+)`", header)]
    shown: dict[Role, set[str]] = {role: set() for role in columns}
    for capability, *marks in (row for row in rows(text) if word(row[0]) in set(Capability)):
        for role, mark in zip(columns, marks, strict=True):
            assert mark in ("", "●")
            if mark:
                shown[role].add(word(capability))
    assert shown == {role: set(ROLE_CAPABILITIES[role]) for role in roles}


def test_every_role_and_capability_is_explained() -> None:
    text = read("docs/roles.md")
    assert [word(row[0]) for row in rows(section(text, "What each allows"))] == list(Capability)
    explained = {word(row[0]) for row in rows(text) if len(row) == 3}
    assert explained >= set(Role)


def test_capabilities_that_no_act_asks_for_are_named() -> None:
    sources = [path for app in APPS for path in (ROOT / app).rglob("*.py") if path != ROOT / "core" / "actors.py"]
    asked = set(re.findall(r"Capability\.([A-Z_]+)", "\n".join(path.read_text(encoding="utf-8") for path in sources)))
    named = re.search(r"No act asks for these yet: ([^.]*)\.", read("docs/roles.md"))
    assert set(re.findall(r"`(\w+)`", named[1] if named else "")) == {
        capability.value for capability in Capability if capability.name not in asked
    }


# --- Policy and feeds ---------------------------------------------------------------------------------------


def keys_of(document: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in document.items():
        if isinstance(value, dict) and value:
            yield from keys_of(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def test_policy_keys_and_their_defaults() -> None:
    table = {word(key): word(default) for key, _, default in rows(section_all("docs/policy.md", "The keys"))}
    assert {key: json.loads(default) for key, default in table.items()} == dict(keys_of(Policy().document()))


def section_all(name: str, title: str) -> str:
    """What stands under a heading of the second rank, its subheadings included."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", read(name), re.MULTILINE | re.DOTALL)
    assert found, f"{name} has no heading {title!r}"
    return found[1]


@pytest.mark.parametrize("kind", FeedKind.values)
def test_feed_columns(kind: str) -> None:
    table = rows(section(section_all("docs/feeds.md", "The ten feeds"), kind))
    shown = [(word(name), mark == "–") for name, mark, _ in table]
    assert shown == [(column.name, not column.required) for column in KINDS[FeedKind(kind)].columns]


def test_row_errors_and_their_messages() -> None:
    table = {word(code): word(example) for code, _, example in rows(section_all("docs/feeds.md", "Row errors"))}
    with translation.override("en"):
        messages = {
            error.value: explain(error, kind=kind, column=column, value=value, spec=KINDS[kind].by_name[column])
            for error, (kind, column, value) in FAULTS.items()
        }
    assert list(messages) == list(RowError)
    assert table == messages


@pytest.mark.parametrize(
    ("name", "columns"), [("results", RESULT_COLUMNS), ("payouts", PAYOUT_COLUMNS), ("changes", CHANGE_COLUMNS)]
)
def test_export_columns(name: str, columns: tuple[str, ...]) -> None:
    table = rows(section(section_all("docs/feeds.md", "Exports"), name))
    assert tuple(word(row[0]) for row in table) == columns


def test_statement_columns() -> None:
    table = rows(section(section_all("docs/feeds.md", "Statements"), "As a table"))
    assert tuple(word(row[0]) for row in table) == STATEMENT_COLUMNS


# --- Names, settings, links ---------------------------------------------------------------------------------


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Any) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", document.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (document.parent / target).exists(), f"{target} in {document.name}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_names_of_code_exist(document: Any) -> None:
    """Whatever looks like a file or an object of ours is one."""
    for name in re.findall(r"`([^`\n]+)`", document.read_text(encoding="utf-8")):
        if re.fullmatch(rf"({'|'.join((*APPS, 'tests', 'docs'))})/[\w./-]*", name):
            assert (ROOT / name).exists(), name
        elif re.fullmatch(rf"({'|'.join(APPS)})(\.\w+)+", name):
            assert resolves(name), name


def test_variables_of_the_environment() -> None:
    """Every variable that the product reads is in the table of operations, and none besides."""
    readers = re.compile(r"""(?:env\.\w+|os\.environ(?:\.get|\.setdefault)?)[(\[]\s*["']([A-Z_]+)["']""")
    paths = [path for path in (ROOT / "config").rglob("*.py") if path.name != "test.py"]
    read_ = {name for path in paths for name in readers.findall(path.read_text(encoding="utf-8"))}
    table = rows(section_all("docs/operations.md", "Environment"))
    assert {word(cells[0].split()[0]) for cells in table} == read_ - {"DJANGO_SETTINGS_MODULE"}


def resolves(name: str) -> bool:
    """Whether a dotted name is a module, which isn't imported (settings read the world), or something in one."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            spec = find_spec(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        if spec is None:
            continue
        found: Any = import_module(spec.name) if parts[length:] else None
        for attribute in parts[length:]:
            if not hasattr(found, attribute):
                return False
            found = getattr(found, attribute)
        return True
    return False

"""docs/payouts.md says what the code does: steps and who may take them, columns, codes, accounts."""

from __future__ import annotations

import re

import pytest

from config.state import ROOT
from core.actors import OPERATOR_ROLES, ROLE_CAPABILITIES
from incentives.bank_formats import BANK_COLUMNS, RESULT_COLUMNS
from incentives.policies import OPENED_BY
from incentives.services.bulk import MOST, PIECE
from incentives.states import Account, AdjustmentKind

TEXT = (ROOT / "docs" / "payouts.md").read_text(encoding="utf-8")


def table(title: str) -> list[list[str]]:
    """The rows of the table under a heading, each cell's words in code."""
    found = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#|\Z)", TEXT, re.MULTILINE | re.DOTALL)
    assert found, title
    lines = [line for line in found[1].splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]


def first(title: str) -> tuple[str, ...]:
    return tuple(row[0].strip("`") for row in table(title))


def test_the_steps_and_who_may_take_them() -> None:
    shown = {row[0].strip("`"): set(re.findall(r"`(\w+)`", row[1])) for row in table("Its life")}
    submit = shown.pop("submit")
    assert submit == {role.value for role in OPERATOR_ROLES if "submit_payout" in ROLE_CAPABILITIES[role]}
    assert shown == {
        step: {role.value for role in OPERATOR_ROLES if ROLE_CAPABILITIES[role] & set(capabilities)}
        for step, capabilities in OPENED_BY.items()
    }


@pytest.mark.parametrize(
    ("title", "names"),
    [
        ("The file for the bank", BANK_COLUMNS),
        ("Adjustments", tuple(kind.value for kind in AdjustmentKind)),
        ("The ledger", tuple(account.value for account in Account)),
    ],
)
def test_the_tables(title: str, names: tuple[str, ...]) -> None:
    assert first(title) == names


def test_the_result_file() -> None:
    shown = first("The bank's result file")
    assert shown[: len(RESULT_COLUMNS)] == RESULT_COLUMNS
    source = (ROOT / "incentives" / "services" / "bank_results.py").read_text(encoding="utf-8")
    codes = set(re.findall(r'code="(\w+)"', source)) | {"held", "not_allowed"}
    assert set(shown[len(RESULT_COLUMNS) :]) == codes


def test_the_numbers_of_bulk_decisions() -> None:
    assert f"pieces of {PIECE}" in TEXT
    assert f"at most {MOST:,}" in TEXT

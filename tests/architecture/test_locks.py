"""The locks: complete, hashed, and silent about where packages come from."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from config.state import ROOT

LOCKS = ["requirements.txt", "requirements-dev.txt"]


def pins(name: str) -> dict[str, str]:
    found = re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", (ROOT / name).read_text(), re.MULTILINE)
    return {package.lower(): version for package, version in found}


def wanted(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=!~; ]", requirement)[0].lower() for requirement in requirements}


@pytest.mark.parametrize("name", LOCKS)
def test_no_host_and_no_path(name: str) -> None:
    text = (ROOT / name).read_text()
    assert not re.search(r"://|--index|--find-links|--extra|--trusted|@ ", text)
    assert not re.search(r"(^|\s)(/|\./|~/|file:)", text, re.MULTILINE)


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_has_hashes(name: str) -> None:
    blocks = re.split(r"\n(?=[a-z])", (ROOT / name).read_text().partition("\namqp")[2])
    assert all("--hash=sha256:" in block for block in blocks)


def test_they_hold_what_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    runtime = wanted(project["project"]["dependencies"])
    assert runtime <= set(pins("requirements.txt"))
    assert runtime | wanted(project["dependency-groups"]["dev"]) <= set(pins("requirements-dev.txt"))


def test_both_agree() -> None:
    development = pins("requirements-dev.txt")
    assert {name: development[name] for name in pins("requirements.txt")} == pins("requirements.txt")


def test_every_dependency_has_a_lower_bound() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    for requirement in [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]:
        assert ">=" in requirement, requirement


def test_no_lock_that_records_hosts() -> None:
    assert not [name for name in ("uv.lock", "pylock.toml", "poetry.lock", "pdm.lock") if Path(ROOT / name).exists()]

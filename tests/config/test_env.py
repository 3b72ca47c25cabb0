"""Readers of the environment fail loudly."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.env import Environment


def test_text() -> None:
    assert Environment({"NAME": " portal "}).text("NAME") == "portal"
    assert Environment({}).text("NAME", "default") == "default"


def test_empty_counts_as_absent() -> None:
    assert Environment({"NAME": "  "}).optional("NAME") is None
    with pytest.raises(ImproperlyConfigured, match="NAME is not set"):
        Environment({"NAME": ""}).text("NAME")


@pytest.mark.parametrize(("text", "value"), [("true", True), ("YES", True), ("1", True), ("off", False), ("0", False)])
def test_flag(text: str, value: bool) -> None:
    assert Environment({"DEBUG": text}).flag("DEBUG") is value


def test_a_flag_that_is_neither() -> None:
    with pytest.raises(ImproperlyConfigured, match="DEBUG='maybe' is neither yes nor no"):
        Environment({"DEBUG": "maybe"}).flag("DEBUG")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("many", "not a whole number"),
        ("1.5", "not a whole number"),
        ("0", "too small: at least 1"),
        ("99", "too large"),
    ],
)
def test_a_wrong_number(text: str, words: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=words):
        Environment({"WORKERS": text}).integer("WORKERS", 2, minimum=1, maximum=9)


def test_numbers() -> None:
    assert Environment({"WORKERS": "3"}).integer("WORKERS", 2, minimum=1) == 3
    assert Environment({}).integer("WORKERS", 2, minimum=1) == 2
    with pytest.raises(ImproperlyConfigured, match="WORKERS is not set"):
        Environment({}).integer("WORKERS")


def test_lists() -> None:
    assert Environment({"HOSTS": "a, b,,c"}).words("HOSTS") == ["a", "b", "c"]
    assert Environment({}).words("HOSTS", []) == []
    with pytest.raises(ImproperlyConfigured, match="HOSTS is not set"):
        Environment({}).words("HOSTS")


def test_urls_need_their_scheme() -> None:
    assert Environment({"ORIGINS": "https://a.example,http://b"}).urls("ORIGINS") == ["https://a.example", "http://b"]
    with pytest.raises(ImproperlyConfigured, match=r"'portal\.example\.com' is not a URL"):
        Environment({"ORIGINS": "portal.example.com"}).urls("ORIGINS")


def test_a_time_zone() -> None:
    assert Environment({"ZONE": "Europe/Berlin"}).zone("ZONE", "Asia/Shanghai") == "Europe/Berlin"
    assert Environment({}).zone("ZONE", "Asia/Shanghai") == "Asia/Shanghai"
    for text in ("Mars", "Europe", "+08:00", "../etc/passwd"):
        with pytest.raises(ImproperlyConfigured, match="is no time zone"):
            Environment({"ZONE": text}).zone("ZONE", "Asia/Shanghai")

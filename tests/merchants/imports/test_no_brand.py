"""The words for "no brand" are a setting, and feeds go by it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.test import override_settings

from config.env import Environment
from config.state import ROOT
from merchants.models import Shop
from merchants.naming import NO_BRAND_WORDS
from tests.merchants.imports.feeds import GOOD, Feeds


def test_the_usual_words_are_the_default() -> None:
    assert settings.NO_BRAND_WORDS == NO_BRAND_WORDS


def test_the_environment_names_them_with_bars_between() -> None:
    environment = Environment({"NO_BRAND_WORDS": " 无 | unbranded, plain ||n/a"})
    assert environment.words("NO_BRAND_WORDS", separator="|") == ["无", "unbranded, plain", "n/a"]
    told = subprocess.run(
        [sys.executable, "-c", "from config.settings.parts import language; print(language.NO_BRAND_WORDS)"],
        cwd=ROOT,
        env={**os.environ, "NO_BRAND_WORDS": "Ohne|no name"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.strip() == "('Ohne', 'no name')"


@pytest.mark.parametrize(
    ("words", "brands"),
    [(NO_BRAND_WORDS, {"S-1": None, "S-2": "no name"}), (("NO  Name",), {"S-1": "generic", "S-2": None})],
)
def test_feeds_go_by_the_setting(feeds: Feeds, words: tuple[str, ...], brands: dict[str, str | None]) -> None:
    feeds.world(until="shops")
    base = {**GOOD["shops"], "invite_code": ""}
    with override_settings(NO_BRAND_WORDS=words):
        loaded = feeds.load(
            "shops",
            {**base, "shop_code": "S-1", "brand": "Generic"},
            {**base, "shop_code": "S-2", "brand": "Ｎo name"},
        )
    assert loaded.new == 2
    assert dict(Shop.objects.values_list("code", "brand__key")) == brands

"""What the tests of feeds share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.merchants.imports.feeds import Feeds


@pytest.fixture
def feeds(db: None, tmp_path: Path) -> Feeds:
    """Loads files from a folder of the test's own."""
    return Feeds(tmp_path)

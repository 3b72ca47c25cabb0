"""Who and what the tests of payouts are about."""

from __future__ import annotations

import pytest

from tests.incentives.factories import World, make_world


@pytest.fixture
def world(db: None) -> World:
    """Two partners, their people, the operators, and a finished run of a program that has closed."""
    return make_world()

"""Signed-in browsers for the personas, and payouts to tell them of."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from tests.incentives.factories import World, make_world


@pytest.fixture
def world(db: None) -> World:
    """Two partners, their people, the operators, and a finished run of a program that has closed."""
    return make_world(name={"en": "Spring", "zh-hans": "春季"})


@pytest.fixture
def sign_in(world: World) -> Callable[..., Client]:
    """Return a client that is signed in as the persona of this name, reading English."""

    def browser(name: str, language: str = "en") -> Client:
        client = Client(headers={"accept-language": language})
        client.force_login(getattr(world, name))
        return client

    return browser

"""The seeded demo, for the tests that look at what is in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import transaction
from pytest_django import DjangoDbBlocker

from incentives.demo.seeding import Seeded, seed
from incentives.engine.run import work
from tests.demo.test_season import MID_QUARTER


@pytest.fixture(scope="module")
def seeded(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Seeded]:
    """One seeding for the whole module, of a fixed day, with its newest runs worked on; undone at the end."""
    folder = tmp_path_factory.mktemp("state")
    with django_db_blocker.unblock(), transaction.atomic():
        found = seed(now=MID_QUARTER, folder=folder, live=False)
        assert not list(folder.iterdir())
        for run in found.runs:
            work(run.pk)
            run.refresh_from_db()
        yield found
        transaction.set_rollback(True)

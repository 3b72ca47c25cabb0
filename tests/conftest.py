"""What every test may ask for: the servers, and (below) the personas."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection
from django.test import TransactionTestCase
from django.utils import translation

from config.settings.test import TEST_FOLDER
from tests.services import TestServices
from tests.shell import shell  # noqa: F401  (a fixture)

# --- Servers ------------------------------------------------------------------------------------------------

_services = TestServices(TEST_FOLDER)


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def pytest_sessionstart(session: pytest.Session) -> None:
    """In a parallel run the controller starts the servers, once, before it starts the workers."""
    if not _is_worker(session.config) and getattr(session.config.option, "numprocesses", None):
        _services.start()


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what this process started; a worker has started nothing."""
    if not _is_worker(config):
        _services.stop()


@pytest.fixture(scope="session")
def services(request: pytest.FixtureRequest) -> TestServices:
    """PostgreSQL and Valkey, running. Tests of pure rules don't ask for it and don't wait for it."""
    if not _is_worker(request.config):
        _services.start()
    return _services


@pytest.fixture(scope="session")
def django_db_modify_db_settings(services: TestServices, django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Whatever needs the database needs the server first: pytest-django asks for this before it connects."""


# --- Tests that commit ------------------------------------------------------------------------------------------------
# After a test with `transaction=True` Django empties the tables, which the append-only triggers rightly refuse. Only
# here, between two tests, they are asked to look away.

_empty_tables = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]


def _empty_protected_tables(self: TransactionTestCase) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
    try:
        _empty_tables(self)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = DEFAULT")


TransactionTestCase._fixture_teardown = _empty_protected_tables  # type: ignore[attr-defined]


# --- Language --------------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """Tests read English, whether or not the catalogues are compiled; those about Chinese ask for it."""
    with translation.override("en"):
        yield

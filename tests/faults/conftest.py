"""A small quarter in the test's own database, for faults that need no processes; and a proxy before it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection
from pytest_django import Settings

from core.models import Program
from incentives.engine.run import start_run
from incentives.models import Run
from tests.engine import harness
from tests.faults.proxy import Proxy
from tests.oracle.quarters import make_quarter

SHOPS = 40


@pytest.fixture
def program(transactional_db: None, settings: Settings, tmp_path: Path) -> Program:
    """A quarter, loaded. Leases last an hour: whatever waits for one to run out isn't done in time."""
    settings.ENGINE_CHUNK_SHOPS = 8
    settings.ENGINE_LEASE_SECONDS = 3600
    quarter = make_quarter(7, shops=SHOPS)
    for each in quarter.programs:
        harness.publish_program(each.code, each.start, each.end, quarter.policy)
    harness.load(quarter.batches, tmp_path)
    return Program.objects.get(code=quarter.program.code)


@pytest.fixture
def calm(program: Program) -> Run:
    """The run that nothing disturbs; later ones judge the same moment."""
    run = start_run(actor=harness.ACTOR, program=program, inline=True)
    assert run.as_of is not None
    return finish(run)


@pytest.fixture
def proxy(transactional_db: None) -> Iterator[Proxy]:
    """Our own connection, led through a proxy from now on."""
    folder = Path(tempfile.mkdtemp(prefix="dy-"))  # a socket's path has to be short
    place = connection.settings_dict
    host, port = place["HOST"], place["PORT"]
    proxy = Proxy(folder, host or "localhost", int(port or 5432))
    connection.close()
    place["HOST"], place["PORT"] = str(folder), str(proxy.port)
    try:
        yield proxy
    finally:
        connection.close()
        place["HOST"], place["PORT"] = host, port
        proxy.close()
        shutil.rmtree(folder)


def finish(run: Run) -> Run:
    """Work on the run in this process, to its end."""
    from incentives.engine.run import work

    work(run.pk)
    run.refresh_from_db()
    return run

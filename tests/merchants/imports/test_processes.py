"""Loads as people start them: processes, several at a time, cancelled in the middle."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from config.state import ROOT
from core.models import AuditEvent, FactBatch
from merchants.models import Import, Settlement, Shop
from merchants.states import ImportState
from partners.models import Partner
from tests.config.processes import eventually
from tests.merchants.imports.feeds import GOOD, Feeds, make_program, write

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]


def environment() -> dict[str, str]:
    """The test's own database for a process of its own; a broker that is away, which no load minds."""
    given: dict[str, Any] = settings.DATABASES["default"]
    name = connection.settings_dict["NAME"]
    host = str(given["HOST"]).replace("/", "%2F")
    user = f"{given['USER']}@" if given["USER"] else ""
    where = f"?host={host}" if host.startswith("%2F") else ""
    place = "" if where else f"{host}:{given['PORT']}"
    return {
        **os.environ,
        "DATABASE_URL": f"postgresql://{user}{place}/{name}{where}",
        "DJANGO_SETTINGS_MODULE": "config.settings.local",
    }


def start(*arguments: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "manage.py", *map(str, arguments)],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Tests that run in the background inherit a deaf ear for Ctrl-C; a person at a terminal doesn't.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 (no threads here)
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, list[str], list[str]]:
    out, err = process.communicate(timeout=120)
    assert "Traceback" not in out + err
    return process.returncode, out.splitlines(), err.splitlines()


def test_ten_loads_of_one_file_at_once(feeds: Feeds, tmp_path: Path) -> None:
    make_program()
    feeds.load("partners")
    feeds.load("targets", {**GOOD["targets"], "track": "target", "partner_code": ""})
    shops = [
        {**GOOD["shops"], "shop_code": f"S-{n}", "registration_no": f"M-{n}", "invite_code": ""} for n in range(300)
    ]
    path = write(tmp_path / "shops.csv", shops)
    with ThreadPoolExecutor(10) as pool:
        ended = list(pool.map(finish, [start("load", "shops", path) for _ in range(10)]))
    assert [(status, errors) for status, _, errors in ended] == [(0, [])] * 10
    last = sorted(lines[-1].split(" ", 2)[2] for _, lines, _ in ended)
    assert last == ["rows 300 new 0 unchanged 300 updated 0 rejected 0"] * 9 + [
        "rows 300 new 300 unchanged 0 updated 0 rejected 0"
    ]
    assert len({lines[-1].split()[1] for _, lines, _ in ended}) == 10
    assert Shop.objects.count() == 300
    assert Import.objects.filter(kind="shops", state=ImportState.LANDED).count() == 10


def test_exit_statuses_and_lines(feeds: Feeds, tmp_path: Path) -> None:
    good, bad = GOOD["partners"], {**GOOD["partners"], "partner_code": "P 2"}
    path = write(tmp_path / "partners.csv", [good, bad], [*good, "note", "not\u200be"])
    status, lines, errors = finish(start("load", "partners", path))
    assert (status, errors) == (3, [])
    assert lines[0] == "columns not known, ignored: note, 'not\\u200be'"
    assert lines[1].startswith("line 3: malformed: partner_code: “P 2”")
    batch = FactBatch.objects.get().pk
    assert lines[-1] == f"batch {batch} rows 2 new 1 unchanged 0 updated 0 rejected 1"

    status, lines, _ = finish(start("load", "partners", path, "--strict"))
    assert (status, lines[-1]) == (3, "batch 0 rows 2 new 0 unchanged 0 updated 0 rejected 1")

    status, lines, _ = finish(start("rejected_rows", str(batch)))
    assert (status, len(lines)) == (0, 2)
    assert lines[1].startswith("P 2,")

    for arguments, word in (
        (("load", "partners", tmp_path / "none.csv"), "can't be read"),
        (("load", "partners", path, "--recorded-at", "2026-01-01"), "--recorded-at"),
        (("load", "partners", path, "--recorded-at", "2999-01-01T00:00:00Z"), "future"),
        (("load", "sales", path), "invalid choice"),
        (("load", "fx", path), "needs the column"),
    ):
        status, lines, errors = finish(start(*arguments))
        assert (status, lines) == (2, [])
        assert word in errors[-1]
    assert Partner.objects.count() == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_cancelled_load_records_nothing(feeds: Feeds, tmp_path: Path, number: int) -> None:
    feeds.world(until="settlements")
    # Held up by a lock that it needs, the load stays in its middle for as long as the test likes.
    lines = [{**GOOD["settlements"], "line_code": f"N-{n}"} for n in range(2000)]
    path = write(tmp_path / "lines.csv", lines)
    before = AuditEvent.objects.count(), FactBatch.objects.count()
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("LOCK TABLE merchants_settlement IN ACCESS EXCLUSIVE MODE")
        try:
            process = start("load", "settlements", path)
            assert eventually(_waits, 30)
            process.send_signal(number)
            status, _, errors = finish(process)
        finally:
            cursor.execute("ROLLBACK")
    assert (status, errors) == (130, ["Cancelled; nothing was recorded."])
    assert not Settlement.objects.exists()
    trace = Import.objects.get(kind="settlements")
    assert (trace.state, trace.error, trace.batch, trace.rows) == (ImportState.FAILED, "Cancelled.", None, 0)
    assert (AuditEvent.objects.count(), FactBatch.objects.count()) == (before[0] + 1, before[1])
    assert feeds.load("settlements", *lines).new == 2000


def _waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation"
            " WHERE c.relname = 'merchants_settlement' AND NOT l.granted"
        )
        return bool(cursor.fetchone()[0])


def test_a_database_that_is_away(tmp_path: Path) -> None:
    path = write(tmp_path / "fx.csv", [GOOD["fx"]])
    gone = {**environment(), "DATABASE_URL": f"postgresql://x@/x?host={str(tmp_path).replace('/', '%2F')}"}
    ended = subprocess.run(
        [sys.executable, "manage.py", "load", "fx", str(path)],
        cwd=ROOT,
        env=gone,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    assert "DATABASE_URL" in ended.stderr

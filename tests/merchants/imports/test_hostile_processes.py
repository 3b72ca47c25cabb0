"""Hostile files given to the real command: how long it takes, how much memory, and what a full disk does to it.

Time and memory are what a load takes more than one of a small good file; the time is the processor's, since whatever
else the machine does is not the file's fault. `-s` shows them as a table.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.db import connection

from config.state import ROOT
from core.models import FactBatch
from merchants.models import Import, Rate
from merchants.states import ImportState
from tests.merchants.imports import hostile
from tests.merchants.imports.feeds import GOOD, Feeds, counts, write
from tests.merchants.imports.hostile import HEADER, workbook
from tests.merchants.imports.test_hostile_files import BOOKS, TEXTS
from tests.merchants.imports.test_processes import environment

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

MOST_SECONDS, MOST_MIB = 2.0, 150.0
# A process's own peak: what the system counts for an ended child may be its parent's, from before its start.
MEASURED = """
import atexit, pathlib, re, runpy, sys, time
_, where, *sys.argv = sys.argv
def write():
    status = pathlib.Path("/proc/self/status").read_text()
    peak = re.search(r"VmHWM:\\s+(\\d+)", status)[1]
    pathlib.Path(where).write_text(peak + " " + str(time.process_time()))
atexit.register(write)
sys.path.insert(0, ".")
runpy.run_path(sys.argv[0], run_name="__main__")
"""

needs_proc = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc: peak memory can't be read")


@dataclass(frozen=True)
class Ended:
    """A load that has ended: its status and lines, its seconds, and its peak of memory in MiB."""

    status: int
    out: list[str]
    errors: list[str]
    seconds: float
    peak: float


def load(
    kind: str,
    path: Path,
    *options: str,
    before: Callable[[], None] | None = None,
    under: tuple[str, ...] = (),
    variables: Mapping[str, str] | None = None,
) -> Ended:
    peak = path.with_name("peak")
    command = [*under, sys.executable, "-c", MEASURED, str(peak), "manage.py", "load", kind, str(path), *options]
    ended = subprocess.run(
        command,
        cwd=ROOT,
        env={**environment(), **(variables or {})},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        preexec_fn=before,
    )
    assert "Traceback" not in ended.stdout + ended.stderr
    peaked, seconds = peak.read_text().split() if peak.exists() else ("0", "0")
    out, errors = ended.stdout.splitlines(), ended.stderr.splitlines()
    return Ended(ended.returncode, out, errors, float(seconds), int(peaked) / 1024)


_usual: list[Ended] = []


@pytest.fixture
def usual(tmp_path: Path) -> Ended:
    """A small good file: what any load takes. Loaded twice, since then everything has been read once."""
    if not _usual:
        path = tmp_path / "usual.csv"
        path.write_bytes(HEADER + b"2025-12-31,EUR,8.1\n")
        load("fx", path)
        _usual.append(load("fx", path))
        assert (_usual[0].status, _usual[0].out[-1].split(" ", 2)[2]) == (
            0,
            "rows 1 new 0 unchanged 1 updated 0 rejected 0",
        )
    return _usual[0]


def show(case: str, ended: Ended, usual: Ended) -> None:
    said = (ended.errors or ended.out)[-1]
    print(f"\n| {case} | {said} | {ended.seconds - usual.seconds:.2f} | {ended.peak - usual.peak:.0f} |", end="")


IN_ORDINARY = (
    "a line of 1 GiB",
    "a row of millions of quoted cells",
    "1 GiB of line ends",
    "gzip: a line of 1 GiB",
    "unzips to 1 GiB and says 1 KiB",
    "billion laughs in the sheet",
    "XML of nothing",
    "a few texts in very many cells",
)
CASES = {**{name: (*case, ".csv") for name, case in TEXTS.items()}, **{n: (*c, ".xlsx") for n, c in BOOKS.items()}}


def _refuse(cases: tuple[str, ...], usual: Ended, tmp_path: Path) -> None:
    failures = []
    for case in cases:
        make, words, ending = CASES[case]
        path = tmp_path / f"a{ending}"
        make(path)
        before = (FactBatch.objects.count(), Rate.objects.count())
        small = {"UPLOAD_MAX_UNZIPPED_MEGABYTES": "100"} if "few texts" in case else {}
        ended = load("fx", path, variables=small)
        path.unlink()
        show(case, ended, usual)
        refused = (ended.status, len(ended.errors), ended.out) == (2, 1, []) and all(
            w in ended.errors[0] for w in words
        )
        bounded = ended.seconds - usual.seconds <= MOST_SECONDS and ended.peak - usual.peak <= MOST_MIB
        nothing = (FactBatch.objects.count(), Rate.objects.count()) == before
        if not (refused and bounded and nothing):
            failures.append((case, ended))
    assert not failures
    assert not Import.objects.filter(state=ImportState.RUNNING).exists()


@needs_proc
def test_hostile_files_are_refused_quickly_and_in_little_memory(usual: Ended, tmp_path: Path) -> None:
    _refuse(IN_ORDINARY, usual, tmp_path)


@pytest.mark.proof
@needs_proc
def test_all_hostile_files(usual: Ended, tmp_path: Path) -> None:
    _refuse(tuple(case for case in CASES if case not in IN_ORDINARY), usual, tmp_path)


@needs_proc
def test_long_bad_rows_are_kept_in_little_memory(usual: Ended, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    wide = ",".join(f"n{n}" for n in range(200))
    line = "?,?,?," + ",".join(["语" * 100] * 200) + "\n"
    path.write_text(f"rate_date,currency,rate,{wide}\n" + line * 100)
    ended = load("fx", path)
    show("100 bad rows of 60 KB", ended, usual)
    assert (ended.status, ended.out[-1].split(" ", 2)[2]) == (3, "rows 100 new 0 unchanged 0 updated 0 rejected 100")
    assert ended.peak - usual.peak <= MOST_MIB


@pytest.mark.proof
@needs_proc
def test_a_workbook_as_large_as_they_come(usual: Ended, tmp_path: Path) -> None:
    """A full sheet of 300 MiB, and a million shared texts: memory doesn't grow with the file."""
    cells = "".join(f'<c t="inlineStr"><is><t>{text:>60}</t></is></c>' for text in ("2026-01-01", "EURO", "8.1"))
    rows = hostile.deflated(
        hostile.SHEET,
        (b"<worksheet><sheetData>" + hostile.FX_HEADER, 1),
        (f"<row>{cells}</row>".encode() * 100, 10_000),
        (b"</sheetData></worksheet>", 1),
    )
    texts = hostile.deflated(
        "xl/sharedStrings.xml", (b"<sst>", 1), (b"<si><t>" + b"t" * 100 + b"</t></si>", 1_000_000), (b"</sst>", 1)
    )
    workbook(tmp_path / "a.xlsx", rows, texts)
    script = (
        "import pathlib, django; django.setup()\n"
        "from merchants.imports.reader import open_rows; from merchants.imports.source import inspect\n"
        "with open_rows(inspect(pathlib.Path('{}'))) as rows: print(sum(map(len, rows.blocks)))\n"
        "print(pathlib.Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0])"
    ).format(tmp_path / "a.xlsx")
    ended = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment(), capture_output=True, text=True, check=False
    )
    assert ended.stderr == ""
    count, peak = ended.stdout.split()
    assert int(count) == 1_000_000
    assert int(peak) / 1024 - usual.peak <= MOST_MIB


# --- Full disks -------------------------------------------------------------------------------------------------------


def _failed(ended: Ended, *words: str) -> None:
    assert (ended.status, ended.out, len(ended.errors)) == (1, [], 1)
    for word in words:
        assert word in ended.errors[0]
    trace = Import.objects.latest("pk")
    assert (trace.state, trace.batch, trace.error) == (ImportState.FAILED, None, ended.errors[0])
    assert not Rate.objects.exists()


def _bad_rates(path: Path, rows: int) -> Path:
    return write(path, [{**GOOD["fx"], "currency": "?", "rate": f"{n}"} for n in range(1, rows + 1)])


def test_a_limit_on_the_size_of_files(feeds: Feeds, tmp_path: Path) -> None:
    """As a quota would: whoever runs it, no file may grow past 64 KiB."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, 65_536))

    path = _bad_rates(tmp_path / "a.csv", 3000)
    _failed(load("fx", path, "--strict", before=limit), "temporary files", "File too large", "TMPDIR")
    texts = b"<sst>" + b"".join(b"<si><t>%06d%b</t></si>" % (n, b"x" * 30_000) for n in range(150)) + b"</sst>"
    workbook(tmp_path / "a.xlsx", ("xl/sharedStrings.xml", texts))
    _failed(load("fx", tmp_path / "a.xlsx", before=limit), "temporary files", "File too large")
    assert counts(feeds.load("fx")) == (1, 0, 0, 0)


def _may_mount() -> bool:
    tried = [shutil.which("unshare") or "false", "--mount", "--map-root-user", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    return subprocess.run(tried, capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not _may_mount(), reason="no tmpfs of one's own here (unshare --map-root-user, mount)")
def test_a_full_folder_for_temporary_files(feeds: Feeds, tmp_path: Path) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = ("unshare", "--mount", "--map-root-user", "sh", "-c")
    under = (*mounted, f'mount -t tmpfs -o size=64k tmpfs {folder} && exec "$@"', "sh")
    path = _bad_rates(tmp_path / "a.csv", 3000)
    ended = load("fx", path, "--strict", under=under, variables={"TMPDIR": str(folder)})
    _failed(ended, str(folder), "No space left on device")
    assert list(folder.iterdir()) == []
    assert counts(feeds.load("fx")) == (1, 0, 0, 0)


@contextmanager
def _small_tablespace(folder: Path) -> Iterator[None]:
    """A disk of 2 MiB for the database's temporary tables."""
    name = connection.settings_dict["NAME"]
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m,mode=777", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("no tmpfs can be mounted where the database sees it: that takes root")
    try:
        data = folder / "data"
        data.mkdir(mode=0o700)
        with connection.cursor() as cursor:
            cursor.execute("SHOW data_directory")
            owner = Path(cursor.fetchone()[0]).stat()
            os.chown(data, owner.st_uid, owner.st_gid)
            cursor.execute(f"CREATE TABLESPACE small LOCATION '{data}'")
            try:
                cursor.execute(f"ALTER DATABASE \"{name}\" SET temp_tablespaces = 'small'")
                yield
            finally:
                cursor.execute(f'ALTER DATABASE "{name}" RESET temp_tablespaces')
                cursor.execute("DROP TABLESPACE small")
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.skipif(
    bool(os.environ.get("DATABASE_URL")) or os.geteuid() != 0, reason="needs root and a database of the tests' own"
)
def test_a_full_disk_of_the_database(feeds: Feeds, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(HEADER + b"".join(b"2026-01-01,EUR,%d\n" % n for n in range(1, 60_000)))
    with _small_tablespace(tmp_path / "disk"):
        ended = load("fx", path)
        # What the load would have left there is gone with its transaction.
        left = sum(file.stat().st_size for file in (tmp_path / "disk").rglob("*") if file.is_file())
    _failed(ended, "No space left on device", "make room")
    assert left < 1000
    assert counts(feeds.load("fx")) == (1, 0, 0, 0)

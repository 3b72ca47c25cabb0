"""The embedded servers: made, reached, stopped, and gone with their owner."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from config.addresses import client_url
from config.embedded import EmbeddedError, EmbeddedPostgres, EmbeddedValkey, account, server_account, staging
from config.state import ROOT, State
from tests.config.processes import alive, eventually

pytestmark = pytest.mark.services


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    state = State(tmp_path / "var")
    state.make()
    yield state
    shutil.rmtree(state.sockets, ignore_errors=True)


@pytest.fixture
def postgres(state: State) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(state.folder / "pg", state.sockets / "pg", durable=False)
    yield server
    server.stop()


def test_a_database_is_made_and_kept(postgres: EmbeddedPostgres) -> None:
    postgres.start()
    with psycopg.connect(postgres.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
    postgres.stop()
    assert not postgres.running
    postgres.start()
    with psycopg.connect(postgres.url) as connection:
        assert connection.execute("SELECT one FROM kept").fetchone() == (1,)


def test_case_is_known_beyond_ascii_and_text_is_utf8(postgres: EmbeddedPostgres) -> None:
    with postgres, psycopg.connect(postgres.url) as connection:
        row = connection.execute("SELECT 'ÜBER' ILIKE 'über', lower('ÉCLAIR'), length('靶向商家')").fetchone()
        assert row == (True, "éclair", 4)
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)


def test_the_server_is_not_root(postgres: EmbeddedPostgres) -> None:
    postgres.start()
    assert postgres.pid is not None
    if os.geteuid() == 0 and server_account().spec == "namespace":
        ours = Path("/proc/self/ns/user").readlink()
        assert Path(f"/proc/{postgres.pid}/ns/user").readlink() != ours


def test_stopping_does_not_wait_for_clients(postgres: EmbeddedPostgres) -> None:
    postgres.start()
    connection = psycopg.connect(postgres.url, autocommit=True)
    connection.execute("SELECT 1")
    begin = time.monotonic()
    postgres.stop()
    assert time.monotonic() - begin < 10
    assert not postgres.running
    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT 1")
    connection.close()


def test_a_killed_server_starts_again_though_a_statement_of_its_goes_on(postgres: EmbeddedPostgres) -> None:
    postgres.start()
    assert postgres.pid is not None
    with contextlib.closing(psycopg.connect(postgres.url, autocommit=True)) as connection:
        busy = connection.info.backend_pid
        connection.pgconn.send_query(b"DO $$ BEGIN LOOP END LOOP; END $$")
        with psycopg.connect(postgres.url, autocommit=True) as other:
            state = "SELECT state FROM pg_stat_activity WHERE pid = %s"
            assert eventually(lambda: other.execute(state, [busy]).fetchone() == ("active",))
        os.kill(postgres.pid, signal.SIGKILL)
        assert eventually(lambda: not postgres.running)
        postgres.start()
        with psycopg.connect(postgres.url) as again:
            assert again.execute("SELECT 1").fetchone() == (1,)


def test_a_killed_owner_takes_its_servers_along(tmp_path: Path, state: State) -> None:
    script = f"""
import sys, time
from pathlib import Path
from config.embedded import EmbeddedPostgres, EmbeddedValkey
postgres = EmbeddedPostgres(Path({str(state.folder / "pg")!r}), Path({str(state.sockets / "pg")!r}), durable=False)
valkey = EmbeddedValkey(Path({str(state.sockets / "kv")!r}))
postgres.start(); valkey.start()
print(postgres.pid, valkey.pid, flush=True)
time.sleep(600)
"""
    owner = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert owner.stdout is not None
        pids = [int(word) for word in owner.stdout.readline().split()]
        assert len(pids) == 2
        assert all(alive(pid) for pid in pids)
    finally:
        owner.kill()
        owner.communicate()
    assert eventually(lambda: not any(alive(pid) for pid in pids))
    # And the next owner finds a database in order.
    with EmbeddedPostgres(state.folder / "pg", state.sockets / "pg", durable=False) as postgres:
        assert postgres.running


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another account")
def test_where_namespaces_are_refused_root_runs_it_as_nobody(
    state: State, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DINGYAO_NO_USER_NAMESPACE", "1")
    monkeypatch.setattr(staging, "STAGE", Path("/var/tmp") / f"dingyao-test-{os.getpid()}")
    server_account.cache_clear()
    try:
        with EmbeddedPostgres(state.folder / "pg", state.sockets / "pg", durable=False) as postgres:
            assert postgres.pid is not None
            assert Path(f"/proc/{postgres.pid}").stat().st_uid == account.server_account().owner[0]
            with psycopg.connect(postgres.url) as connection:
                assert connection.execute("SELECT 1").fetchone() == (1,)
    finally:
        server_account.cache_clear()
        shutil.rmtree(staging.STAGE, ignore_errors=True)


def test_no_database_programs(postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PG_BIN", str(tmp_path))
    with pytest.raises(EmbeddedError, match=r"No PostgreSQL found.*PG_BIN.*DATABASE_URL"):
        postgres.start()


def test_data_of_another_version_is_left_alone(postgres: EmbeddedPostgres) -> None:
    postgres.data_dir.mkdir(parents=True)
    (postgres.data_dir / "PG_VERSION").write_text("9\n")
    with pytest.raises(EmbeddedError, match="was made by PostgreSQL 9"):
        postgres.start()


def test_a_start_that_was_cut_off_is_begun_again(postgres: EmbeddedPostgres) -> None:
    half = postgres.data_dir.with_name("pg.new")
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    with postgres:
        assert postgres.running


def test_valkey_answers_on_its_socket_only(state: State) -> None:
    with EmbeddedValkey(state.sockets / "kv") as valkey:
        client = redis.Redis.from_url(client_url(valkey.url))
        assert client.ping()
        assert client.config_get("port")["port"] == "0"
        assert client.config_get("maxmemory-policy")["maxmemory-policy"] == "noeviction"
        client.close()
        assert valkey.pid is not None
        os.kill(valkey.pid, signal.SIGKILL)
        assert eventually(lambda: not valkey.running)

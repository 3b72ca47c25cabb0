"""`manage.py up`, as a person runs it, stops it and kills it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config.state import ROOT, State
from config.supervisor import StopRequested, stopping_on_signals
from tests.config.processes import Up, alive, environment_of, eventually, family, manage

pytestmark = [pytest.mark.services, pytest.mark.slow]


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Callable[..., Up]]:
    started: list[Up] = []

    def start(*arguments: str, output: str = "up.out", **environment: str) -> Up:
        started.append(Up(tmp_path / "var", tmp_path / output, *arguments, **environment))
        return started[-1]

    yield start
    for each in started:
        each.end()
        shutil.rmtree(State(tmp_path / "var").sockets, ignore_errors=True)


def test_services_for_the_other_commands(up: Callable[..., Up], tmp_path: Path) -> None:
    running = up("--services-only")
    running.wait_for("ready services")
    written = json.loads((tmp_path / "var" / "services.json").read_text())
    assert written["pid"] == running.pid
    # Another terminal finds them, migrated.
    done = running.manage("migrate", "--check")
    assert done.returncode == 0, done.stderr

    second = up("--services-only", output="second.out")
    assert second.process.wait(30) == 1
    assert f"Already running for {tmp_path / 'var'} (process {running.pid})" in second.text
    assert "Traceback" not in second.text

    members = family(running.pid)
    assert len(members) > 2
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(30) == 0
    assert not any(alive(pid) for pid in members)
    assert not (tmp_path / "var" / "services.json").exists()
    assert running.text.rstrip().endswith("stopped")


def test_killed_it_leaves_nothing(up: Callable[..., Up]) -> None:
    running = up()
    address = running.wait_for("ready http://127.0.0.1:").split()[1]
    with urllib.request.urlopen(f"{address}readyz", timeout=10) as response:
        assert json.load(response)["status"] == "ready"
    members = family(running.pid)
    commands = [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in members]
    assert sum(b"gunicorn" in command for command in commands) == 3, "a master and two workers"
    assert sum(b"worker" in command for command in commands) >= 3, "a worker and its pool"
    running.process.kill()
    running.process.wait()
    assert eventually(lambda: not any(alive(pid) for pid in members)), "left behind"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_asks_once(number: signal.Signals) -> None:
    def twice() -> None:
        with stopping_on_signals():
            try:
                os.kill(os.getpid(), number)
            finally:
                os.kill(os.getpid(), number)  # a second one doesn't disturb the shutdown

    with pytest.raises(StopRequested, match=number.name):
        twice()


def test_a_program_that_ends_is_started_again(up: Callable[..., Up], tmp_path: Path) -> None:
    running = up()
    running.wait_for("ready http")
    beats = [pid for pid in family(running.pid) if b"beat" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    os.kill(beats[0], signal.SIGKILL)
    running.wait_for("beat ended unexpectedly; starting it again in 1 s.")

    # A server, too: its clients find it again at the same address.
    server = int((tmp_path / "var" / "pg" / "postmaster.pid").read_text().split()[0])
    os.kill(server, signal.SIGKILL)
    running.wait_for("postgres ended unexpectedly")
    assert eventually(lambda: running.manage("migrate", "--check").returncode == 0, 30)

    def again() -> bool:
        now = {pid for pid in family(running.pid) if b"beat" in Path(f"/proc/{pid}/cmdline").read_bytes()}
        return bool(now - set(beats))

    assert eventually(again)
    members = family(running.pid)
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(30) == 0
    assert not any(alive(pid) for pid in members)


def test_it_stops_with_its_parent(tmp_path: Path) -> None:
    command = f"{sys.executable} manage.py up --services-only --stop-with-parent > {tmp_path / 'out'} 2>&1 & wait"
    environment = {key: value for key, value in os.environ.items() if key not in {"DATABASE_URL", "REDIS_URL"}}
    environment |= {"DINGYAO_STATE": str(tmp_path / "var"), "DJANGO_SETTINGS_MODULE": "config.settings.local"}
    shell = subprocess.Popen(["sh", "-c", command], cwd=ROOT, env=environment)
    (tmp_path / "out").touch()
    try:
        assert eventually(lambda: "ready services" in (tmp_path / "out").read_text(), 60)
        members = family(shell.pid)
    finally:
        shell.kill()
        shell.wait()
    assert eventually(lambda: not any(alive(pid) for pid in members), 30)
    shutil.rmtree(State(tmp_path / "var").sockets, ignore_errors=True)


def test_a_port_in_use_is_one_line(up: Callable[..., Up]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        running = up(PORT=str(port))
        assert running.process.wait(30) == 1
    assert running.text.strip() == (
        f"CommandError: Port {port} can't be used (Address already in use). Choose another: PORT=8001"
    )


def test_a_port_that_is_none(up: Callable[..., Up]) -> None:
    running = up(PORT="eighty")
    assert running.process.wait(30) == 2
    assert "PORT='eighty' is not a whole number" in running.text


def test_a_command_without_a_database_says_what_to_start(tmp_path: Path) -> None:
    environment = environment_of(tmp_path / "var")
    done = manage(environment, "migrate", "--check")
    assert done.returncode == 1
    assert done.stderr.strip() == (
        "No database: start one with `python manage.py up --services-only` in another terminal, "
        "or name one in DATABASE_URL."
    )
    environment["DATABASE_URL"] = "postgresql://nobody@127.0.0.1:1/portal"
    done = manage(environment, "migrate", "--check")
    assert done.returncode == 1
    assert done.stderr.startswith("The database that DATABASE_URL names (portal at 127.0.0.1:1) does not answer")
    assert len(done.stderr.strip().splitlines()) == 1
    environment["DATABASE_URL"] = "mysql://localhost/portal"
    done = manage(environment, "check")
    assert (done.returncode, len(done.stderr.strip().splitlines())) == (1, 1), done.stderr
    assert "only postgresql://" in done.stderr

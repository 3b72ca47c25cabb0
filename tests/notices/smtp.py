"""A mail server for tests, as small as one can be: takes every mail and remembers it; can be made to wait."""

from __future__ import annotations

import socketserver
import threading
from email import message_from_bytes
from email.message import Message


class MailServer:
    """Listens on a free port of this machine. While `gate` is closed no mail is accepted, and its sender waits."""

    def __init__(self) -> None:
        self.accepted: list[Message] = []
        self.gate = threading.Event()
        self.gate.set()
        self.waiting = threading.Event()
        house = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                house.serve(self)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port: int = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def serve(self, session: socketserver.StreamRequestHandler) -> None:
        """One conversation, as RFC 5321 has it."""

        def say(line: str) -> None:
            session.wfile.write(f"{line}\r\n".encode())

        try:
            say("220 here")
            while line := session.rfile.readline():
                command = line[:4].upper()
                if command == b"DATA":
                    say("354 go on")
                    content = b""
                    while (each := session.rfile.readline()) not in (b".\r\n", b""):
                        content += each
                    self.waiting.set()
                    self.gate.wait(60)
                    if not alive(session):
                        return  # whoever sent it has died: nobody would hear that it was accepted
                    self.accepted.append(message_from_bytes(content))
                    say("250 taken")
                elif command == b"QUIT":
                    say("221 bye")
                    return
                else:
                    say("250 well")
        except ConnectionError:
            return

    def close(self) -> None:
        """Stop listening."""
        self.gate.set()
        self.server.shutdown()
        self.server.server_close()


def alive(session: socketserver.StreamRequestHandler) -> bool:
    """Whether the other end still listens."""
    import select
    import socket

    readable, _, _ = select.select([session.connection], [], [], 0)
    return not readable or session.connection.recv(1, socket.MSG_PEEK) != b""

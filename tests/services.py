"""The servers of a test session: one PostgreSQL and one Valkey, however many processes run the tests.

They listen where `config.settings.test` says (its folder's name is inherited by the workers of a parallel run), and end
with the process that started them. `DATABASE_URL` and `REDIS_URL` name others, and then nothing is started.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from config.embedded import EmbeddedPostgres, EmbeddedValkey
from config.state import State


class TestServices:
    """Starts what the environment doesn't name, at most once."""

    __test__ = False

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        state = State(folder)
        self.sockets = state.sockets
        self.postgres = EmbeddedPostgres(folder / "pg", self.sockets / "pg", durable=False)
        # A pair of databases for each parallel worker.
        self.valkey = EmbeddedValkey(self.sockets / "kv", databases=128)

    def start(self) -> None:
        """Start the servers that are missing. Call it in the main thread."""
        if not os.environ.get("DATABASE_URL") and not self.postgres.running:
            remove_leftovers()
            State(self.folder).make()
            self.postgres.start()
        if not os.environ.get("REDIS_URL") and not self.valkey.running:
            self.valkey.start()

    def stop(self) -> None:
        """Stop them and remove their folders."""
        self.valkey.stop()
        self.postgres.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.rmtree(self.sockets, ignore_errors=True)


def remove_leftovers() -> None:
    """Remove the folders of sessions that were killed: their servers ended with them, their data did not."""
    for folder in Path(tempfile.gettempdir()).glob("dingyao-test-*"):
        owner = folder.name.rpartition("-")[2]
        try:
            if owner.isdigit() and folder.stat().st_uid == os.geteuid():
                os.kill(int(owner), 0)
        except ProcessLookupError:
            shutil.rmtree(State(folder).sockets, ignore_errors=True)
            shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue  # somebody else's, or gone

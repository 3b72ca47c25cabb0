"""The account that PostgreSQL runs under: not root, and known to the system by name. A container often has neither."""

from __future__ import annotations

import functools
import os
import pwd
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

LAUNCH = Path(__file__).with_name("launch.py")


@dataclass(frozen=True)
class Account:
    """How a child gets its account: `same` as ours, in a `namespace`, or the numbers of another user."""

    spec: str = "same"

    @property
    def owner(self) -> tuple[int, int]:
        """The user and group that have to own its files, as seen from here."""
        if ":" in self.spec:
            uid, gid = self.spec.split(":")
            return int(uid), int(gid)
        return os.geteuid(), os.getegid()

    @property
    def is_other(self) -> bool:
        """Whether it is another user, who has to be let into folders."""
        return ":" in self.spec

    def own(self, path: Path) -> None:
        """Give the account this file or tree, unless it owns it already."""
        if not path.exists() or os.geteuid() != 0 or (path.stat().st_uid, path.stat().st_gid) == self.owner:
            return
        for folder, _, files in os.walk(path):
            for name in [folder, *(os.path.join(folder, file) for file in files)]:
                os.chown(name, *self.owner, follow_symlinks=False)

    def reaches(self, path: Path) -> bool:
        """Whether the account may enter every folder above the path and read the path itself."""
        if not self.is_other:
            return True
        return _succeeds(self, "test", "-r", str(path))


@functools.cache
def server_account() -> Account:
    """Return the account for a server that refuses root, and users without an entry in the system's list.

    Ours where it will do; else a user namespace, in which we are called something else; else, as root, `nobody`.
    """
    if os.geteuid() != 0 and _has_name():
        return Account()
    if sys.platform.startswith("linux") and not os.environ.get("DINGYAO_NO_USER_NAMESPACE"):
        namespace = Account("namespace")
        if _succeeds(namespace, "true"):
            return namespace
    if os.geteuid() != 0:
        return Account()  # the server will say what it misses
    nobody = pwd.getpwnam("nobody")
    return Account(f"{nobody.pw_uid}:{nobody.pw_gid}")


def _has_name() -> bool:
    # Containers are often run under a number that no user has.
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        return False
    return True


def _succeeds(account: Account, program: str, *arguments: str) -> bool:
    path = shutil.which(program, path=os.defpath)
    if path is None:
        return False
    command = [sys.executable, "-I", "-S", str(LAUNCH), str(os.getpid()), "9", account.spec, path, *arguments]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0

"""The state folder: what a machine keeps between two runs, and where its own servers listen.

`DINGYAO_STATE` names it (default `var/` beside manage.py). Nothing in it is needed where `DATABASE_URL`, `REDIS_URL`,
`SECRET_KEY`, `STATEMENT_SIGNING_KEY` and `PAYEE_KEYS` are given.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import secrets
import stat
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# A Unix socket's path has room for about 100 characters, the file's own name included.
LONGEST_SOCKET_FOLDER = 70


@dataclass(frozen=True)
class Services:
    """What `manage.py up` runs, as it writes it down for the commands in other terminals."""

    pid: int
    database_url: str
    redis_url: str


class State:
    """One state folder. Making the object touches nothing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()

    @classmethod
    def from_environment(cls) -> State:
        """Return the folder that `DINGYAO_STATE` names, or `var/`."""
        return cls(Path(os.environ.get("DINGYAO_STATE") or ROOT / "var"))

    def make(self) -> Path:
        """Create the folder, private to its owner, and return it."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self.folder

    @property
    def services_file(self) -> Path:
        """Where the addresses of running services are written."""
        return self.folder / "services.json"

    @property
    def sockets(self) -> Path:
        """The folder of the servers' sockets: the same for every process that knows the state folder.

        Inside the state folder where the path is short enough. Root's stands outside: where PostgreSQL has to run as
        another account, that account must be able to reach it.
        """
        inside = self.folder / "run"
        if os.geteuid() != 0 and len(str(inside)) <= LONGEST_SOCKET_FOLDER:
            return inside
        digest = hashlib.sha256(str(self.folder).encode()).hexdigest()[:12]
        run = Path("/run")
        base = run if os.geteuid() == 0 and os.access(run, os.W_OK) else Path(tempfile.gettempdir())
        if len(str(base)) > LONGEST_SOCKET_FOLDER - 30:
            base = Path("/tmp")  # noqa: S108 - a name of our own below it, checked for its owner
        return base / f"dingyao-{os.geteuid()}-{digest}"

    def services(self) -> Services | None:
        """Return what `up` runs now, or None where it doesn't run."""
        try:
            found = Services(**json.loads(self.services_file.read_text()))
        except (OSError, ValueError, TypeError):
            return None
        try:
            os.kill(found.pid, 0)
        except ProcessLookupError:
            return None  # left behind by a process that was killed
        except PermissionError:
            pass  # it lives, under another account
        return found

    def write_services(self, services: Services) -> None:
        """Write the addresses in one step, so that nobody reads half a file."""
        fresh = self.services_file.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(services), indent=1) + "\n")
        fresh.replace(self.services_file)

    def forget_services(self) -> None:
        """Remove the addresses: nothing runs any more."""
        self.services_file.unlink(missing_ok=True)

    def secret_key(self) -> str:
        """Return this machine's own secret key, made at the first call and readable by its owner alone."""
        return self._kept("secret_key", lambda: secrets.token_urlsafe(50))

    def statement_key(self) -> str:
        """Return this machine's own key for signing statements (32 random bytes, base64url), made and kept likewise."""
        return self._kept("statement_key", lambda: secrets.token_urlsafe(32))

    def payee_key(self) -> str:
        """Return this machine's own key for account numbers (32 random bytes, padded base64url), likewise."""
        return self._kept("payee_key", lambda: base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())

    def _kept(self, name: str, make: Callable[[], str]) -> str:
        path = self.make() / name
        if not path.exists():
            handle, fresh = tempfile.mkstemp(dir=self.folder)  # mkstemp makes it readable by its owner alone
            with os.fdopen(handle, "w") as file:
                file.write(make())
            # A link, not a rename: of two processes that come first together, both then read the same key.
            with contextlib.suppress(FileExistsError):
                os.link(fresh, path)
            os.unlink(fresh)
        return path.read_text().strip()


def private_folder(path: Path, *, mode: int = 0o700) -> Path:
    """Create the folder for this account alone; refuse one that somebody else made, as in a shared /tmp."""
    path.mkdir(mode=mode, parents=True, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise PermissionError(f"{path} belongs to somebody else. Remove it, or set DINGYAO_STATE to another folder.")
    path.chmod(mode)
    return path

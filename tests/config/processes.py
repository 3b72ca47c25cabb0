"""Looking at processes from outside, for tests that start and kill whole families of them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from config.state import ROOT


def alive(pid: int) -> bool:
    """Whether the process lives; a zombie doesn't."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def family(pid: int) -> set[int]:
    """The process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found, waiting = set(), [pid]
    while waiting:
        each = waiting.pop()
        found.add(each)
        waiting += children.get(each, [])
    return found


def eventually(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Whether the condition comes true in time."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        if condition():
            return True
        time.sleep(0.05)
    return condition()


def environment_of(state: Path, **more: str) -> dict[str, str]:
    """A shell's environment over this state folder: nothing of the test session's own servers leaks into it."""
    hidden = {"DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE", "DINGYAO_TEST_FOLDER", "PYTEST_XDIST_WORKER"}
    kept = {key: value for key, value in os.environ.items() if key not in hidden}
    return kept | {"DINGYAO_STATE": str(state), "PORT": "0", **more}


def manage(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, as in a terminal with this environment."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


class Up:
    """A real `manage.py up` over a state folder of its own."""

    def __init__(self, state: Path, output: Path, *arguments: str, **environment: str) -> None:
        self.environment = environment_of(state, **environment)
        self.output = output
        with self.output.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up", *arguments],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def text(self) -> str:
        return self.output.read_text(errors="replace")

    def wait_for(self, line: str, seconds: float = 60.0) -> str:
        """Wait for a line that starts so, and return it whole."""

        def found() -> list[str]:
            return [each for each in self.text.splitlines() if each.startswith(line)]

        eventually(lambda: bool(found()) or self.process.poll() is not None, seconds)
        assert found(), f"no line {line!r} in:\n{self.text}"
        return found()[0]

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run another command over the same state, as in another terminal."""
        return manage(self.environment, *arguments)

    def end(self) -> None:
        """Whatever a test has left of it."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

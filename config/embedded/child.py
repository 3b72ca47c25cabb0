"""A child process that can't outlive its parent."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from config.embedded.account import Account

LAUNCH = Path(__file__).with_name("launch.py")


class EmbeddedError(RuntimeError):
    """An embedded service can't run. The text says what, where and what to do, in words for people."""


class Child:
    """One program in a process group of its own, ended by the kernel when we end.

    Start it from the main thread: the kernel watches the thread that forked, not the process.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        account: Account | None = None,
        on_parent_death: signal.Signals = signal.SIGKILL,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        output: int | IO[bytes] | None = None,
        keep_open: Sequence[int] = (),
    ) -> None:
        account = account or Account()
        program = shutil.which(command[0])
        if program is None:
            raise EmbeddedError(f"{command[0]} is not a program that can be started.")
        self.command = [program, *command[1:]]
        self.process: subprocess.Popen[bytes] = subprocess.Popen(
            [
                *(sys.executable, "-I", "-S", str(LAUNCH)),
                *(str(os.getpid()), str(int(on_parent_death)), account.spec),
                *self.command,
            ],
            env=None if environment is None else dict(environment),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT if output is not None else None,
            pass_fds=tuple(keep_open),
            # A group of its own: the terminal's Ctrl-C reaches us alone, and we stop the children in order.
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        """The process id, which is the process group's too."""
        return self.process.pid

    @property
    def running(self) -> bool:
        """Whether the program itself still runs."""
        return self.process.poll() is None

    def stop(self, *signals: tuple[int, float]) -> None:
        """Send each signal to the program and give it its seconds; then kill what is left of the whole group."""
        for number, seconds in signals:
            if not self.running:
                break
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(seconds)
        self._kill_group()
        self.process.wait()

    def _kill_group(self, seconds: float = 5.0) -> None:
        """Kill the group until it is empty: the program's own children too."""
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            try:
                os.killpg(self.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                return  # empty (macOS says "not permitted" of a group of zombies)
            self.process.poll()
            time.sleep(0.01)

"""Keeps a handful of child processes running, and takes all of them down together.

A child that ends unexpectedly is named and started again, after a second, then two, four, … up to ten. One that has
died five times and never lived for ten seconds stops the whole: something is wrong that waiting won't cure. (One that
once did works; what ends it again and again, however quickly, comes from outside, and giving up would help nobody.)
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Protocol

from config.embedded import Child

# After SIGTERM was sent: how long to wait (signal 0 sends nothing), and what then.
GRACE: tuple[tuple[int, float], ...] = ((0, 8.0), (signal.SIGQUIT, 2.0))
STEADY_SECONDS = 10.0
TRIES = 5
LONGEST_WAIT = 10.0


class StopRequested(BaseException):
    """Somebody asked the supervisor to stop. Not an Exception: nothing in between shall swallow it."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


class GivenUp(RuntimeError):
    """A child dies again and again."""


class Service(Protocol):
    """What can be kept running."""

    def start(self) -> None:
        """Start it; return when it is on its way."""

    def stop(self) -> None:
        """Stop it with everything that it started."""

    @property
    def running(self) -> bool:
        """Whether it runs."""


class Program:
    """A child process whose output lines carry its name."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        folder: Path,
        keep_open: Sequence[int] = (),
    ) -> None:
        self.name = name
        self.command = list(command)
        self.environment = dict(environment)
        self.folder = folder
        self.keep_open = tuple(keep_open)
        self._child: Child | None = None
        self._asked = False

    @property
    def running(self) -> bool:
        """Whether the program runs."""
        return self._child is not None and self._child.running

    def start(self) -> None:
        """Start the program, and a thread that passes its lines on."""
        self._asked = False
        self._child = Child(
            self.command,
            environment={**self.environment, "PYTHONUNBUFFERED": "1"},
            folder=self.folder,
            output=subprocess.PIPE,
            keep_open=self.keep_open,
        )
        threading.Thread(target=self._pass_on, args=(self._child,), name=f"{self.name}-lines", daemon=True).start()

    def ask_to_stop(self) -> None:
        """Send the first, polite signal and return at once."""
        # Once only: to some programs the second means "at once".
        if self._child is not None and self._child.running and not self._asked:
            self._asked = True
            with contextlib.suppress(ProcessLookupError):
                self._child.process.send_signal(signal.SIGTERM)

    def stop(self) -> None:
        """Stop the program: politely, then firmly; its whole process group ends."""
        if self._child is not None:
            self.ask_to_stop()
            self._child.stop(*GRACE)

    def _pass_on(self, child: Child) -> None:
        assert child.process.stdout is not None  # noqa: S101 - we asked for the pipe
        for line in child.process.stdout:
            say(f"{self.name:<6} | {line.decode(errors='replace').rstrip()}")


class _Kept:
    """A service and how it has fared."""

    def __init__(self, name: str, service: Service, now: float) -> None:
        self.name = name
        self.service = service
        self.started_at = now
        self.failures = 0
        self.proven = False  # has once lived for STEADY_SECONDS
        self.next_try: float | None = None


class Supervisor:
    """Starts services in the order given, watches them, and stops them in the opposite order."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: list[_Kept] = []

    def start(self, name: str, service: Service) -> None:
        """Start a service and watch it from now on."""
        # Before the start: a signal in the middle of it must find the service on the list.
        self._kept.append(_Kept(name, service, self._clock()))
        service.start()

    def look(self) -> None:
        """Start again what has ended, when its waiting time is over."""
        now = self._clock()
        for kept in self._kept:
            if kept.next_try is None and not kept.service.running:
                self._note_death(kept, now)
            elif kept.next_try is not None and now >= kept.next_try:
                kept.next_try = None
                kept.started_at = now
                self._start_again(kept)

    def _note_death(self, kept: _Kept, now: float) -> None:
        if now - kept.started_at >= STEADY_SECONDS:
            kept.failures, kept.proven = 0, True
        kept.failures += 1
        kept.service.stop()  # what it has left behind
        if kept.failures >= TRIES and not kept.proven:
            raise GivenUp(f"{kept.name} ended {kept.failures} times in a row; its last lines above say why.")
        wait = min(2.0 ** (kept.failures - 1), LONGEST_WAIT)
        kept.next_try = now + wait
        say(f"{kept.name} ended unexpectedly; starting it again in {wait:.0f} s.")

    def _start_again(self, kept: _Kept) -> None:
        try:
            kept.service.start()
        except Exception as error:  # noqa: BLE001 - a server that can't start yet: the next look counts it as ended
            say(f"{kept.name} did not start: {error}")

    def wait(self, until: Callable[[], bool], *, every: float = 0.1) -> None:
        """Watch until the condition holds."""
        while not until():
            self.look()
            time.sleep(every)

    def stop(self) -> None:
        """Stop everything, the last started first; the programs get their signal together and share the waiting."""
        for kept in self._kept:
            if isinstance(kept.service, Program):
                kept.service.ask_to_stop()
        for kept in reversed(self._kept):
            try:
                kept.service.stop()
            except Exception as error:  # noqa: BLE001 - the others have to be stopped all the same
                say(f"{kept.name} could not be stopped: {error}")
        self._kept.clear()


def say(line: str) -> None:
    """Print one line, whole, now. A reader that has gone is no reason to leave processes behind."""
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


@contextlib.contextmanager
def stopping_on_signals() -> Iterator[None]:
    """Turn SIGINT, SIGTERM and SIGHUP into StopRequested, once: the shutdown that follows isn't interrupted."""
    numbers = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]

    def request(number: int, _: FrameType | None) -> None:
        for each in numbers:
            signal.signal(each, signal.SIG_IGN)
        raise StopRequested(number)

    before = {}
    for number in numbers:
        if number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
            continue  # nohup: whoever started us wants to hang up and let us run
        before[number] = signal.signal(number, request)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def inherit_environment(**extra: str) -> dict[str, str]:
    """Return our environment with additions."""
    return {**os.environ, **extra}

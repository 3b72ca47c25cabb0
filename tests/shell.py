"""A command as a shell runs it: its exit status and what it prints, in the test's own process and transaction."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from django.core.management import get_commands, load_command_class
from django.db import connections


@dataclass(frozen=True)
class Answer:
    """What a command left behind."""

    status: int
    out: str
    err: str


Shell = Callable[..., Answer]


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Run a command: `shell("load", "fx", path)`, with `stdin` on its standard input."""
    # A shell's command closes its connection at its end; here the test goes on with it.
    monkeypatch.setattr(connections, "close_all", lambda: None)

    def run(name: str, *arguments: object, stdin: io.StringIO | None = None) -> Answer:
        monkeypatch.setattr(sys, "stdin", stdin or io.StringIO())
        status = 0
        try:
            command = load_command_class(str(get_commands()[name]), name)
            command.run_from_argv(["manage.py", name, *map(str, arguments)])
        except SystemExit as ended:
            status = int(ended.code or 0)
        printed = capsys.readouterr()
        return Answer(status, printed.out, printed.err)

    return run

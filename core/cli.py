"""What every command of ours does with a refusal: one clear line on stderr, and an exit status that says which kind.

2: bad arguments or an unreadable file; 1: a failure; 130: cancelled. `config.commandline` speaks for servers that are
away.
"""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import FrameType
from typing import Any, ClassVar, NoReturn
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import translation

from core.actors import Actor
from core.errors import BadInput, DomainError


class _Parser(CommandParser):
    def error(self, message: str) -> NoReturn:
        """Exit 2; called by `call_command` raise CommandError."""
        if not self.called_from_command_line:
            raise CommandError(f"Error: {message}")
        self.exit(2, _one_line(f"{self.prog}: {message} (--help shows the arguments)") + "\n")


class OneLine(BaseCommand):
    """A command that refuses bad arguments in one line, without the whole usage before it."""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Make the parser of the command's arguments."""
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.__class__ = _Parser
        return parser


class Command(OneLine):
    """A management command that never shows a traceback for bad input. Called by `call_command` it raises instead."""

    requires_system_checks: ClassVar[list[str]] = []  # type: ignore[misc]  # `make check` runs them; here seconds count
    cancelled = "Cancelled; nothing was changed."

    def run_from_argv(self, argv: list[str]) -> None:
        """Run for the command line. Its lines are English, whatever language the pages speak."""
        try:
            with translation.override("en"), _terminable():
                super().run_from_argv(argv)
        except DomainError as error:
            if "--traceback" in argv:
                raise
            self.stderr.write(_one_line(error.message))
            sys.exit(error.exit_status)
        except KeyboardInterrupt:
            self.stderr.write(self.cancelled)
            sys.exit(130)

    def actor(self) -> Actor:
        """Whoever sits at the command line acts for the house: the audit trail names the command."""
        return Actor.system(f"manage.py {self.__module__.rpartition('.')[2]}")


def moment(text: str, *, option: str) -> datetime:
    """Read a timestamp argument (ISO 8601; without an offset in the platform's time zone) as UTC.

    Raises BadInput, naming the option.
    """
    try:
        if "T" not in text.strip() and " " not in text.strip():
            raise ValueError(text)  # a date is no moment: which end of the day was meant is anybody's guess
        found = datetime.fromisoformat(text.strip())
        if found.tzinfo is None:
            found = found.replace(tzinfo=ZoneInfo(settings.PLATFORM_TIME_ZONE))
        return found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadInput(f"{option}: {text!r} is no timestamp; write one such as 2026-03-31T18:00:00+08:00.") from None


@contextmanager
def _terminable() -> Iterator[None]:
    """Let SIGTERM end a command as Ctrl-C does: what it began is rolled back, and it says so."""

    def stop(signum: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _one_line(text: str) -> str:
    return " ".join(text.split())

"""Create a program and publish its first policy."""

from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from core.cli import Command as BaseCommand
from core.errors import BadInput
from core.services import create_program, read_policy


class Command(BaseCommand):
    """`create_program CODE --start DATE --end DATE --policy FILE.json`."""

    help = "Create a program over a period (both dates included) and publish FILE as version 1 of its policy."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("code")
        parser.add_argument("--start", required=True, metavar="DATE", help="first day, YYYY-MM-DD")
        parser.add_argument("--end", required=True, metavar="DATE", help="last day, included")
        parser.add_argument("--policy", required=True, type=Path, metavar="FILE")
        parser.add_argument("--accept-example-tiers", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        program = create_program(
            actor=self.actor(),
            code=options["code"],
            start=_date(options["start"], "--start"),
            end=_date(options["end"], "--end"),
            policy=read_policy(options["policy"]),
            accept_example_tiers=options["accept_example_tiers"],
        )
        self.stdout.write(f"program {program.code} {program.starts_on} to {program.ends_on} policy 1")


def _date(value: str | date, option: str) -> date:
    if isinstance(value, date):
        return value
    try:
        if len(value) != len("2026-01-01"):
            raise ValueError(value)
        return date.fromisoformat(value)
    except ValueError:
        raise BadInput(f"{option}: {value!r} is no date; write one such as 2026-01-01.") from None

"""Publish the next version of a program's policy."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from core.cli import Command as BaseCommand
from core.services import publish_policy, read_policy


class Command(BaseCommand):
    """`publish_policy PROGRAM FILE.json`."""

    help = "Publish FILE as the next version of PROGRAM's policy."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("program")
        parser.add_argument("file", type=Path)
        parser.add_argument("--accept-example-tiers", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        version = publish_policy(
            actor=self.actor(),
            program_code=options["program"],
            policy=read_policy(options["file"]),
            accept_example_tiers=options["accept_example_tiers"],
        )
        self.stdout.write(f"program {version.program.code} policy {version.number}")

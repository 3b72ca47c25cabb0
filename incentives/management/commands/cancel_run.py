"""Stop a run that stands in the way."""

from argparse import ArgumentParser
from typing import Any

from core.cli import Command as BaseCommand
from incentives.engine.finish import cancel_run


class Command(BaseCommand):
    """`cancel_run ID`: what the run has written so far is never published."""

    help = "Cancel a run that is queued or running. People go on seeing the run before it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "run", type=int, metavar="ID", help="the run's number, as `recompute` and the pages show it"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        cancel_run(actor=self.actor(), run_id=options["run"])
        self.stdout.write(f"run {options['run']} cancelled")

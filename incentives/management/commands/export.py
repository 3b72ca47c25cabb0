"""`manage.py export`: results, payouts, or what changed between two runs."""

import os
import sys
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from core.cli import Command as BaseCommand
from core.errors import BadInput, Conflict, NotFound
from core.models import Program
from incentives import exports
from incentives.engine.changes import changes, default_against
from incentives.exports import Table
from incentives.management.commands.recompute import find_program
from incentives.models import Run
from incentives.states import RunState


class Command(BaseCommand):
    """Write one of the contract's tables as CSV or XLSX."""

    help = "Export the results, the payouts or the changes of a program's run."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the command's arguments."""
        parser.add_argument("what", choices=["results", "payouts", "changes"])
        parser.add_argument("program", help="the program's code")
        parser.add_argument("--run", type=int, help="the run (default: the latest finished one)")
        parser.add_argument("--against", type=int, help="changes: the run to compare with")
        parser.add_argument("--format", choices=["csv", "xlsx"], help="default: by the file's name, else csv")
        parser.add_argument("-o", "--output", type=Path, help="the file (default: standard output)")

    def handle(self, *args: Any, **options: Any) -> None:
        program = find_program(options["program"])
        run = find_run(program, options["run"])
        target: Path | None = options["output"]
        suffix = "xlsx" if target is not None and target.suffix.lower() == ".xlsx" else "csv"
        file_format = options["format"] or suffix
        if options["against"] is not None and options["what"] != "changes":
            raise BadInput("--against goes with `export changes` only.")
        table = make_table(options["what"], run, program, options["against"])
        rows = write(table, file_format, target)
        if target is not None:
            self.stderr.write(f"{rows} rows of run {run.pk} written to {target}")


def make_table(what: str, run: Run, program: Program, against: int | None) -> Table:
    """Return the table that was asked for. Raises Conflict where there is nothing to compare with yet."""
    if what == "results":
        return exports.results(run)
    if what == "payouts":
        return exports.payouts(run)
    other = find_run(program, against) if against is not None else default_against(run)
    if other is None:
        raise Conflict(f"{program} has no run before {run.pk} to compare with; name one with --against.")
    return changes(run, other)


def find_run(program: Program, number: int | None) -> Run:
    """Return a finished run of the program: the one named, or the latest official one.

    Raises NotFound for a number that isn't one of its finished runs, Conflict where it has none yet.
    """
    finished = Run.objects.filter(program=program, state=RunState.FINISHED).select_related("program")
    if number is None:
        run: Run | None = finished.published().order_by("-pk").first()
        if run is None:
            raise Conflict(f"{program} has no finished run yet; start one with `manage.py recompute {program}`.")
        return run
    named: Run | None = finished.filter(pk=number).first()
    if named is None:
        raise NotFound(f"{program} has no finished run {number}.")
    return named


def write(table: Table, file_format: str, target: Path | None) -> int:
    """Write the table whole or not at all: beside the target first, then in its place."""
    try:
        folder = target.parent if target is not None else None
        descriptor, name = tempfile.mkstemp(prefix=".export-", dir=folder)
    except OSError as error:
        raise BadInput(f"{target} can't be written: {error.strerror}.") from None
    part = Path(name)
    try:
        with os.fdopen(descriptor, "w+b") as stream:
            rows = exports.write_csv(table, stream) if file_format == "csv" else exports.write_xlsx(table, part)
        if target is None:
            with part.open("rb") as whole:
                while block := whole.read(1 << 20):
                    sys.stdout.buffer.write(block)
            sys.stdout.flush()
            part.unlink()
        else:
            part.chmod(0o644)
            part.replace(target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise BadInput(f"{target or 'standard output'} can't be written: {error.strerror}.") from None
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return rows

"""Hand out the rows that a load rejected."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.db.models import Q

from core.cli import Command as BaseCommand
from core.errors import BadInput, NotFound
from merchants.imports.rejected import write_csv
from merchants.models import Import


class Command(BaseCommand):
    """`rejected_rows BATCH [-o FILE]`; `--import ID` for a load that was refused and so has no batch."""

    help = "Write the rows that an import rejected as a CSV that can be mended and loaded again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("batch", type=int, metavar="BATCH", nargs="?", help="the number in `load`'s last line")
        parser.add_argument("--import", type=int, metavar="ID", dest="import_id", help="of a load without a batch")
        parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="default: standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        if (options["batch"] is None) == (options["import_id"] is None):
            raise BadInput("Name one load: its BATCH, or --import ID.")
        wanted = Q(batch=options["batch"]) if options["import_id"] is None else Q(pk=options["import_id"])
        found = Import.objects.filter(wanted).first()
        if found is None:
            raise NotFound("There is no such load.")
        output: Path | None = options["output"]
        if output is None:
            write_csv(found, sys.stdout)
            return
        try:
            with output.open("w", encoding="utf-8-sig", newline="") as file:
                rows = write_csv(found, file)
        except OSError as error:
            raise BadInput(f"{output} can't be written: {error.strerror or error}.") from None
        self.stdout.write(f"{rows} rows in {output}")

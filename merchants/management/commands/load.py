"""Load a feed."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from core.cli import Command as BaseCommand
from core.cli import moment
from merchants.imports.reader import shown
from merchants.models import Import
from merchants.services import load_feed
from merchants.states import FeedKind

SHOWN = 20
REJECTED = 3


class Command(BaseCommand):
    """`load KIND FILE [--strict] [--recorded-at TIMESTAMP]`; exit status 3 when rows were rejected."""

    help = (
        "Load a feed (CSV, .csv.gz or XLSX). Good rows are recorded, bad ones quarantined: "
        "`rejected_rows` hands them out."
    )
    cancelled = "Cancelled; nothing was recorded."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", choices=FeedKind.values, metavar="KIND", help=", ".join(FeedKind.values))
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--strict", action="store_true", help="record nothing when any row is bad")
        parser.add_argument(
            "--recorded-at", metavar="TIMESTAMP", help="load history: the facts count as recorded then (audited)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        recorded_at = options["recorded_at"]
        loaded = load_feed(
            actor=self.actor(),
            kind=options["kind"],
            path=options["file"],
            strict=options["strict"],
            recorded_at=moment(recorded_at, option="--recorded-at") if isinstance(recorded_at, str) else recorded_at,
        )
        if loaded.ignored_columns:
            names = ", ".join(shown(name) or "(without a name)" for name in loaded.ignored_columns)
            self.stdout.write(f"columns not known, ignored: {names}")
        self._show_rejected(loaded)
        self.stdout.write(
            f"batch {loaded.batch_id or 0} rows {loaded.rows} new {loaded.new} unchanged {loaded.unchanged} "
            f"updated {loaded.updated} rejected {loaded.rejected}"
        )
        if loaded.rejected:
            raise SystemExit(REJECTED)

    def _show_rejected(self, loaded: Import) -> None:
        shown = list(loaded.rejected_rows.order_by("line", "pk")[:SHOWN])
        for row in shown:
            self.stdout.write(f"line {row.line}: {row.code}: {row.message}")
        if loaded.rejected:
            others = " Others follow." if loaded.rejected > len({row.line for row in shown}) else ""
            nothing = " Nothing was recorded (--strict)." if loaded.strict else ""
            which = loaded.batch_id or f"--import {loaded.pk}"
            self.stdout.write(f"{others}{nothing} All of them: manage.py rejected_rows {which} -o FILE".strip())

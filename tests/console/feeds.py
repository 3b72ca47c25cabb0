"""Files of feeds as people hand them in."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from merchants.models import FeedUpload
from partners.models.applications import private_files

RATES = "rate_date,currency,rate,remark\n2026-01-21,EUR,8.19,fixed\n2026-01-22,EUR,0,fixed\n2026-01-23,JPY,0.048,\n"

# The same feed as a bank writes it: other words, another order, a column of its own.
STRANGE = "Branch,币种,Middle rate,日期\nBerlin,EUR,8.19,2026-01-21\nBerlin,JPY,0.048,2026-01-21\n"


def file(text: str | bytes, name: str = "rates.csv") -> SimpleUploadedFile:
    """A file as a browser sends it."""
    return SimpleUploadedFile(name, text.encode() if isinstance(text, str) else text)


def hand_in(client: Client, text: str | bytes, *, kind: str = "fx", name: str = "rates.csv") -> FeedUpload:
    """Hand a file in through the page; the upload that the answer leads to."""
    answer = client.post("/operator/feeds/upload", {"kind": kind, "file": file(text, name)})
    ident = int(answer.headers["Location"].rpartition("/")[2])
    return FeedUpload.objects.get(pk=ident)


def kept_files() -> set[str]:
    """What lies in the private folder of feeds' files."""
    folder = Path(private_files().path("feeds"))
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


def mended(content: bytes, **cells: str) -> str:
    """The rejected rows with some cells written anew."""
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    return as_csv([{**row, **cells} for row in rows])


def as_csv(rows: Sequence[dict[str, str]]) -> str:
    """Rows with a header."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()

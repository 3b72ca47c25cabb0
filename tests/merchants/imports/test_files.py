"""Files that as a whole are no feed: each is refused with one clear line, leaves a trace and records nothing."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Callable
from datetime import date, datetime, time
from pathlib import Path

import pytest
from openpyxl import Workbook

from core.errors import BadInput
from core.models import AuditEvent
from merchants.imports.limits import LONGEST_LINE
from merchants.imports.sheets import cell_text
from merchants.models import Import, Rate
from merchants.services import load_feed
from merchants.states import ImportState
from tests.merchants.imports.feeds import ACTOR

HEADER = "rate_date,currency,rate\n"
GOOD = HEADER + "2026-01-01,EUR,8.1\n"
CHINESE = "partner_code,name,category\nP-1,深圳市前海跨境服务有限公司,logistics\n"
FRENCH = "partner_code,name,category\nP-1,Société générale d'expédition,logistics\n"

# name of the file, kind, its bytes, what the line must say
REFUSED: dict[str, tuple[str, str, bytes, tuple[str, ...]]] = {
    "empty": ("a.csv", "fx", b"", ("empty",)),
    "only blank lines": ("a.csv", "fx", b"\n\n  \n", ("empty",)),
    "header only": ("a.csv", "fx", HEADER.encode(), ("header but no rows",)),
    "missing column": ("a.csv", "fx", b"rate_date,rate\n2026-01-01,8\n", ("currency",)),
    "no commas": ("a.csv", "fx", b"rate_date;currency;rate\n2026-01-01;EUR;8\n", ("rate_date", "commas")),
    "column twice": ("a.csv", "fx", b"rate_date,currency,rate, rate\n", ("rate", "twice")),
    "NUL byte": ("a.csv", "fx", GOOD.encode() + b"2026-01-02,EUR,8\0\n", ("NUL", "line 3")),
    "Latin-1": ("a.csv", "partners", FRENCH.encode("latin-1"), ("line 2", "Latin-1", "iconv -f WINDOWS-1252 -t UTF-8")),
    "GB18030": ("a.csv", "partners", CHINESE.encode("gb18030"), ("line 2", "GB18030", "iconv -f GB18030 -t UTF-8")),
    "UTF-16": ("a.csv", "partners", CHINESE.encode("utf-16"), ("UTF-16", "iconv -f UTF-16 -t UTF-8")),
    "UTF-16 without a mark": ("a.csv", "fx", GOOD.encode("utf-16-be"), ("iconv -f UTF-16BE -t UTF-8",)),
    "GB18030 in gzip": ("a.csv.gz", "partners", gzip.compress(CHINESE.encode("gb18030")), ("GB18030",)),
    "quote never closed": (
        "a.csv",
        "fx",
        (GOOD + '2026-01-02,EUR,"8.1\n2026-01-03,EUR,8.1\n').encode(),
        ("line 3", "never closes"),
    ),
    "quote never closed, on the second line of its row": (
        "a.csv",
        "shop_statuses",
        b'shop_code,status,at,reason\nS,open,"a\nb","c\n',
        ("line 3", "never closes"),
    ),
    "quote never closed in a long file": (
        "a.csv",
        "fx",
        (GOOD + '2026-01-02,EUR,"8.1\n' + "2026-01-03,EUR,8.1\n" * 20_000).encode(),
        ("line 3", "quoted field"),
    ),
    "endless line": ("a.csv", "fx", GOOD.encode() + b"x" * (LONGEST_LINE * 8), ("line 3", "longer than")),
    "too many columns": ("a.csv", "fx", (",".join(f"c{n}" for n in range(10_000)) + "\n").encode(), ("10000 columns",)),
    "too many cells": ("a.csv", "fx", (GOOD + "," * 50_000 + "\n").encode(), ("line 3", "50001 cells")),
    "gzip cut off": ("a.csv.gz", "fx", gzip.compress(GOOD.encode() * 50)[:-12], ("cut off",)),
    "gzip damaged": (
        "a.csv.gz",
        "fx",
        gzip.compress(GOOD.encode() * 50)[:-6] + b"\0\0" + gzip.compress(b"")[-4:],
        ("gzip",),
    ),
    "named gzip, but is none": ("a.csv.gz", "fx", GOOD.encode(), ("gzip",)),
    "empty gzip": ("a.csv.gz", "fx", gzip.compress(b""), ("empty",)),
    "named XLSX, but is none": ("a.xlsx", "fx", GOOD.encode(), ("no XLSX",)),
    "protected workbook": (
        "a.xlsx",
        "fx",
        bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le") + b"\0" * 600,
        ("password",),
    ),
    "old workbook": ("a.xls", "fx", bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 1200, (".xls",)),
}


@pytest.mark.django_db
@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str, tmp_path: Path) -> None:
    name, kind, content, words = REFUSED[case]
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(BadInput) as caught:
        load_feed(actor=ACTOR, kind=kind, path=path)
    for word in words:
        assert word in caught.value.message
    assert "\n" not in caught.value.message
    trace = Import.objects.get()
    assert (trace.state, trace.batch, trace.rows, trace.error) == (ImportState.REFUSED, None, 0, caught.value.message)
    assert AuditEvent.objects.get().action == "feed.refused"
    assert not Rate.objects.exists()


def _zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "nothing")


def _cut(path: Path) -> None:
    _book(path)
    path.write_bytes(path.read_bytes()[:-100])


def _bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "")
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            for _ in range(40):
                sheet.write(b" " * 2**20)


def _repack(path: Path, change: Callable[[str, bytes], bytes]) -> None:
    _book(path)
    with zipfile.ZipFile(path) as archive:
        parts = {name: change(name, archive.read(name)) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def _no_such_style(path: Path) -> None:
    _repack(path, lambda name, content: content.replace(b's="1"', b's="99"') if "sheet1" in name else content)


def _far_row(path: Path) -> None:
    _repack(
        path,
        lambda name, content: (
            content.replace(b'r="2"', b'r="999999999"').replace(b'2"', b'999999999"') if "sheet1" in name else content
        ),
    )


def _flagged(offset: int, value: int) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        _book(path)
        content = bytearray(path.read_bytes())
        place = content.find(b"PK\x01\x02")
        while place >= 0:
            content[place + offset] = value
            place = content.find(b"PK\x01\x02", place + 4)
        path.write_bytes(content)

    return make


def _scrambled(path: Path) -> None:
    _book(path)
    with zipfile.ZipFile(path) as archive:
        part = archive.getinfo("xl/worksheets/sheet1.xml")
    content = bytearray(path.read_bytes())
    start = part.header_offset + 30 + len(part.filename)
    content[start + 20 : start + 60] = b"\xff" * 40
    path.write_bytes(content)


def _book(path: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["rate_date", "currency", "rate"])
    sheet.append([date(2026, 1, 1), "EUR", 8.1])
    book.save(path)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("make", "word"),
    [
        (_zip, "no XLSX workbook"),
        (_cut, "no XLSX workbook"),
        (_bomb, "unzips to"),
        (_no_such_style, "damaged"),
        (_far_row, "past 1048576"),
        (_flagged(8, 1), "no XLSX workbook"),  # an encrypted part
        (_flagged(10, 99), "no XLSX workbook"),  # packed in a way that nobody knows
        (_scrambled, "damaged|no XLSX workbook"),
    ],
)
def test_a_workbook_that_is_none(
    make: Callable[[Path], None], word: str, tmp_path: Path, settings: pytest.FixtureRequest
) -> None:
    settings.UPLOAD_MAX_UNZIPPED_BYTES = 30 * 2**20  # type: ignore[attr-defined]
    make(tmp_path / "a.xlsx")
    with pytest.raises(BadInput, match=word):
        load_feed(actor=ACTOR, kind="fx", path=tmp_path / "a.xlsx")


@pytest.mark.django_db
def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(BadInput, match="can't be read"):
            load_feed(actor=ACTOR, kind="fx", path=path)
    assert not Import.objects.exists()


@pytest.mark.django_db
def test_what_a_file_is_goes_by_its_content(tmp_path: Path) -> None:
    for name, content in {"a.csv": gzip.compress(GOOD.encode()), "b.txt": GOOD.encode("utf-8-sig")}.items():
        (tmp_path / name).write_bytes(content)
        assert load_feed(actor=ACTOR, kind="fx", path=tmp_path / name).rows == 1
    _book(tmp_path / "c.dat")
    assert load_feed(actor=ACTOR, kind="fx", path=tmp_path / "c.dat").unchanged == 1


@pytest.mark.django_db
def test_unknown_columns_are_reported_and_line_ends_may_be_old(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b" rate , note,currency,rate_date,\r8.1,hello,EUR,2026-01-01,\r")
    loaded = load_feed(actor=ACTOR, kind="fx", path=tmp_path / "a.csv")
    assert (loaded.new, loaded.ignored_columns) == (1, ["note", ""])


@pytest.mark.parametrize(
    ("value", "number_format", "text"),
    [
        (None, "General", ""),
        (True, "General", "true"),
        (12, "General", "12"),
        (8.0, "General", "8"),
        (0.1 + 0.2, "General", "0.3"),
        (8.1908, "0.00", "8.1908"),
        (1e-7, "General", "0.0000001"),
        (1e20, "General", "100000000000000000000"),
        (datetime(2026, 1, 1), "yyyy-mm-dd", "2026-01-01"),  # noqa: DTZ001 - a cell has no time zone
        (datetime(2026, 1, 1), "yyyy-mm-dd hh:mm", "2026-01-01T00:00:00"),  # noqa: DTZ001
        (datetime(2026, 1, 1), '[$-409]d "hours"', "2026-01-01"),  # noqa: DTZ001
        (datetime(2026, 1, 1, 9, 30), "yyyy-mm-dd", "2026-01-01T09:30:00"),  # noqa: DTZ001
        (date(2026, 1, 1), "", "2026-01-01"),
        (time(9, 30), "", "09:30:00"),
        ("text", "@", "text"),
    ],
)
def test_a_cell_becomes_the_text_that_a_csv_would_hold(value: object, number_format: str, text: str) -> None:
    assert cell_text(value, number_format) == text

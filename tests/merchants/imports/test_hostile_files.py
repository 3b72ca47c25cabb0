"""Hostile files, in this process: each is refused in one line that says what and where, or its bad rows are kept."""

from __future__ import annotations

import gzip
import hashlib
import os
import socket
import tempfile
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from django.db import connection

from core.errors import BadInput, DomainError, Unavailable
from core.models import AuditEvent, FactBatch
from merchants.imports.limits import LONGEST_RECORD, MOST_COLUMNS
from merchants.models import Import, Rate, TargetEntry, TargetFact
from merchants.services import load_feed
from merchants.states import ImportState
from partners.models import Certification, InviteLink, Partner
from tests.merchants.imports import hostile
from tests.merchants.imports.feeds import ACTOR, GOOD, Feeds, counts, errors, make_program, write
from tests.merchants.imports.hostile import HEADER, MIB, SHEET, STYLES, deflated, row, sheet, sparse, workbook
from tests.shell import Shell

pytestmark = pytest.mark.django_db


def refused(path: Path, *, kind: str = "fx") -> str:
    """Load it; it must be refused as a whole, in one line of a bearable length, with a trace and nothing else."""
    batches, imports = FactBatch.objects.count(), Import.objects.count()
    with pytest.raises(DomainError) as caught:
        load_feed(actor=ACTOR, kind=kind, path=path)
    message = caught.value.message
    assert "\n" not in message
    assert len(message) < 400
    assert isinstance(caught.value, BadInput)
    if Import.objects.count() > imports:
        trace = Import.objects.latest("pk")
        assert (trace.state, trace.error, trace.rows) == (ImportState.REFUSED, message, 0)
        assert AuditEvent.objects.latest("pk").action == "feed.refused"
    assert FactBatch.objects.count() == batches
    assert not Rate.objects.exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_class WHERE relname LIKE 'feed%' AND relpersistence = 't'")
        assert cursor.fetchone() == (0,)
    return message


# --- CSV --------------------------------------------------------------------------------------------------------------

TEXTS: dict[str, tuple[Callable[[Path], object], tuple[str, ...]]] = {
    "100,000 columns": (
        lambda path: path.write_bytes(b",".join(b"c%d" % n for n in range(100_000)) + b"\n"),
        ("line 1", "longer than"),
    ),
    "10,000 short columns": (
        lambda path: path.write_bytes(b",".join(b"c%d" % n for n in range(10_000)) + b"\n"),
        ("10000 columns", f"at most {MOST_COLUMNS}"),
    ),
    "a line of 1 GiB": (lambda path: sparse(path, hostile.GOOD, b"x" * 4 * MIB), ("line 3", "longer than")),
    "a first line of 1 GiB": (lambda path: sparse(path, b"x" * 4 * MIB), ("line 1", "longer than")),
    "a quoted cell of 1 GiB, in lines": (
        lambda path: sparse(path, hostile.GOOD, b'2026-01-02,EUR,"', b"eight by eight\n" * 200_000),
        ("row that starts on line 3", f"longer than {LONGEST_RECORD}"),
    ),
    "a row of millions of quoted cells": (
        lambda path: sparse(path, hostile.GOOD, b'2026-01-02,EUR,"', b'1\n","' * 500_000),
        ("row that starts on line 3", f"longer than {LONGEST_RECORD}"),
    ),
    "a header of millions of quoted cells": (
        lambda path: sparse(path, b'"1', b'\n","' * 500_000),
        ("row that starts on line 1", f"longer than {LONGEST_RECORD}"),
    ),
    "1 GiB of line ends": (lambda path: sparse(path, HEADER, b"\n" * 8 * MIB), ("blank lines", "damaged")),
    "1 GiB of line ends before the header": (lambda path: sparse(path, b"\r\n" * 4 * MIB), ("blank lines",)),
    "1 GiB of blanks": (lambda path: sparse(path, HEADER, b"  \t  \n" * MIB), ("blank lines",)),
    "a hole": (sparse, ("line 1", "NUL byte")),
    "a hole in the middle": (lambda path: sparse(path, hostile.GOOD), ("line 3", "NUL byte")),
    "half of a character": (
        lambda path: path.write_bytes(HEADER + b"2026-01-01,EUR\xed\xa0\xbd,8\n"),
        ("line 2", "half of a character"),
    ),
    "one damaged line": (
        lambda path: path.write_bytes(HEADER + "2026-01-01,欧元,8\n".encode() * 50_000 + b"2026-01-01,\xff,8\n"),
        ("line 50002", "0xFF", "this one is damaged"),
    ),
    "a name that only looks right": (
        lambda path: path.write_bytes("rate_date,cur\u200brency,rate\n2026-01-01,EUR,8\n".encode()),
        ("needs the column currency", r"'cur\u200brency'", "can't be seen"),
    ),
    "a long name, many times": (
        lambda path: path.write_bytes(b",".join([b"n" * 300] * 200) + b"\n"),
        ("twice", "nnn…"),
    ),
    "gzip: a line of 1 GiB": (
        lambda path: path.write_bytes(hostile.gzip_of((HEADER, 1), (b"x" * MIB, 1024))),
        ("line 2", "longer than"),
    ),
    "gzip: 1 GiB of line ends": (
        lambda path: path.write_bytes(hostile.gzip_of((HEADER, 1), (b"\n" * MIB, 1024))),
        ("blank lines",),
    ),
    "gzip: a header that doesn't end": (
        lambda path: sparse(path, b"\x1f\x8b\x08\x08" + b"\0" * 6, b"n" * 4 * MIB),
        ("no sound gzip",),
    ),
    "gzip: nothing, very often": (
        lambda path: path.write_bytes(gzip.compress(HEADER) + gzip.compress(b"") * 200_000),
        ("no sound gzip", "holds nothing"),
    ),
    "gzip: rubbish behind it": (
        lambda path: path.write_bytes(gzip.compress(hostile.GOOD) + b"rubbish"),
        ("no sound gzip",),
    ),
}


@pytest.mark.parametrize("case", TEXTS)
def test_a_hostile_text(case: str, tmp_path: Path) -> None:
    make, words = TEXTS[case]
    make(tmp_path / "a.csv")
    message = refused(tmp_path / "a.csv")
    for word in words:
        assert word in message


def test_gzip_in_pieces_and_with_zeros_behind_is_one_file(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"".join(gzip.compress(hostile.GOOD[at : at + 1]) for at in range(43)) + b"\0" * 70_000)
    assert counts(load_feed(actor=ACTOR, kind="fx", path=path)) == (1, 0, 0, 0)


def test_long_rows_that_are_fine(tmp_path: Path) -> None:
    """Bounds are for what no feed has; a long remark over many lines is one."""
    make_program()
    rows = [{**GOOD["fx"], "note": "a line\n" * 9000, "rate_date": f"2026-01-{day:02}"} for day in range(1, 9)]
    path = write(tmp_path / "a.csv", rows, [*GOOD["fx"], "note"])
    path.write_bytes(path.read_bytes() + b"\n" * MIB)
    assert counts(load_feed(actor=ACTOR, kind="fx", path=path)) == (8, 0, 0, 0)


def test_the_widest_feed_fits_into_the_database(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    for length in (23, 24, 200):
        more = MOST_COLUMNS - 3
        header = HEADER.decode().strip() + "".join(f",n{n}" for n in range(more))
        path.write_text(f"{header}\n2026-01-01,EUR,8.1{(',' + 'x' * length) * more}\n")
        assert load_feed(actor=ACTOR, kind="fx", path=path).rows == 1


def test_a_line_that_says_to_be_the_end_is_not(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(hostile.GOOD + b"\x1cend of the feed\x1c\n2026-01-02,EUR,8.1\n")
    assert counts(load_feed(actor=ACTOR, kind="fx", path=path)) == (2, 0, 0, 1)


def test_unseen_white_space_at_an_edge_is_an_error_as_anywhere(feeds: Feeds) -> None:
    good = GOOD["partners"]
    rows = [{**good, "name": f"Invented{space}"} for space in ("\x1c", "\x1f", "\u0085", "\u2028")]
    rows.append({**good, "name": " \t\u00a0\u3000Invented\u2003 "})
    loaded = feeds.load("partners", *rows)
    assert errors(loaded) == [(line, "name", "characters") for line in range(2, 6)]
    assert Partner.objects.get().name == "Invented"


NUMBERS = (
    "1e400",
    "NaN",
    "Infinity",
    "-Infinity",
    "9" * 1001,
    "0x10",
    "1_000",
    "８",
    "1e15",
    "1000000000000000",
    "=1+1",
)
DATES = ("0000-01-01", "10000-01-01", "2026-02-29", "-2026-01-01", "1753-01-01", "2026-W01-1", "99999999", "今天")


def test_numbers_and_dates_that_are_none(feeds: Feeds) -> None:
    feeds.world(until="settlements")
    good = GOOD["settlements"]
    rows = [{**good, "line_code": f"N-{n}", "amount": value} for n, value in enumerate(NUMBERS)]
    rows += [{**good, "line_code": f"D-{n}", "ordered_at": value} for n, value in enumerate(DATES)]
    loaded = feeds.load("settlements", *rows)
    expected = [*["amount"] * len(NUMBERS), *["ordered_at"] * len(DATES)]
    assert [(column, code) for _, column, code in errors(loaded)] == [(column, "malformed") for column in expected]
    messages = {row.line: row.message for row in loaded.rejected_rows.all()}
    assert all(len(message) < 250 for message in messages.values())
    said = [
        ("1e400", "write a plain decimal"),
        ("9" * 1001, "more digits than are kept"),
        ("1000000000000000", "more digits than are kept"),
        ("=1+1", "a formula without its value"),
        ("0000-01-01", "outside of the years"),
        ("10000-01-01", "outside of the years"),
        ("2026-02-29", "write a timestamp"),
    ]
    for value, words in said:
        assert words in messages[2 + (*NUMBERS, *DATES).index(value)]
    assert feeds.load("settlements").new == 1


@pytest.mark.parametrize(
    ("kind", "column"),
    [("fx", "rate"), ("stock", "sellable"), ("settlements", "amount"), ("partners", "commitment")],
)
def test_numbers_at_the_edge_of_what_is_kept(feeds: Feeds, kind: str, column: str) -> None:
    feeds.world(until=kind)
    rows = [{**GOOD[kind], column: "9" * digits + tail} for digits in range(8, 60, 3) for tail in ("", ".0000")]
    assert feeds.load(kind, *rows).rows == len(rows)


def test_days_at_the_end_of_time(feeds: Feeds) -> None:
    feeds.world(until="settlements")
    last = "9999-12-31"
    partner = {**GOOD["partners"], "partner_code": "P-9", "registration_no": "", "certified_from": last}
    assert counts(feeds.load("partners", {**partner, "certified_until": last}))[3] in (0, 1)
    target = {**GOOD["targets"], "target_code": "T-9", "listed_on": last, "delisted_on": ""}
    assert counts(feeds.load("targets", target, {**target, "delisted_on": last}))[3] in (0, 1)
    invite = {**GOOD["invites"], "invite_code": "L-9", "expires_at": "9999-12-31T23:59:59Z"}
    assert feeds.load("invites", invite).new == 1
    for model in (Certification, TargetFact, TargetEntry, InviteLink):
        assert list(model.objects.values())


def test_a_formula_in_a_csv_stays_text(feeds: Feeds) -> None:
    names = ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", '=HYPERLINK("http://example.com")']
    rows = [{**GOOD["partners"], "partner_code": f"P-{n}", "name": name} for n, name in enumerate(names)]
    assert feeds.load("partners", *rows).new == 5
    assert list(Partner.objects.order_by("code").values_list("name", flat=True)) == names


# --- What is no file --------------------------------------------------------------------------------------------------


def test_what_is_no_file_is_not_waited_for(tmp_path: Path, shell: Shell) -> None:
    pipe, loop, link = tmp_path / "pipe", tmp_path / "loop", tmp_path / "socket"
    os.mkfifo(pipe)
    loop.symlink_to(loop)
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(link))
    for path, word in (
        (tmp_path, "a folder"),
        (pipe, "a pipe"),
        (Path("/dev/zero"), "a device"),
        (Path("/dev/null"), "a device"),
        (loop, "symbolic links"),
        (link, "can't be read"),
        (tmp_path / ("n" * 300), "too long"),
        (Path("/proc/self/status"), "is empty"),
        (tmp_path / "no\0name", "null"),
    ):
        answer = shell("load", "fx", path)
        assert (answer.status, answer.out) == (2, "")
        assert word in answer.err
        assert len(answer.err.splitlines()) == 1
    listening.close()


def test_a_file_that_grows_while_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(hostile.GOOD)

    def append(_: int) -> None:
        with path.open("ab") as file:
            file.write(b"2026-01-02,EUR,8.")

    with pytest.raises(BadInput, match="changed while it was read"):
        load_feed(actor=ACTOR, kind="fx", path=path, progress=append)
    assert not Rate.objects.exists()


def test_a_refused_file_is_known_by_its_fingerprint_where_that_is_cheap(tmp_path: Path) -> None:
    content = hostile.GOOD + b"\0" * MIB
    (tmp_path / "small.csv").write_bytes(content)
    sparse(tmp_path / "large.csv", hostile.GOOD)
    refused(tmp_path / "small.csv")
    refused(tmp_path / "large.csv")
    assert list(Import.objects.order_by("pk").values_list("sha256", flat=True)) == [
        hashlib.sha256(content).hexdigest(),
        "",
    ]


# --- Workbooks --------------------------------------------------------------------------------------------------------

BOMB = deflated(SHEET, (b"<worksheet><sheetData>", 1), (b" " * MIB, 1024))


def _overlapping(path: Path) -> None:
    big = deflated("xl/a.xml", (b"x" * 1000, 100))
    parts = [hostile.Part(f"xl/{n}.xml", big.packed, size=10, at=0) for n in range(500)]
    workbook(path, big, *parts)


def _renamed(name: str, content: bytes) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(name, content)

    return make


BOOKS: dict[str, tuple[Callable[[Path], object], tuple[str, ...]]] = {
    "unzips to 1 GiB": (lambda path: workbook(path, BOMB), ("unzips to 1024 MiB", "send it as CSV")),
    "unzips to 1 GiB and says 1 KiB": (
        lambda path: workbook(path, deflated(SHEET, (sheet(), 1), (b" " * MIB, 1024), says=1024)),
        ("no XLSX workbook", "CRC"),
    ),
    "unzips to 1 GiB and says 1 MiB, in its shared texts": (
        lambda path: workbook(path, deflated("xl/sharedStrings.xml", (b"<sst>", 1), (b" " * MIB, 1024), says=MIB)),
        ("no XLSX workbook", "CRC"),
    ),
    "many entries": (
        lambda path: workbook(path, *[hostile.Part(f"{n}", b"", size=0) for n in range(60_000)]),
        ("far more parts",),
    ),
    "overlapping entries": (_overlapping, ("overlap",)),
    "two parts of one name": (
        lambda path: workbook(path, (SHEET.upper(), sheet())),
        ("two parts of one name",),
    ),
    "packed as nobody packs a workbook": (
        lambda path: workbook(path, hostile.Part(SHEET, b"BZh91AY&SY", method=zipfile.ZIP_BZIP2, size=MIB)),
        ("packed in an odd way",),
    ),
    "a bomb that says to be an OpenDocument file": (
        lambda path: hostile.write_zip(
            path, [hostile.Part("mimetype", b"BZh91AY&SY", method=zipfile.ZIP_BZIP2, size=100)]
        ),
        ("packed in an odd way",),
    ),
    "billion laughs in the sheet": (
        lambda path: workbook(path, (SHEET, sheet(row(2, "<c><v>&j;</v></c>"), before=hostile.LAUGHS))),
        ("sheet1.xml", "entities"),
    ),
    "billion laughs in the shared texts": (
        lambda path: workbook(path, ("xl/sharedStrings.xml", hostile.LAUGHS + b"<sst><si><t>&j;</t></si></sst>")),
        ("sharedStrings.xml", "entities"),
    ),
    "billion laughs in the workbook": (
        lambda path: workbook(path, ("xl/workbook.xml", hostile.LAUGHS + hostile.BOOK)),
        ("workbook.xml", "entities"),
    ),
    "billion laughs in the styles": (
        lambda path: workbook(path, ("xl/styles.xml", hostile.LAUGHS + STYLES)),
        ("styles.xml", "entities"),
    ),
    "an external entity": (
        lambda path: workbook(path, (SHEET, sheet(row(2, "<c t='str'><v>&a;</v></c>"), before=hostile.EXTERNAL))),
        ("sheet1.xml", "entities"),
    ),
    "16,384 columns": (hostile.wide_header, ("row 1", "column 601")),
    "a far cell": (hostile.far_cell, ("row 1048576", "column 16384")),
    "a column past the last": (
        lambda path: workbook(path, (SHEET, sheet(row(2, '<c r="XFE2"><v>1</v></c>')))),
        ("row 2", "XFE2"),
    ),
    "a column of very many letters": (
        lambda path: workbook(path, (SHEET, sheet(row(2, f'<c r="{"A" * 1000}2"><v>1</v></c>')))),
        ("row 2", "out of its place"),
    ),
    "rows backwards": (lambda path: workbook(path, (SHEET, sheet(row(5), row(4)))), ("row 4 comes after row 5",)),
    "a row nowhere": (lambda path: workbook(path, (SHEET, sheet(b'<row r="nan"/>'))), ("the number 'nan'",)),
    "a text that doesn't exist": (
        lambda path: workbook(path, (SHEET, sheet(row(2, '<c t="s"><v>-1</v></c>')))),
        ("row 2", "text '-1' doesn't exist"),
    ),
    "a cell of 1 MiB": (
        lambda path: workbook(path, (SHEET, sheet(row(2, f'<c t="str"><v>{"x" * MIB}</v></c>')))),
        ("row 2", "longer than 32767"),
    ),
    "a tag of 100 MiB": (
        lambda path: workbook(path, deflated(SHEET, (b"<worksheet><!-- ", 1), (b"x" * MIB, 100))),
        ("one XML tag is longer",),
    ),
    "XML in endless depth": (
        lambda path: workbook(path, deflated(SHEET, (b"<worksheet>", 1), (b"<a>" * 100_000, 100))),
        ("nested deeper",),
    ),
    "XML of endless names": (
        lambda path: workbook(
            path, (SHEET, b"<worksheet>" + b"".join(b"<n%d/>" % n for n in range(100_000)) + b"</worksheet>")
        ),
        ("different XML names",),
    ),
    "XML of nothing": (
        lambda path: workbook(path, deflated(SHEET, (b"<worksheet><sheetData>", 1), (b"<x/>" * 250_000, 100))),
        ("no cells",),
    ),
    "a cell of nothing": (
        lambda path: workbook(path, deflated(SHEET, (b"<worksheet><sheetData><row><c>", 1), (b"<x/>" * 250_000, 100))),
        ("row 1: a cell of more than",),
    ),
    "a text of nothing": (
        lambda path: workbook(path, deflated("xl/sharedStrings.xml", (b"<sst><si>", 1), (b"<x/>" * 250_000, 100))),
        ("a text of more than",),
    ),
    "styles of 100 MiB": (
        lambda path: workbook(path, deflated("xl/styles.xml", (b"<a>", 1), (b" " * MIB, 100))),
        ("xl/styles.xml has 100 MiB",),
    ),
    "a few texts in very many cells": (hostile.amplified, ("more than 100 MiB of text",)),
    "no sheet": (
        lambda path: workbook(path, ("xl/_rels/workbook.xml.rels", b"<Relationships/>")),
        ("no sheet with rows",),
    ),
    "XML that breaks off": (lambda path: workbook(path, (SHEET, sheet()[:-30])), ("damaged",)),
    "an OpenDocument file": (
        _renamed("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"),
        ("OpenDocument", "save it as XLSX"),
    ),
    "a binary workbook": (
        lambda path: workbook(path, ("_rels/.rels", hostile.RELS.replace(b"workbook.xml", b"workbook.bin"))),
        (".xlsb",),
    ),
    "a large protected workbook": (
        lambda path: sparse(path, bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 22 + b"\x09\0" + b"\0" * 600),
        ("MiB allowed for a workbook",),
    ),
}


@pytest.mark.parametrize("case", BOOKS)
def test_a_hostile_workbook(case: str, tmp_path: Path, settings: pytest.FixtureRequest) -> None:
    settings.UPLOAD_MAX_UNZIPPED_BYTES = (100 if "few texts" in case else 500) * MIB  # type: ignore[attr-defined]
    make, words = BOOKS[case]
    make(tmp_path / "a.xlsx")
    message = refused(tmp_path / "a.xlsx")
    for word in words:
        assert word in message


def test_what_a_workbook_says_about_its_size_is_not_believed(tmp_path: Path) -> None:
    lying = sheet(hostile.FX_ROW).replace(b"<sheetData>", b'<dimension ref="A1:XFD1048576"/><sheetData>')
    styled = row(1_048_576, '<c r="A1048576"/>', '<c r="XFD1048576" s="1"/>')
    workbook(tmp_path / "a.xlsx", (SHEET, lying.replace(b"</sheetData>", styled + b"</sheetData>")))
    assert counts(load_feed(actor=ACTOR, kind="fx", path=tmp_path / "a.xlsx")) == (1, 0, 0, 0)


def test_numbers_and_dates_of_a_workbook_that_are_none(tmp_path: Path) -> None:
    values = ["1E400", "-1E400", "NaN", "9" * 5000, "8.1.1", "1E307"]
    rows = [
        row(n, '<c t="str"><v>2026-01-01</v></c>', '<c t="str"><v>EUR</v></c>', f"<c><v>{value}</v></c>")
        for n, value in enumerate(values, start=2)
    ]
    serials = ["-1", "2958466", "1E300", "99999999999", "nan", "0"]
    rows += [
        row(n, f'<c s="1"><v>{value}</v></c>', '<c t="str"><v>EUR</v></c>', "<c><v>8</v></c>")
        for n, value in enumerate(serials, start=20)
    ]
    workbook(tmp_path / "a.xlsx", (SHEET, sheet(*rows)))
    loaded = load_feed(actor=ACTOR, kind="fx", path=tmp_path / "a.xlsx")
    assert errors(loaded) == [
        *[(n, "rate", "malformed") for n in range(2, 8)],
        *[(n, "rate_date", "malformed") for n in range(20, 26)],
    ]
    assert "“2958466” can't be read" in loaded.rejected_rows.get(line=21).message


def test_a_formula_counts_as_its_value_and_is_never_taken_for_nothing(tmp_path: Path) -> None:
    day = '<c t="str"><v>2026-01-0{}</v></c>'
    euro = '<c t="str"><f>IF(1,"EUR")</f><v>EUR</v></c>'
    rows = [
        row(2, day.format(1), euro, "<c><f>4+4.1</f><v>8.1</v></c>"),
        row(3, day.format(2), euro, "<c><f>4+4.1</f></c>"),  # written by a program, never calculated
        row(4, day.format(3), euro, '<c t="e"><f>1/0</f><v>#DIV/0!</v></c>'),
        row(5, day.format(4), '<c t="str"><f>""</f><v></v></c>', "<c><v>8</v></c>"),
    ]
    workbook(tmp_path / "a.xlsx", (SHEET, sheet(*rows)))
    loaded = load_feed(actor=ACTOR, kind="fx", path=tmp_path / "a.xlsx")
    assert errors(loaded) == [(3, "rate", "malformed"), (4, "rate", "malformed"), (5, "currency", "missing")]
    assert "“=4+4.1”" in loaded.rejected_rows.get(line=3).message
    assert Rate.objects.get().rate_date == date(2026, 1, 1)


def test_texts_of_a_workbook_that_don_t_fit_into_memory(tmp_path: Path) -> None:
    """Shared texts past the first ones wait in a file; of those in several fonts, all pieces count."""
    texts = ["<si><t>rate_date</t></si><si><t>currency</t></si><si><t>rate</t></si><si><t>note</t></si>"]
    texts += [f"<si><t>{n:06}{'x' * 30_000}</t></si>" for n in range(150)]
    texts += ["<si><r><t>2026-</t></r><r><t>01-01</t></r><rPh><t>kana</t></rPh></si>", "<si><t>EUR</t></si>"]
    texts += ["<si><t>8.1</t></si><si/>"]
    cells = ["".join(f'<c t="s"><v>{n}</v></c>' for n in order) for order in ((0, 1, 2, 3), (154, 155, 156, 153))]
    data = row(1, cells[0]) + row(2, cells[1])
    workbook(
        tmp_path / "a.xlsx",
        ("xl/sharedStrings.xml", f"<sst>{''.join(texts)}</sst>".encode()),
        (SHEET, b"<worksheet><sheetData>" + data + b"</sheetData></worksheet>"),
    )
    loaded = load_feed(actor=ACTOR, kind="fx", path=tmp_path / "a.xlsx")
    assert (errors(loaded), counts(loaded)) == ([], (1, 0, 0, 0))


# --- Full disks -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("state", "word"), [("53100", "make room"), ("53400", "raise the limit")])
def test_a_full_disk_of_the_database(feeds: Feeds, shell: Shell, state: str, word: str) -> None:
    path = write(feeds.folder / "fx.csv", [GOOD["fx"]])
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION pg_temp.full() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device'"
            f" USING ERRCODE = '{state}'; END $$"
        )
        cursor.execute(
            "CREATE TRIGGER full_disk BEFORE INSERT ON merchants_rate FOR EACH ROW EXECUTE FUNCTION pg_temp.full()"
        )
    answer = shell("load", "fx", path)
    assert (answer.status, answer.out) == (1, "")
    assert len(answer.err.splitlines()) == 1
    assert "No space left" in answer.err
    assert word in answer.err
    trace = Import.objects.get()
    assert (trace.state, trace.batch, trace.error) == (ImportState.FAILED, None, answer.err.strip())
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER full_disk ON merchants_rate")
    assert counts(load_feed(actor=ACTOR, kind="fx", path=path)) == (1, 0, 0, 0)


def test_a_folder_for_temporary_files_that_takes_nothing(feeds: Feeds, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(feeds.folder / "gone"))
    with pytest.raises(Unavailable, match="takes nothing more"):
        feeds.load("fx", {**GOOD["fx"], "currency": "?"}, strict=True)
    assert Import.objects.get().state == ImportState.FAILED
    monkeypatch.undo()
    assert counts(feeds.load("fx")) == (1, 0, 0, 0)

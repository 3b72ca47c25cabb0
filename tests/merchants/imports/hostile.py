"""Builders of files that mean harm, or look like it: small on the disk where content doesn't matter, huge in effect."""

from __future__ import annotations

import gzip
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

GIB, MIB = 2**30, 2**20
HEADER = b"rate_date,currency,rate\n"
GOOD = HEADER + b"2026-01-01,EUR,8.1\n"


def sparse(path: Path, *beginning: bytes, size: int = GIB) -> Path:
    """A file of `size` that begins so and goes on with a hole: who reads past the beginning meets NUL bytes."""
    with path.open("wb") as file:
        for part in beginning:
            file.write(part)
        file.truncate(size)
    return path


# --- Workbooks, part by part ------------------------------------------------------------------------------------------

TYPES = b'<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
RELS = (
    b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" '
    b'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
    b'Target="xl/workbook.xml"/>'
    b"</Relationships>"
)
BOOK = (
    b'<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
    b'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
    b'<sheets><sheet name="a" sheetId="1" r:id="r1"/></sheets></workbook>'
)
KINDS = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
BOOK_RELS = (
    b"<Relationships>"
    b'<Relationship Id="r1" Type="%bworksheet" Target="worksheets/sheet1.xml"/>'
    b'<Relationship Id="r2" Type="%bsharedStrings" Target="sharedStrings.xml"/>'
    b'<Relationship Id="r3" Type="%bstyles" Target="/xl/styles.xml"/>'
    b"</Relationships>"
) % (KINDS, KINDS, KINDS)
SHEET = "xl/worksheets/sheet1.xml"
STYLES = (
    b"<styleSheet><cellXfs>"
    b'<xf numFmtId="0"/><xf numFmtId="14"/>'  # 14: a date
    b"</cellXfs></styleSheet>"
)
FX_HEADER = (
    b'<row r="1"><c t="inlineStr"><is><t>rate_date</t></is></c><c t="inlineStr"><is><t>currency</t></is></c>'
    b'<c t="inlineStr"><is><t>rate</t></is></c></row>'
)
FX_ROW = b'<row r="2"><c t="str"><v>2026-01-01</v></c><c t="inlineStr"><is><t>EUR</t></is></c><c><v>8.1</v></c></row>'


def sheet(*rows: bytes, before: bytes = b"", after: bytes = b"") -> bytes:
    """A sheet's XML; its header is that of the rates."""
    return before + b"<worksheet><sheetData>" + FX_HEADER + b"".join(rows) + b"</sheetData>" + after + b"</worksheet>"


def row(number: int, *cells: str) -> bytes:
    """A row of cells, each as its whole XML."""
    return f'<row r="{number}">{"".join(cells)}</row>'.encode()


@dataclass
class Part:
    """A part of a zip file as it is written, with whatever the file says about it."""

    name: str
    packed: bytes
    method: int = zipfile.ZIP_DEFLATED
    size: int = 0
    crc: int = 0
    at: int | None = None  # the place of another part's content, for one that overlaps


def deflated(name: str, *pieces: tuple[bytes, int], says: int | None = None) -> Part:
    """A part of repeated pieces, packed in no time: each piece once, its packed form as often as it comes."""
    packed, size, crc = [], 0, 0
    for piece, times in pieces:
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        block = packer.compress(piece) + packer.flush(zlib.Z_FULL_FLUSH)
        packed.append(block * times)
        size += len(piece) * times
        if size <= 512 * MIB:
            for _ in range(times):
                crc = zlib.crc32(piece, crc)
    packed.append(zlib.compressobj(9, zlib.DEFLATED, -15).flush())
    return Part(name, b"".join(packed), size=size if says is None else says, crc=crc)


def write_zip(path: Path, parts: Iterable[Part]) -> Path:
    """Write a zip file that says what the parts say, true or not."""
    directory, places = [], 0
    with path.open("wb") as file:
        for part in parts:
            name = part.name.encode()
            sizes = struct.pack("<III", part.crc, len(part.packed), part.size)
            common = struct.pack("<HHHHH", 20, 0, part.method, 0, 0x21) + sizes + struct.pack("<HH", len(name), 0)
            place = file.tell() if part.at is None else part.at
            if part.at is None:
                file.write(b"PK\x03\x04" + common + name + part.packed)
            directory.append(
                b"PK\x01\x02" + struct.pack("<H", 20) + common + struct.pack("<HHHII", 0, 0, 0, 0, place) + name
            )
            places += 1
        start = file.tell()
        file.write(b"".join(directory))
        length = file.tell() - start
        file.write(b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, places & 0xFFFF, places & 0xFFFF, length, start, 0))
    return path


def workbook(path: Path, *own: Part | tuple[str, bytes]) -> Path:
    """A workbook of one good row of rates, with some of its parts replaced, or others added."""
    usual = {
        "[Content_Types].xml": TYPES,
        "_rels/.rels": RELS,
        "xl/workbook.xml": BOOK,
        "xl/_rels/workbook.xml.rels": BOOK_RELS,
        "xl/styles.xml": STYLES,
        SHEET: sheet(FX_ROW),
    }
    parts = {name: deflated(name, (content, 1)) for name, content in usual.items()}
    for given in own:
        part = given if isinstance(given, Part) else deflated(given[0], (given[1], 1))
        parts[part.name] = part
    return write_zip(path, parts.values())


# --- XML --------------------------------------------------------------------------------------------------------------

LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ha">'
    + b"".join(b'<!ENTITY %c "%b">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9))
    + b"]>"
)
EXTERNAL = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/hostname">]>'

# --- One file after the other -----------------------------------------------------------------------------------------

Make = Callable[[Path], object]


def far_cell(path: Path) -> None:
    cell = b'<row r="1048576"><c r="XFD1048576" t="str"><v>far</v></c></row>'
    workbook(path, (SHEET, sheet(FX_ROW, cell)))


def wide_header(path: Path) -> None:
    cells = "".join(f'<c t="str"><v>c{n}</v></c>' for n in range(16_384))
    workbook(path, (SHEET, b"<worksheet><sheetData>" + row(1, cells) + b"</sheetData></worksheet>"))


def amplified(path: Path) -> None:
    """A text of 30,000 characters, in every cell of very many rows."""
    texts = b"<sst><si><t>" + b"x" * 30_000 + b"</t></si></sst>"
    rows = b"".join(row(n, *['<c t="s"><v>0</v></c>'] * 2) for n in range(2, 3000))
    workbook(path, ("xl/sharedStrings.xml", texts), (SHEET, sheet(rows)))


def gzip_of(*pieces: tuple[bytes, int]) -> bytes:
    """A gzip file of repeated pieces, packed in no time; its checksum is wrong past 512 MiB."""
    part = deflated("", *pieces)
    return gzip.compress(b"")[:10] + part.packed + struct.pack("<II", part.crc, part.size & 0xFFFFFFFF)

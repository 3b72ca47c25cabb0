"""A feed's file: what it is by its content, whatever its name says, and its bytes as checked text.

Whoever sends a file in another encoding, half a gzip or a protected workbook is told what was found and how to mend it.
"""

import gzip
import hashlib
import io
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from core.errors import BadInput

LONGEST_LINE = 256 * 1024  # bytes of one physical line; a feed's row has hundreds
BUFFER = 1024 * 1024
SAMPLE = 64 * 1024

_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")


class Format(StrEnum):
    """How the rows are packed."""

    CSV = "csv"
    GZIP = "csv.gz"
    XLSX = "xlsx"


@dataclass(frozen=True, slots=True)
class Source:
    """A file that can be read: where, under which name it came, what it is, and what it is recognised by."""

    path: Path
    name: str
    format: Format
    sha256: str
    size: int


class FileRefused(BadInput):
    """The file as a whole can't be read as a feed; the message says what was found and what to do."""

    code = "file_refused"


def inspect(path: Path, *, name: str | None = None) -> Source:
    """Fingerprint the file and see what it is. Raises BadInput where it can't be opened.

    What is wrong with its content is found when it is read.
    """
    try:
        with path.open("rb") as file:
            if not path.is_file():
                raise BadInput(f"{path} is no file.")
            head = file.read(8)
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.tell()
    except OSError as error:
        raise BadInput(f"{path} can't be read: {error.strerror or error}.") from None
    name = name or path.name
    return Source(path, name, _format(head, name), digest, size)


def _format(head: bytes, name: str) -> Format:
    if head.startswith(b"\x1f\x8b") or (not head and name.endswith(".gz")):
        return Format.GZIP
    if head.startswith((b"PK\x03\x04", _OLE)) or name.lower().endswith((".xlsx", ".xlsm")):
        return Format.XLSX
    return Format.GZIP if name.lower().endswith(".gz") else Format.CSV


def refuse_ole(source: Source) -> None:
    """Refuse what Excel wrote but is no XLSX: a workbook with a password, or one of before 2007."""
    with source.path.open("rb") as file:
        if file.read(len(_OLE)) != _OLE:
            return
        tail = b""
        while block := file.read(BUFFER):
            if _ENCRYPTED in tail + block:
                raise FileRefused(f"{source.name} is protected by a password; save it without one and load it again.")
            tail = block[-len(_ENCRYPTED) :]
    raise FileRefused(f"{source.name} is an old Excel workbook (.xls); save it as XLSX or as CSV UTF-8.")


@contextmanager
def open_text(source: Source) -> Iterator[io.TextIOWrapper]:
    """Open a CSV, packed or not, as text with its line ends as they are.

    Raises FileRefused, in here and while it is read, for what is no UTF-8 text, is cut off or has endless lines.
    """
    try:
        with source.path.open("rb") as file:
            unpacked = gzip.GzipFile(fileobj=file) if source.format is Format.GZIP else file
            guard = _Guard(unpacked, source.name)
            with io.TextIOWrapper(io.BufferedReader(guard, BUFFER), encoding="utf-8-sig", newline="") as text:
                yield text
    except UnicodeDecodeError:
        raise FileRefused(_describe_encoding(source)) from None
    except EOFError:
        raise FileRefused(f"{source.name} is cut off: its gzip data ends too early. Send it again.") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise FileRefused(f"{source.name} is no sound gzip file ({error}). Pack it again.") from None


class _Guard(io.RawIOBase):
    """Passes bytes on and refuses NUL bytes and endless lines, before anything has to hold them in memory."""

    def __init__(self, file: BinaryIO | gzip.GzipFile, name: str) -> None:
        self._file, self._name = file, name
        self._unended = 0
        self._lines = 0
        self._first = True

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # what BufferedReader hands in
        block = self._file.read(len(buffer))
        if self._first:
            self._first = False
            _refuse_utf16(block, self._name)
        zero = block.find(b"\0")
        if zero >= 0:
            line = self._lines + block.count(b"\n", 0, zero) + 1
            raise FileRefused(
                f"{self._name}, line {line}: a NUL byte. The file is damaged or no text; write it again as UTF-8."
            )
        self._bound(block)
        buffer[: len(block)] = block
        return len(block)

    def _bound(self, block: bytes) -> None:
        first = block.find(b"\n")
        if first < 0 and b"\r" in block:  # the line ends of old spreadsheets
            first = block.find(b"\r")
        reach = self._unended + (len(block) if first < 0 else first)
        if reach > LONGEST_LINE:
            raise FileRefused(
                f"{self._name}, line {self._lines + 1}: longer than {LONGEST_LINE} bytes. This is no feed of rows."
            )
        if first < 0:
            self._unended += len(block)
            return
        self._lines += block.count(b"\n")
        self._unended = len(block) - 1 - max(block.rfind(b"\n"), block.rfind(b"\r"))
        # A long line inside of the block is no danger: it is in memory already, and its reader counts its cells.


def _refuse_utf16(block: bytes, name: str) -> None:
    head = block[:2000]
    found = None
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        found = "UTF-16LE" if head[0] == 0xFF else "UTF-16BE"
    elif head.count(b"\0") * 3 > len(head):
        found = "UTF-16LE" if head[1::2].count(b"\0") >= head[::2].count(b"\0") else "UTF-16BE"
    if found:
        raise FileRefused(_convert(name, "UTF-16", "UTF-16" if block[0] in (0xFF, 0xFE) else found, line=1))


def _describe_encoding(source: Source) -> str:
    """Find the first line that is no UTF-8 and guess what it is instead."""
    line, sample = 0, b""
    with source.path.open("rb") as file:
        unpacked = gzip.GzipFile(fileobj=file) if source.format is Format.GZIP else file
        for number, content in enumerate(iter(lambda: unpacked.readline(LONGEST_LINE), b""), start=1):
            try:
                content.decode()
            except UnicodeDecodeError:
                line = line or number
                sample += content
                if len(sample) > SAMPLE:
                    break
    if _looks_like_gb18030(sample):
        return _convert(source.name, "GB18030 (GBK, GB2312)", "GB18030", line=line)
    return _convert(source.name, "Latin-1 (Windows-1252)", "WINDOWS-1252", line=line)


def _looks_like_gb18030(sample: bytes) -> bool:
    # A Chinese character is two high bytes; an accented letter of Latin-1 mostly stands alone.
    runs = [len(run) for run in _HIGH_RUN.findall(sample)]
    if sum(length % 2 == 0 for length in runs) * 2 < len(runs):
        return False
    try:
        text = sample.decode("gb18030")
    except UnicodeDecodeError:
        text = sample[: sample.rfind(b"\n")].decode("gb18030", errors="replace")
    return sum("一" <= char <= "鿿" for char in text) * 2 >= sum(ord(char) > 127 for char in text)


def _convert(name: str, found: str, code: str, *, line: int) -> str:
    return (
        f"{name}, line {line}: not UTF-8 but what looks like {found}. Convert it with "
        f"`iconv -f {code} -t UTF-8 {name} > utf8.csv`, or save it as “CSV UTF-8”."
    )

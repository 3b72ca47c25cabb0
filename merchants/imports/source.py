"""A feed's file: what it is by its content, whatever its name says, and its bytes, fingerprinted as they are read."""

import hashlib
import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from core.errors import BadInput
from merchants.imports.limits import CHEAP_TO_HASH, MIB

OLE = bytes.fromhex("d0cf11e0a1b11ae1")  # how password-protected and old Excel workbooks begin


class Format(StrEnum):
    """How the rows are packed."""

    CSV = "csv"
    GZIP = "csv.gz"
    XLSX = "xlsx"


@dataclass(slots=True)
class Fingerprint:
    """The SHA-256 of a file that was read to its end; empty before, and where it was refused long before its end."""

    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """A file that can be read: where, under which name it came, what it is, and its size in bytes."""

    path: Path
    name: str
    format: Format
    size: int
    fingerprint: Fingerprint = field(default_factory=Fingerprint, compare=False)

    @property
    def sha256(self) -> str:
        """The fingerprint; empty before the file was read, and where it was refused long before its end."""
        return self.fingerprint.sha256


class FileRefused(BadInput):
    """The file as a whole can't be read as a feed; the message says what was found and what to do."""

    code = "file_refused"


def inspect(path: Path, *, name: str | None = None) -> Source:
    """See what the file is, by its first bytes. Raises BadInput where it can't be opened.

    What is wrong with its content is found when it is read.
    """
    with _open(path) as file:
        size = os.fstat(file.fileno()).st_size
        head = _read(file, path, 8)
    name = name or path.name
    return Source(path, name, _format(head, name), size)


def _open(path: Path) -> io.FileIO:
    try:
        # Not waiting: a FIFO's open would last until somebody writes.
        number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:  # a NUL byte in a name is a ValueError
        raise BadInput(f"{path} can't be read: {getattr(error, 'strerror', None) or error}.") from None
    mode = os.fstat(number).st_mode
    if not stat.S_ISREG(mode):
        os.close(number)
        raise BadInput(f"{path} can't be read: it is {_what(mode)}. Write the rows to a file and load that.")
    return io.FileIO(number, "rb")


def _what(mode: int) -> str:
    if stat.S_ISDIR(mode):
        return "a folder"
    return "a pipe" if stat.S_ISFIFO(mode) else "a device, no file"


def _read(file: io.FileIO, path: Path, size: int) -> bytes:
    try:
        return file.read(size) or b""
    except OSError as error:
        raise BadInput(f"{path} can't be read: {error.strerror or error}.") from None


def _format(head: bytes, name: str) -> Format:
    if head.startswith(b"\x1f\x8b") or (not head and name.endswith(".gz")):
        return Format.GZIP
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06", OLE)) or name.lower().endswith((".xlsx", ".xlsm")):
        return Format.XLSX
    return Format.GZIP if name.lower().endswith(".gz") else Format.CSV


class Reading:
    """An opened source's bytes, from the first to the last; the fingerprint is taken on the way."""

    def __init__(self, file: io.FileIO, source: Source) -> None:
        self._file, self._source = file, source
        self._digest = hashlib.sha256()

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes, none at the end. Raises BadInput where the disk fails."""
        block = _read(self._file, self._source.path, size)
        if block:
            self._digest.update(block)
        else:
            self._source.fingerprint.sha256 = self._digest.hexdigest()
        return block

    @property
    def file(self) -> io.FileIO:
        """The file itself, for who needs to jump about in it; to be read to its end before."""
        return self._file

    def finish(self) -> None:
        """Read a refused file on to its end, where that costs next to nothing: its fingerprint helps to find it."""
        if not self._source.fingerprint.sha256 and self._source.size - self._file.tell() <= CHEAP_TO_HASH:
            for _ in range(CHEAP_TO_HASH // MIB + 1):
                if not self.read(MIB):
                    return


@contextmanager
def open_source(source: Source) -> Iterator[Reading]:
    """Open the file for reading it once.

    Raises FileRefused at the end where it was written to meanwhile: a row that was half written looks like a whole one.
    """
    with _open(source.path) as file:
        before = os.fstat(file.fileno())
        reading = Reading(file, source)
        try:
            yield reading
        except BadInput:
            reading.finish()
            raise
        after = os.fstat(file.fileno())
        size = before.st_size != source.size or after.st_size != source.size
        if size or (before.st_ino, before.st_mtime_ns) != (after.st_ino, after.st_mtime_ns):
            raise FileRefused(f"{source.name} was changed while it was read; load it again when it is complete.")

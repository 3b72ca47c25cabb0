"""A workbook's zip file: its parts, with every size bounded before anything is parsed, and their XML event by event.

No part is ever held as a whole, and no tree is built: a part of 500 MiB takes as much memory as one of 5 KiB.
"""

import io
import posixpath
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import Protocol
from xml.parsers import expat

from django.conf import settings

from merchants.imports.limits import (
    DEEPEST,
    KIB,
    LARGEST_DIRECTORY,
    LARGEST_FRAME,
    LONGEST_TOKEN,
    MIB,
    MOST_ELEMENTS,
    MOST_NAMES,
)
from merchants.imports.source import OLE, FileRefused

CHUNK = 16 * KIB

_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_DAMAGED_ZIP = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    ValueError,
    OverflowError,
    LookupError,
    RuntimeError,  # an encrypted part; NotImplementedError is one for an odd way of packing
)


class Handler(Protocol):
    """Takes a part's XML, until it is `done`: names without their prefix, an element's texts in pieces."""

    done: bool

    def start(self, name: str, attributes: dict[str, str], parent: str) -> None:
        """An element begins."""

    def text(self, data: str) -> None:
        """Text, or a piece of one."""

    def end(self, name: str, parent: str) -> None:
        """An element ends."""


class Archive:
    """The parts of the workbook in `file`. Raises FileRefused for what is none, or asks for too much."""

    def __init__(self, file: io.FileIO, name: str) -> None:
        self.name = name
        file.seek(0)
        _refuse_ole(file, name)
        try:
            self._zip = zipfile.ZipFile(_Bounded(file, name))
        except _DAMAGED_ZIP as error:
            raise self.none(error) from None
        entries = self._zip.infolist()
        self._parts = {entry.filename.lower().lstrip("/"): entry for entry in entries}
        if "[content_types].xml" not in self._parts:
            raise FileRefused(self._describe_other())
        self._refuse_bomb(entries, file.seek(0, io.SEEK_END))

    def none(self, error: object) -> FileRefused:
        """The refusal of what is no workbook, or is one no more."""
        return FileRefused(f"{self.name} is no XLSX workbook ({error}). Save it again as XLSX, or as CSV UTF-8.")

    def damaged(self, error: object) -> FileRefused:
        """The refusal of a workbook whose content isn't what it should be."""
        return FileRefused(f"{self.name} is damaged ({error}). Save it again as XLSX, or as CSV UTF-8.")

    def _describe_other(self) -> str:
        packed = self._zip.NameToInfo.get("mimetype")
        if packed is not None and packed.file_size < 200 and b"opendocument" in b"".join(self._contents(packed)):
            return f"{self.name} is an OpenDocument file (.ods); save it as XLSX or as CSV UTF-8."
        return f"{self.name} is a zip file but no XLSX workbook."

    def _refuse_bomb(self, entries: list[zipfile.ZipInfo], size: int) -> None:
        unzipped, most = sum(entry.file_size for entry in entries), settings.UPLOAD_MAX_UNZIPPED_BYTES
        if unzipped > most:
            raise FileRefused(
                f"{self.name} unzips to {unzipped // MIB} MiB, more than the {most // MIB} MiB allowed for a workbook; "
                "send it as CSV or .csv.gz."
            )
        if len(self._parts) < len(entries):
            raise self.damaged("it holds two parts of one name")
        if sum(entry.compress_size for entry in entries) > size:
            raise self.damaged("its parts overlap")

    def has(self, part: str) -> bool:
        """Whether there is such a part."""
        return part.lower() in self._parts

    def relations(self, part: str) -> dict[str, tuple[str, str]]:
        """What a part (or, for "", the package) refers to: id → (type's last word, the other part's name)."""
        folder, base = posixpath.split(part)
        found = _Relations(folder)
        where = posixpath.join(folder, "_rels", f"{base}.rels")
        if self.has(where):
            self.read(where, found)
        return found.all

    def read(self, part: str, handler: Handler, *, largest: int = LARGEST_FRAME) -> None:
        """Parse a part as a whole."""
        for _ in self.parse(part, handler, largest=largest):
            pass

    def parse(self, part: str, handler: Handler, *, largest: int | None = None) -> Iterator[None]:
        """Parse a part, a chunk for each step; `largest` bounds the whole of it, in bytes."""
        try:
            entry = self._parts[part.lower()]
        except KeyError:
            raise self.none(f"{part} is missing") from None
        if largest is not None and entry.file_size > largest:
            raise self.damaged(f"{part} has {entry.file_size // MIB} MiB, more than {largest // MIB}")
        parser = _Parser(handler, self, part, most=None if largest is None else MOST_ELEMENTS)
        for content in self._contents(entry):
            if not handler.done:  # what follows is only unpacked, for its checksum
                parser.feed(content)
                yield
        if not handler.done:
            parser.close()
            yield

    def _contents(self, entry: zipfile.ZipInfo) -> Iterator[bytes]:
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise self.none(f"{entry.filename[:100]} is packed in an odd way")  # others unpack without a bound
        try:
            with self._zip.open(entry) as file:
                while content := file.read(CHUNK):
                    yield content
        except _DAMAGED_ZIP as error:
            raise self.none(error) from None


class _Parser:
    """Expat, bounded: no entities, no endless tags, no endless depth, no endless new names."""

    def __init__(self, handler: Handler, archive: Archive, part: str, *, most: int | None) -> None:
        self._handler, self._archive, self._part = handler, archive, part
        self._most = most
        self._open = [""]
        self._fed = self._names = self._elements = 0
        self._expat = parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = handler.text
        parser.StartDoctypeDeclHandler = self._refuse_doctype

    def feed(self, content: bytes) -> None:
        self._parse(content)
        self._fed += len(content)
        if self._fed - self._expat.CurrentByteIndex > LONGEST_TOKEN:
            raise self._archive.damaged(f"{self._part}: one XML tag is longer than {LONGEST_TOKEN // MIB} MiB")
        names = self._expat.intern
        if len(names) != self._names:
            self._names = len(names)
            if self._names > MOST_NAMES or sum(map(len, names)) > MIB:
                raise self._archive.damaged(f"{self._part}: more than {MOST_NAMES} different XML names")

    def close(self) -> None:
        self._parse(b"", last=True)

    def _parse(self, content: bytes, *, last: bool = False) -> None:
        try:
            self._expat.Parse(content, last)
        except expat.ExpatError as error:
            raise self._archive.damaged(f"{self._part}: {error}") from None

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        if len(self._open) > DEEPEST:
            raise self._archive.damaged(f"{self._part}: XML elements nested deeper than {DEEPEST}")
        self._elements += 1
        if self._most is not None and self._elements > self._most:
            raise self._archive.damaged(f"{self._part}: more than {self._most} XML elements")
        self._handler.start(name, attributes, self._open[-1])
        self._open.append(name)

    def _end(self, _: str) -> None:
        name = self._open.pop()
        self._handler.end(name, self._open[-1])

    def _refuse_doctype(self, *_: object) -> None:
        # Whoever defines entities means no spreadsheet: none has a DOCTYPE.
        raise self._archive.damaged(f"{self._part} defines XML entities or a DOCTYPE, as no spreadsheet does")


class Events:
    """A handler that ignores everything: its children say what they take."""

    done = False

    def start(self, name: str, attributes: dict[str, str], parent: str) -> None:
        """Ignore an element's beginning."""

    def text(self, data: str) -> None:
        """Ignore a text."""

    def end(self, name: str, parent: str) -> None:
        """Ignore an element's end."""


class _Relations(Events):
    def __init__(self, folder: str) -> None:
        self._folder = folder
        self.all: dict[str, tuple[str, str]] = {}

    def start(self, name: str, attributes: dict[str, str], parent: str) -> None:
        if name == "Relationship" and attributes.get("TargetMode") != "External":
            target = posixpath.normpath(posixpath.join("/", self._folder, attributes.get("Target", "")))
            self.all[attributes.get("Id", "")] = (attributes.get("Type", "").rpartition("/")[2], target.lstrip("/"))


class _Bounded:
    """A file that is never read by more than a bound at once: the zip's list of its parts is held as a whole."""

    def __init__(self, file: io.FileIO, name: str) -> None:
        self._file, self._name = file, name
        self.seek, self.tell = file.seek, file.tell

    def seekable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        content = self._file.read(LARGEST_DIRECTORY + 1 if size < 0 or size > LARGEST_DIRECTORY else size) or b""
        if len(content) > LARGEST_DIRECTORY:
            raise FileRefused(f"{self._name} is a zip file of far more parts than a workbook has.")
        return content


def _refuse_ole(file: io.FileIO, name: str) -> None:
    """Refuse what Excel wrote but is no XLSX: a workbook with a password, or one of before 2007."""
    head = file.read(MIB) or b""
    if not head.startswith(OLE):
        return
    if len(head) >= 52:  # the list of its streams stands where the header says
        (shift,), (sector,) = struct.unpack_from("<H", head, 30), struct.unpack_from("<I", head, 48)
        file.seek(min((sector + 1) << min(shift, 16), 2**62))
        head += file.read(64 * KIB) or b""
    if _ENCRYPTED in head:
        raise FileRefused(f"{name} is protected by a password; save it without one and load it again.")
    raise FileRefused(f"{name} is an old Excel workbook (.xls); save it as XLSX or as CSV UTF-8.")

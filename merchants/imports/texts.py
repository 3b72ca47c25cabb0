"""A CSV, packed or not, as checked text: UTF-8, no NUL bytes, no endless lines; refused before they fill memory."""

import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from merchants.imports.encodings import describe_encoding, recognise_utf16
from merchants.imports.limits import LONGEST_LINE, MIB
from merchants.imports.source import FileRefused, Format, Source, open_source

BUFFER = MIB
_PACKED = 64 * 1024
# White space at a cell's edge that can't be seen and that `str.strip` would take away: the separators of old tapes, and
# the line ends that only Unicode knows. A cell with one is a bad one (CONTRACT.md, row errors), wherever it stands.
_UNSEEN_SPACE = (b"\x1c", b"\x1d", b"\x1e", b"\x1f", b"\xc2\x85", b"\xe2\x80\xa8", b"\xe2\x80\xa9")


class _Bytes(Protocol):
    def read(self, size: int) -> bytes: ...


class Text:
    """The text, line by line with the line ends as they are."""

    def __init__(self, guard: "_Guard") -> None:
        self._guard = guard
        self._text = io.TextIOWrapper(io.BufferedReader(guard, BUFFER), encoding="utf-8-sig", newline="")

    def lines(self, characters: int) -> list[str]:
        """Return the next lines, `characters` of them or a little more; none at the end."""
        return self._text.readlines(characters)

    @property
    def unseen_space(self) -> bool:
        """Whether unseen white space came up so far: then cells must be trimmed with care."""
        return self._guard.unseen_space


@contextmanager
def open_text(source: Source) -> Iterator[Text]:
    """Open a CSV, packed or not.

    Raises FileRefused, in here and while it is read, for what is no UTF-8 text, is cut off or has endless lines.
    """
    with open_source(source) as file:
        guard = _Guard(_Unpacked(file, source.name) if source.format is Format.GZIP else file, source.name)
        try:
            yield Text(guard)
        except UnicodeDecodeError:
            raise FileRefused(describe_encoding(guard.recent_lines(), source.name)) from None
        except EOFError:
            raise FileRefused(f"{source.name} is cut off: its gzip data ends too early. Send it again.") from None
        except zlib.error as error:
            raise FileRefused(f"{source.name} is no sound gzip file ({error}). Pack it again.") from None


class _Unpacked:
    """The content of a gzip file: of one packed stream, or of several, one after the other.

    Python's own reader goes through a header byte by byte and through empty streams one by one, without end.
    """

    def __init__(self, file: _Bytes, name: str) -> None:
        self._file, self._name = file, name
        self._stream = zlib.decompressobj(wbits=31)
        self._packed = b""
        self._first, self._begun = True, False

    def read(self, size: int) -> bytes:
        silent = 0
        while silent <= MIB:
            if self._stream.eof:
                self._packed = self._stream.unused_data
                self._stream = zlib.decompressobj(wbits=31)
                self._first, self._begun = False, False
            self._packed = self._packed or self._file.read(_PACKED)
            if not self._packed:
                if self._begun or self._first:
                    raise EOFError
                return b""
            if not self._begun and not self._first:
                silent += len(self._packed)
                self._packed = self._packed.lstrip(b"\0")  # zeros fill the last block of a tape
                if not self._packed:
                    continue
            self._begun = True
            given = len(self._packed)
            content = self._stream.decompress(self._packed, size)
            self._packed = self._stream.unconsumed_tail
            if content:
                return content
            silent += given - len(self._packed) - len(self._stream.unused_data)
        raise FileRefused(f"{self._name} is no sound gzip file: it goes on and on and holds nothing. Pack it again.")


class _Guard(io.RawIOBase):
    """Passes bytes on and refuses NUL bytes and endless lines, before anything has to hold them in memory."""

    def __init__(self, file: _Bytes, name: str) -> None:
        self._file, self._name = file, name
        self._unended = 0
        self._lines = 0
        self._before: tuple[int, bytes] = (0, b"")
        self._block: bytes | None = None
        self.unseen_space = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # what BufferedReader hands in
        block = self._file.read(len(buffer))
        if self._block is None:
            found = recognise_utf16(block, self._name)
            if found:
                raise FileRefused(found)
        zero = block.find(b"\0")
        if zero >= 0:
            line = self._lines + block.count(b"\n", 0, zero) + 1
            raise FileRefused(
                f"{self._name}, line {line}: a NUL byte. The file is damaged or no text; write it again as UTF-8."
            )
        self._before = (self._lines - (self._block or b"").count(b"\n"), self._block or b"")
        self._block = block
        self._bound(block)
        self.unseen_space = self.unseen_space or any(space in block for space in _UNSEEN_SPACE)
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
        # A long line inside of the block is in memory already: who reads the rows refuses it.

    def recent_lines(self) -> Iterator[tuple[int, bytes]]:
        """Yield the last lines that were read, with their numbers: text that can't be decoded is among them."""
        number, content = self._before
        begins = number == 0
        content += self._block or b""
        lines = content.split(b"\n")
        if not begins and len(lines) > 1:
            number, lines = number + 1, lines[1:]  # the first may be the end of one
        yield from enumerate(lines, start=number + 1)

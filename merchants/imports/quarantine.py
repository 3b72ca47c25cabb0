"""Where a load puts its rejected rows: beside its import, or aside where none of it may stay."""

import pickle
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import IO

from merchants.imports import room
from merchants.models import Import, RejectedRow

Block = list[RejectedRow]


class Quarantine:
    """The rejected rows of a load. They are saved at once, but for a strict load.

    That is rolled back where there are any, so they wait in a nameless file, however many they are, for `release`.
    """

    def __init__(self, import_of: Import) -> None:
        self._import = import_of
        self._file: IO[bytes] | None = None

    def take(self, blocks: Iterable[Block]) -> None:
        """Keep the rows. Raises Unavailable where the disk is full."""
        for block in blocks:
            if self._import.strict:
                self._put_aside(block)
            else:
                self._save(block)

    def release(self) -> None:
        """Save what waits."""
        for block in self._aside():
            self._save(block)

    def _put_aside(self, block: Block) -> None:
        try:
            self._file = self._file or tempfile.TemporaryFile()  # noqa: SIM115 - closed by `_aside`
            pickle.dump(block, self._file)
        except OSError as error:
            raise room.no_room(error) from None

    def _aside(self) -> Iterator[Block]:
        if self._file is None:
            return
        with self._file, suppress(EOFError):
            self._file.seek(0)
            while True:
                yield pickle.load(self._file)  # noqa: S301 - written a moment ago, by us, into a nameless file

    def _save(self, block: Block) -> None:
        for row in block:
            row.import_of = self._import
        RejectedRow.objects.bulk_create(block)

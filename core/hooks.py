"""Where a higher floor hangs in what a lower one must ask or tell. Each app registers in its `AppConfig.ready`.

Three things only: how far back history may still be recorded (the floor with the runs knows), that facts have been
recorded (the same floor wants a run), and that a policy was published (the floor with the partners tells them). Imports
point down, so the lower floor can't ask by name.
"""

from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from core.models import PolicyVersion

_floors: list[Callable[[], datetime | None]] = []
_listeners: list[Callable[[str, int], None]] = []
_readers: list[Callable[[PolicyVersion], None]] = []


def register_recording_floor(floor: Callable[[], datetime | None]) -> None:
    """Have `floor` asked before history is recorded: nothing may count from its moment or earlier."""
    if floor not in _floors:
        _floors.append(floor)


def recording_floor() -> datetime | None:
    """The latest moment at or before which nothing may be recorded any more; None where there is none."""
    moments = [moment for moment in (floor() for floor in _floors) if moment is not None]
    return max(moments, default=None)


def on_recorded(listener: Callable[[str, int], None]) -> None:
    """Have `listener(kind, batch_id)` called after the commit of every batch that brought something new.

    `kind` is a feed's name, or what else recorded the facts (`assignment`, `suspension`).
    """
    if listener not in _listeners:
        _listeners.append(listener)


def announce_facts(*, kind: str, batch_id: int) -> None:
    """Tell every listener, once the present transaction has committed. A listener's failure undoes nothing."""
    for listener in _listeners:
        transaction.on_commit(lambda tell=listener: tell(kind, batch_id), robust=True)  # type: ignore[misc]  # bound now


def on_published(reader: Callable[[PolicyVersion], None]) -> None:
    """Have `reader` called with every later version of a policy, in the transaction that publishes it."""
    if reader not in _readers:
        _readers.append(reader)


def announce_policy(policy: PolicyVersion) -> None:
    """Call every reader. What one raises undoes the publication: who takes part shall know of it."""
    for reader in _readers:
        reader(policy)

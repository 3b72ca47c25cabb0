"""One rule for every state machine: a move is legal when its table says so. No Django here."""

from collections.abc import Collection, Mapping

from core.errors import Conflict


class IllegalTransition(Conflict):
    """The thing is not in a state from which this move exists."""

    code = "illegal_transition"


def ensure_transition(table: Mapping[str, Collection[str]], old: str, new: str, *, what: str = "It") -> None:
    """Refuse the move `old` → `new` unless `table` (state → states that may follow) lists it.

    Raises IllegalTransition, which names the present state: the usual reason is that somebody else was quicker.
    """
    if new not in table.get(old, ()):
        raise IllegalTransition(f"{what} is {old.replace('_', ' ')} and can't become {new.replace('_', ' ')}.")

"""Errors that are meant for people: what is wrong, where, and what to do.

Everything the product refuses on purpose derives from `DomainError`; commands print its one line and
pages and API show it beside the field. Anything else that escapes is a defect.
"""


class DomainError(Exception):
    """A refusal with one clear line. `code` is stable and may be tested and translated."""

    code = "refused"
    exit_status = 1

    def __init__(self, message: str, *, code: str | None = None, exit_status: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code
        if exit_status is not None:
            self.exit_status = exit_status


class BadInput(DomainError):
    """Arguments, a file or a document that can't be read as what it should be."""

    code = "bad_input"
    exit_status = 2


class NotAllowed(DomainError):
    """The actor may not do this; the message gives the reason."""

    code = "not_allowed"


class Conflict(DomainError):
    """Somebody or something else got there first; the message says who or what."""

    code = "conflict"


class NotFound(DomainError):
    """No such thing, or none that this actor may see: the two are never told apart.

    On the command line it is a bad argument that names it.
    """

    code = "not_found"
    exit_status = 2


class Unavailable(DomainError):
    """A service that the work needs is away (database, broker)."""

    code = "unavailable"

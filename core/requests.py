"""The id that ties a request, the tasks it wakes, their log lines and audit rows together."""

from contextvars import ContextVar

_request_id: ContextVar[str] = ContextVar("request_id", default="")


def current_request_id() -> str:
    """The id of the request or task at work; empty outside of one."""
    return _request_id.get()


def set_request_id(value: str) -> None:
    """Name the request or task that is now at work (middleware and task hooks only)."""
    _request_id.set(value)

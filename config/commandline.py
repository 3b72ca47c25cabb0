"""The command line's outermost layer: a database that is away is one clear line, not a traceback."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import psycopg
from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import InterfaceError, OperationalError

from config.addresses import database_from_url
from config.embedded import EmbeddedError
from config.env import env
from config.state import State


def execute(arguments: Sequence[str]) -> None:
    """Run a management command; exit 1 with one line where the surroundings, not the command, are wrong."""
    try:
        execute_from_command_line(list(arguments))
    except (OperationalError, InterfaceError, ImproperlyConfigured, EmbeddedError) as error:
        if "--traceback" in arguments:
            raise
        sys.exit(explain(error))
    except KeyboardInterrupt:
        sys.exit(130)


def explain(error: BaseException) -> str:
    """Say what is wrong and what to do."""
    if not isinstance(error, OperationalError | InterfaceError):
        return str(error)
    first = str(error).strip().split("\n", 1)[0]
    if not is_unreachable(error):
        return f"The database refused: {first}"
    given = env.optional("DATABASE_URL")
    if given:
        entry = database_from_url(given)
        place = f"{entry['HOST'] or 'localhost'}{':' + entry['PORT'] if entry['PORT'] else ''}"
        return f"The database that DATABASE_URL names ({entry['NAME']} at {place}) does not answer: {first}"
    state = State.from_environment()
    if state.services():
        return f"The database of `manage.py up` ({state.services_file}) does not answer: {first}"
    return (
        "No database: start one with `python manage.py up --services-only` in another terminal, "
        "or name one in DATABASE_URL."
    )


def is_unreachable(error: BaseException) -> bool:
    """Whether the server could not be reached or went away, as against refusing a statement."""
    cause = error.__cause__
    state = cause.sqlstate if isinstance(cause, psycopg.Error) else None
    return state is None or state.startswith(("08", "57P"))

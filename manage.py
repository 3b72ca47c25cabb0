#!/usr/bin/env python
"""The command line: `python manage.py help` lists the commands."""

import os
import sys


def main() -> None:
    """Run the command that the arguments name."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")
    try:
        from config.commandline import execute
    except ModuleNotFoundError as error:
        if error.name and error.name.split(".")[0] in {"django", "celery", "psycopg", "structlog"}:
            sys.exit(f"{error.name} is not installed here. Run `make setup`, then use .venv/bin/python manage.py …")
        raise
    execute(sys.argv)


if __name__ == "__main__":
    main()

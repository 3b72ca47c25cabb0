"""`manage.py statement_keys`: the public keys of our statements, or a new key. Needs no database."""

import json
from argparse import ArgumentParser
from typing import Any

from core.cli import Command as BaseCommand
from incentives.keys import published_keys
from incentives.signatures import SigningKey, key_set


class Command(BaseCommand):
    """Print the key set, or a new pair; nothing is changed either way."""

    help = "Print the public keys that our statements are verified with."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the command's arguments."""
        parser.add_argument(
            "--new", action="store_true", help="print a new signing key instead (a secret), and its public half"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["new"]:
            key = SigningKey.make()
            self.stdout.write(f"STATEMENT_SIGNING_KEY={key.text}")
            self.stderr.write(f"Its public half, for STATEMENT_EARLIER_KEYS when it has served: {key.public.text}")
            self.stderr.write(f"Its id: {key.public.id}")
            return
        self.stdout.write(json.dumps(key_set(published_keys()), indent=1))

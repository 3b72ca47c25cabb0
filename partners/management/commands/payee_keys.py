"""`manage.py payee_keys`: put account numbers under the first of PAYEE_KEYS, or make a new key."""

from argparse import ArgumentParser
from typing import Any

from core.actors import Actor
from core.cli import Command as BaseCommand
from core.errors import DomainError
from partners.ciphers import new_key
from partners.services import renew_account_numbers


class Command(BaseCommand):
    """Renew, or with --new only print a key: nothing is changed by that."""

    help = "Seal every account number with the first of PAYEE_KEYS, so that earlier keys can be dropped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the command's arguments."""
        parser.add_argument("--new", action="store_true", help="print a new key instead (a secret)")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["new"]:
            self.stdout.write(new_key())
            return
        done = renew_account_numbers(actor=Actor.system("payee_keys"))
        if done.unreadable:
            raise DomainError(
                f"{len(done.unreadable)} account numbers can't be read with any of PAYEE_KEYS "
                f"(payees {', '.join(map(str, done.unreadable[:20]))}): give the key that they were sealed with too. "
                f"{done.renewed} were renewed."
            )
        self.stdout.write(f"renewed {done.renewed} unchanged {done.unchanged}")

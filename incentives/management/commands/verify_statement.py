"""`manage.py verify_statement`: whether a signed statement is what was signed. Needs no database and no network."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from core.cli import Command as BaseCommand
from core.errors import BadInput, DomainError
from incentives.keys import published_keys
from incentives.signatures import Changed, PublicKey, read_keys, verify

# Far above any statement: a file that isn't one shall not fill the memory.
LARGEST_FILE = 256 * 1024 * 1024


class Command(BaseCommand):
    """Exit 0: valid. 1: changed, or signed by another key. 2: no statement, or a file that can't be read."""

    help = "Say whether a signed statement is what was signed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the command's arguments."""
        parser.add_argument("file", type=Path, help="the statement, as downloaded")
        parser.add_argument(
            "--key", type=Path, help="public keys to trust: the published key set, or a PEM file (default: our own)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        keys = _keys(options["key"]) if options["key"] else published_keys()
        text = _read(path)
        try:
            statement, key = verify(text, keys)
        except BadInput as error:
            raise BadInput(f"{path} is not a statement: {error}", code=error.code) from None
        except Changed as error:
            raise Changed(f"{path} is NOT VALID: {error}") from None
        except DomainError as error:
            raise DomainError(f"{path} is NOT VERIFIED: {error}", code=error.code) from None
        self.stdout.write(f"valid: {_summary(statement)}; signed by {key.id}")


def _keys(path: Path) -> list[PublicKey]:
    try:
        return read_keys(_read(path))
    except BadInput as error:
        raise BadInput(f"--key {path}: {error}") from None


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            text = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise BadInput(f"{path} can't be read: {error.strerror}.") from None
    if len(text) > LARGEST_FILE:
        raise BadInput(f"{path} is no statement: it is larger than {LARGEST_FILE // 1024 // 1024} MB.")
    return text


def _summary(statement: dict[str, Any]) -> str:
    """The statement in one line. What it says was signed: nothing in it can be missing but by the signer's hand."""
    payout, amounts = statement["payout"], statement["amounts"]
    label = "PROVISIONAL statement" if payout["provisional"] else "statement"
    return (
        f"{label} of {statement['partner']['code']} in {statement['program']['code']}, {payout['state']}, "
        f"payable {amounts['payable']} {amounts['currency']}, issued {statement['issued_at']}"
    )

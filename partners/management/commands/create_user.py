"""Make an account, with its roles."""

import getpass
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.db import transaction

from core.actors import OPERATOR_ROLES, Role
from core.cli import Command as BaseCommand
from core.errors import BadInput, NotFound
from core.services import create_user, grant_role
from partners.models import Partner
from partners.services import add_member
from partners.states import MemberRole


class Command(BaseCommand):
    """`create_user EMAIL [--name NAME] [--role ROLE …] [--partner CODE --member-role ROLE] [--language CODE]`."""

    help = (
        "Make an account: an operator's with --role, a partner's with --partner and --member-role. "
        "The password is asked for without showing it, or read from standard input with --password-stdin."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        roles = sorted(role.value for role in OPERATOR_ROLES)
        languages = [code for code, _ in settings.LANGUAGES]
        parser.add_argument("email")
        parser.add_argument("--name", default="", help="as pages show the person (default: the address)")
        parser.add_argument(
            "--role", action="append", choices=roles, default=[], metavar="ROLE", help=f"again for more: {roles}"
        )
        parser.add_argument("--partner", metavar="CODE", help="whose team the person is on")
        parser.add_argument("--member-role", choices=MemberRole.values, help="what the person may do there")
        parser.add_argument("--language", choices=languages, default=settings.LANGUAGE_CODE)
        parser.add_argument("--password-stdin", action="store_true", help="read the password's one line there")

    def handle(self, *args: Any, **options: Any) -> None:
        if (options["partner"] is None) != (options["member_role"] is None):
            raise BadInput("--partner and --member-role go together.")
        partner = find_partner(options["partner"]) if options["partner"] is not None else None
        roles = [Role(name) for name in dict.fromkeys(options["role"])]
        password = read_line() if options["password_stdin"] else ask()
        actor = self.actor()
        with transaction.atomic():  # an account with half of its roles would be worse than none
            user = create_user(
                actor=actor,
                email=options["email"],
                name=options["name"],
                password=password,
                language=options["language"],
            )
            for role in roles:
                grant_role(actor=actor, user=user, role=role)
            if partner is not None:
                add_member(actor=actor, partner=partner, user=user, role=Role(options["member_role"]))
        granted = ",".join(roles) or "none"
        member = f" partner {partner.code} as {options['member_role']}" if partner is not None else ""
        self.stdout.write(f"user {user.pk} {user.email} roles {granted}{member}")


def find_partner(code: str) -> Partner:
    """Return the partner with this code. Raises NotFound."""
    partner: Partner | None = Partner.objects.filter(code=code).first()
    if partner is None:
        raise NotFound(f"There is no partner {code!r}; the feed `partners` brings them.")
    return partner


def ask() -> str:
    """Ask at the terminal, twice, without showing it. Raises BadInput without a terminal, or where the two differ."""
    if not sys.stdin.isatty():
        raise BadInput("There is no terminal to ask for the password at: pipe it in, with --password-stdin.")
    password = getpass.getpass("Password: ")
    if getpass.getpass("Once more: ") != password:
        raise BadInput("The two passwords differ; nothing was made.")
    return password


def read_line() -> str:
    """Read the password from standard input: its first line, without the line's end."""
    return sys.stdin.readline().rstrip("\r\n")

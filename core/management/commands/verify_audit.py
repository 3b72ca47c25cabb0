"""Walk the audit trail and say whether every row follows from the one before."""

from typing import Any

from core.audit import verify_chain
from core.cli import Command as BaseCommand
from core.errors import DomainError


class Command(BaseCommand):
    """`verify_audit`: exit status 1, and the first row that doesn't follow, where the trail was tampered with."""

    help = "Check the audit trail's chain of hashes from its first row to its last."

    def handle(self, *args: Any, **options: Any) -> None:
        report = verify_chain()
        if not report.intact:
            raise DomainError(f"audit row {report.broken_id} does not follow from the one before it: {report.reason}")
        self.stdout.write(f"audit trail whole: {report.events} rows")

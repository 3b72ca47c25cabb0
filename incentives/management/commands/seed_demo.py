"""Fill an empty database with the demo."""

from typing import Any

from django.conf import settings
from django.utils import timezone, translation

from core.cli import Command as BaseCommand
from core.errors import NotAllowed
from incentives.demo.invites import a_receipt
from incentives.demo.seeding import is_seeded, seed
from incentives.demo.signins import PASSWORD, SIGNINS


class Command(BaseCommand):
    """Seed once; every further call only says who may sign in."""

    help = (
        "Fill an empty database with two invented programs and the people who may sign in (only under `up --demo`). "
        "Facts are append-only, so nothing is ever reset: where the demo is there already, nothing changes, and its "
        "running program stays that of the day of its seeding. For a fresh one, set DINGYAO_STATE to another folder."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise NotAllowed("The demo's people have known passwords: it is seeded only by `manage.py up --demo`.")
        with translation.override("en"):
            if not is_seeded():
                self._seed()
            self._say_who_may_sign_in()

    def _seed(self) -> None:
        self.stdout.write("demo: planning two programs")
        seeded = seed(
            now=timezone.now(), folder=settings.STATE.make(), say=lambda line: self.stdout.write(f"demo: {line}")
        )
        runs = ", ".join(str(run.pk) for run in seeded.runs)
        self.stdout.write(
            f"demo: {seeded.rows} rows loaded, {seeded.rejected} in quarantine; runs {runs} await the worker"
        )

    def _say_who_may_sign_in(self) -> None:
        email, path = (max(len(getattr(each, column)) for each in SIGNINS) for column in ("email", "path"))
        self.stdout.write(f"Sign in with the password {PASSWORD} as")
        for sign_in in SIGNINS:
            self.stdout.write(f"  {sign_in.email:<{email}}  {sign_in.path:<{path}}  {sign_in.about}")
        receipt = a_receipt()
        if receipt:
            self.stdout.write(f"And what a merchant sees, without signing in: {receipt}")

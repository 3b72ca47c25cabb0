"""What every page asks first: who is there, for which partner (both from `partners.pages`), in which program."""

from dataclasses import dataclass

from django.http import Http404, HttpRequest

from core.models import Program
from incentives.models import Run
from incentives.queries import ProgramOverview, latest_run, program_overviews
from partners.pages import actor_for, partner_for

__all__ = ["Place", "actor_for", "asked_payout", "overview_of", "partner_for", "program_or_404"]


@dataclass(frozen=True, slots=True)
class Place:
    """A program and its last published run, if there is one."""

    program: Program
    run: Run | None

    @property
    def zone(self) -> str:
        """The program's time zone."""
        return self.run.rules.timezone if self.run else str(self.program.zone)


def program_or_404(code: str) -> Place:
    """The program of this code with its last published run. Programs are no secret; what is in them is."""
    program = Program.objects.filter(code=code, policies__number=1).first()
    if program is None:
        raise Http404
    return Place(program, latest_run(program))


def asked_payout(request: HttpRequest) -> int | None:
    """The payout that `?payout=` asks for; None where it doesn't. Raises Http404 for what is no number of one."""
    asked = request.GET.get("payout")
    if asked is None:
        return None
    if not (asked.isascii() and asked.isdecimal() and len(asked) < 19):
        raise Http404
    return int(asked)


def overview_of(code: str) -> ProgramOverview:
    """The program's overview, or Http404."""
    found = next((overview for overview in program_overviews() if overview.code == code), None)
    if found is None:
        raise Http404
    return found

"""What every page asks first: who is there, for which partner, in which program."""

from dataclasses import dataclass

from django.http import Http404, HttpRequest

from core.actors import Actor
from core.models import Program
from incentives.models import Run
from incentives.queries import ProgramOverview, latest_run, program_overviews
from partners.models import Partner
from partners.people import actor_of


def actor_for(request: HttpRequest) -> Actor:
    """The actor behind the request; asked once."""
    known = getattr(request, "_actor", None)
    if isinstance(known, Actor):
        return known
    actor = actor_of(request.user)
    request._actor = actor  # type: ignore[attr-defined]  # kept for this request
    return actor


def partner_for(request: HttpRequest) -> tuple[Partner, list[Partner]]:
    """The partner that the portal shows, and those of the person's own organisations to switch to.

    `?partner=CODE` chooses and is remembered; operators look at any partner's pages in this way. Raises Http404
    for a partner that isn't there or isn't theirs, and where there is none at all.
    """
    actor = actor_for(request)
    visible = Partner.objects.visible_to(actor)
    own = list(visible.filter(pk__in=actor.partner_ids).order_by("code"))
    asked = request.GET.get("partner")
    if asked is not None:
        chosen = visible.filter(code=asked).first()
        if chosen is None:
            raise Http404
        request.session["partner"] = chosen.code
        return chosen, own
    remembered = request.session.get("partner")
    if remembered:
        chosen = next((partner for partner in own if partner.code == remembered), None)
        chosen = chosen or (visible.filter(code=remembered).first() if actor.is_operator else None)
        if chosen is not None:
            return chosen, own
    if not own:
        raise Http404
    return own[0], own


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
    program = Program.objects.filter(code=code).first()
    if program is None or not program.policies.exists():
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

"""The target list on a partner's pages: search it, look at an entry, claim it, give it back."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from core.actors import Actor, Capability
from core.errors import DomainError
from core.models import PolicyVersion
from core.policy import Policy
from core.policy_words import WORDED
from merchants.filters import TargetFilter
from merchants.forms import HOMES
from merchants.listing import Place, latest_versions, standing_claims
from merchants.models import LinkTarget, TargetEntry
from merchants.queries.claims import claim_rows, claims_of
from merchants.queries.targets import RELATED, entries_of, place_counts, target_rows
from merchants.querysets import ClaimQuerySet, TargetEntryQuerySet
from merchants.services import claim_entry, release_claim
from partners.links import may_recruit
from partners.models import Partner
from partners.pages import actor_for, partner_for
from partners.queries import standing_of

PER_PAGE = 25


@dataclass(frozen=True, slots=True)
class Desk:
    """Who looks at which program's list, for which partner, and when. `titles`: every program's code and name."""

    actor: Actor
    partner: Partner
    own: list[Partner]
    policy: PolicyVersion
    titles: list[tuple[str, str]]
    at: datetime

    @property
    def rules(self) -> Policy:
        """The rules in force."""
        return self.policy.rules

    def entries(self) -> TargetEntryQuerySet:
        """The list as this partner sees it."""
        return entries_of(actor=self.actor, version=self.policy, partner_id=self.partner.pk, at=self.at)

    def claims(self) -> ClaimQuerySet:
        """The partner's claims."""
        return claims_of(actor=self.actor, program=self.policy.program, partner_id=self.partner.pk)

    def may_recruit(self) -> bool:
        """Whether the person is an owner or a member here. Whoever belongs to this partner alone has its role there."""
        if self.actor.partner_ids == {self.partner.pk}:
            return self.actor.can(Capability.RECRUIT)
        return may_recruit(self.actor, self.partner.pk)


def desk_for(request: HttpRequest, program: str) -> Desk:
    """Raises Http404 for a program that isn't there, and as `partner_for` does."""
    partner, own = partner_for(request)
    versions = sorted(latest_versions(), key=lambda one: (-one.program.ends_on.toordinal(), one.program.code))
    policy = next((one for one in versions if one.program.code == program), None)
    if policy is None:
        raise Http404
    titles = [(one.program.code, one.title) for one in versions]
    return Desk(actor_for(request), partner, own, policy, titles, timezone.now())


def around(desk: Desk, tab: str, *, held: int | None = None) -> dict[str, Any]:
    """What the frame and the tabs of all these pages need, and whether something may be done. At most four queries."""
    today = desk.at.astimezone(desk.rules.zone).date()
    standing = standing_of(desk.partner, today=today)
    over = today > desk.policy.program.ends_on
    if held is None:
        held = desk.claims().filter(pk__in=standing_claims(desk.at)).count()
    return {
        "here": "targets",
        "partner": desk.partner,
        "own": desk.own,
        "looking_in": desk.actor.is_operator,
        "program": desk.policy.program,
        "programs": desk.titles,
        "tab": tab,
        "rules": desk.rules,
        "zone": desk.rules.timezone,
        "standing": standing,
        "over": over,
        "held": held,
        "room": max(0, desk.rules.claim.max_in_force - held),
        "may_recruit": desk.may_recruit(),
        "may_claim": standing.state == "certified" and not over and held < desk.rules.claim.max_in_force,
    }


@login_required
@require_safe
def targets(request: HttpRequest, program: str) -> HttpResponse:
    """The list, to search and filter."""
    desk = desk_for(request, program)
    entries = desk.entries()
    counts = place_counts(entries)
    narrowed = TargetFilter(request.GET, queryset=entries.select_related(*RELATED).order_by("-listed_on", "code"))
    chosen = narrowed.qs if narrowed.is_valid() else entries.none()
    page = Paginator(chosen, PER_PAGE).get_page(request.GET.get("page"))
    query = request.GET.copy()
    query.pop("page", None)
    query.pop("partner", None)
    shown = set(request.GET.getlist("place"))
    return render(
        request,
        "portal/targets.html",
        {
            **around(desk, "list", held=counts.held),
            "page": page,
            "targets": target_rows(page.object_list, partner_ids=[desk.partner.pk], versions=[desk.policy], at=desk.at),
            "counts": counts,
            "search": request.GET.get("search", ""),
            "country": request.GET.get("country", ""),
            "homes": HOMES,
            "chips": [(place.value, place.label, counts.by_place.get(place, 0), place in shown) for place in Place],
            "query": query.urlencode(),
        },
    )


@login_required
@require_safe
def target(request: HttpRequest, program: str, code: str) -> HttpResponse:
    """One entry: may it be recruited, what counts for it, what to do. Foreign and absent are not told apart."""
    desk = desk_for(request, program)
    entry = _entry_or_404(desk, code)
    (row,) = target_rows([entry], partner_ids=[desk.partner.pk], versions=[desk.policy], at=desk.at)
    links = (
        LinkTarget.objects.filter(entry=entry, link__partner=desk.partner)
        .select_related("link", "link__revocation")
        .order_by("-link")[:10]
    )
    return render(
        request,
        "portal/target.html",
        {
            **around(desk, "list"),
            "target": row,
            "links": [(made.link, _works(made, desk.at)) for made in links],
            "order": WORDED["attribution.order"][1](desk.rules.attribution.order),
        },
    )


@login_required
@require_POST
def claim(request: HttpRequest, program: str, code: str) -> HttpResponse:
    """Claim the entry."""
    desk = desk_for(request, program)
    entry = _entry_or_404(desk, code)
    try:
        claim_entry(actor=desk.actor, partner=desk.partner, entry=entry, at=desk.at)
    except DomainError as refused:
        messages.error(request, refused.message)
    else:
        messages.info(request, _("The entry is yours for now. Send the merchant your link while it is."))
    return redirect("portal-target", program, code)


@login_required
@require_POST
def release(request: HttpRequest, program: str, code: str) -> HttpResponse:
    """Give the entry back."""
    desk = desk_for(request, program)
    entry = _entry_or_404(desk, code)
    held = desk.claims().filter(entry=entry, pk__in=standing_claims(desk.at)).order_by("expires_at").first()
    if held is None:
        messages.error(request, _("Your organisation has no claim on this entry now."))
    else:
        try:
            release_claim(actor=desk.actor, claim=held, at=desk.at)
        except DomainError as refused:
            messages.error(request, refused.message)
        else:
            messages.info(request, _("The claim is given back: whoever comes first may have the entry."))
    if request.POST.get("back") == "claims":
        return redirect("portal-claims", program)
    return redirect("portal-target", program, code)


@login_required
@require_safe
def claims(request: HttpRequest, program: str) -> HttpResponse:
    """The partner's claims: those that stand, the next to end first; then those that are over."""
    desk = desk_for(request, program)
    every = desk.claims()
    standing = list(every.filter(pk__in=standing_claims(desk.at)).order_by("expires_at", "pk"))
    page = Paginator(every.exclude(pk__in=[one.pk for one in standing]).order_by("-claimed_at", "pk"), PER_PAGE)
    over = page.get_page(request.GET.get("page"))
    rows = claim_rows(actor=desk.actor, claims=[*standing, *over.object_list], at=desk.at)
    return render(
        request,
        "portal/claims.html",
        {
            **around(desk, "claims", held=len(standing)),
            "standing_claims": rows[: len(standing)],
            "past_claims": rows[len(standing) :],
            "page": over,
        },
    )


def _entry_or_404(desk: Desk, code: str) -> TargetEntry:
    if "\0" in code:  # PostgreSQL holds none
        raise Http404
    found: TargetEntry | None = desk.entries().filter(code=code).select_related(*RELATED).first()
    if found is None:
        raise Http404
    return found


def _works(made: LinkTarget, at: datetime) -> bool:
    revoked = getattr(made.link, "revocation", None)
    return made.link.starts_at <= at < made.link.expires_at and revoked is None

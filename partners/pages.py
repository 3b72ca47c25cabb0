"""What every page of the portal asks first: who is there, and for which partner."""

from typing import Any

from django.http import Http404, HttpRequest

from core.actors import Actor
from core.models import Program
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


def frame(request: HttpRequest, here: str, partner: Partner, own: list[Partner]) -> dict[str, Any]:
    """What the frame around a page of the portal needs. The rail's other pages open on the program that ends last."""
    return {
        "here": here,
        "partner": partner,
        "own": own,
        "looking_in": actor_for(request).is_operator,
        "program": Program.objects.filter(policies__number=1).order_by("-ends_on", "code").first(),
    }

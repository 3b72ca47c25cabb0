"""A merchant registers through a partner's link, on the portal's own form (POLICY 4).

What is recorded is a registration, not yet a shop: a shop in the feed that carries its receipt takes its link and
instant. Whoever registers a merchant that somebody else has registered before gets a receipt like everybody:
registration numbers are public, so the first to type one must neither win it nor learn of another. Operators see both
(`RegistrationQuerySet.contested`).
"""

from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from core import audit
from core.actors import Actor
from core.errors import BadInput, NotFound
from core.recording import open_batch, seal
from merchants.entrants import Entrant, contact_key, problems
from merchants.models import Registration, RegistrationConsent, RegistrationContact
from merchants.queries.registrations import markets_of
from partners.links import live_links, new_code
from partners.models import InviteLink, Partner

# Whoever registers has no account; the trail says that it was the form.
MERCHANT = Actor(user_id=None, label="registration form")


class LinkIsDead(NotFound):
    """No such link, or it has expired, was revoked, is used up, or its partner is suspended: never told apart."""

    code = "link_is_dead"


class _Known(Exception):
    def __init__(self, registration: Registration) -> None:
        super().__init__()
        self.registration = registration


def register_merchant(*, actor: Actor = MERCHANT, code: str, entrant: Entrant, at: datetime) -> Registration:
    """Register `entrant` through the link `code` and return its registration, which bears the receipt.

    The same merchant and contact through the same link again get their first registration, also when it was the link's
    last use: a form that is sent twice counts once. Raises LinkIsDead; BadInput for an entrant that the form would have
    refused.
    """
    known = _first(code, entrant)
    if known is not None:
        return known
    link = live_links(at).filter(code=code).select_related("program").first()
    if link is None:
        raise LinkIsDead(_("This link doesn't work."))
    wrong = problems(entrant, markets_of(link))
    if wrong:
        raise BadInput(next(iter(wrong.values())))
    try:
        return _register(actor, link, entrant, at)
    except _Known as twin:
        return twin.registration


@transaction.atomic
def _register(actor: Actor, link: InviteLink, entrant: Entrant, at: datetime) -> Registration:
    # Whoever suspends a partner holds its row: this is before, or sees that the links are off.
    Partner.objects.select_for_update(no_key=True).get(pk=link.partner_id)
    # The one place where uses grow: the condition is judged again for each who waited for the row.
    used = live_links(at).filter(pk=link.pk).update(uses=F("uses") + 1)
    known = _first(link.code, entrant)
    if known is not None:  # the same form, sent twice at once: the use is given back with the transaction
        raise _Known(known)
    if not used:
        raise LinkIsDead(_("This link doesn't work."))
    batch = open_batch(source="merchant", actor_id=actor.user_id)
    country, registration_key = entrant.entity
    made = Registration.objects.create(
        receipt=_new_receipt(),
        link=link,
        registered_at=at,
        merchant_name=entrant.merchant_name,
        country=country,
        registration_no=entrant.registration_no,
        registration_key=registration_key,
        brand_name=entrant.brand,
        market=entrant.market,
        batch=batch,
    )
    RegistrationContact.objects.create(
        registration=made, name=entrant.contact_name, phone=entrant.phone, wechat=entrant.wechat
    )
    RegistrationConsent.objects.bulk_create(
        RegistrationConsent(registration=made, kind=kind, notice_version=entrant.notice_version)
        for kind in sorted(entrant.consents)
    )
    seal(batch)
    audit.record(actor=actor, action="merchant.registered", subject=made, details={"link": link.pk})
    return made


def _first(code: str, entrant: Entrant) -> Registration | None:
    """The first registration of this merchant and contact through the link. The index registration_entity."""
    country, registration_key = entrant.entity
    found = (
        Registration.objects.filter(link__code=code, country=country, registration_key=registration_key)
        .select_related("contact")
        .order_by("pk")
    )
    registration: Registration
    for registration in found:
        contact = getattr(registration, "contact", None)  # gone where it was erased
        if contact and contact_key(phone=contact.phone, wechat=contact.wechat) == entrant.contact:
            return registration
    return None


def _new_receipt() -> str:
    """A receipt's number: 138 bits that can be read out, in four groups."""
    signs = new_code(28).upper()
    return "R-" + "-".join(signs[place : place + 7] for place in range(0, 28, 7))

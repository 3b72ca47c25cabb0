"""What a partner does for merchants, said to them: what it stated itself, or else what its category does."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core.words import joined
from partners.models import Application, Partner
from partners.states import ApplicationState, Category, Service

OFFERS: dict[Category, Promise] = {
    Category.PAYMENT: _("receiving and converting what the shop earns"),
    Category.COMPLIANCE: _("product compliance, labels and tax numbers"),
    Category.LOGISTICS: _("transport to the market and to the buyers"),
    Category.ADVERTISING: _("making the shop and its products known"),
    Category.STORE_OPERATION: _("running the shop with you, or for you"),
    Category.ERP: _("connecting orders, stock and accounts"),
    Category.TRAINING: _("training your team to sell on the marketplace"),
    Category.MEDIA: _("news of markets and rules"),
    Category.KOL: _("creators who show your products"),
    Category.OVERSEAS_WAREHOUSE: _("storage close to the buyers, and shipping from there"),
}


def offer_of(partner: Partner) -> str:
    """In a few words, in the reader's language; empty where nothing is known."""
    stated = (
        Application.objects.filter(partner=partner, state=ApplicationState.CERTIFIED)
        .order_by("-decided_at")
        .values_list("services", flat=True)
        .first()
    )
    if stated:
        return joined(str(Service(service).label) for service in stated)
    return str(OFFERS.get(Category(partner.category), ""))

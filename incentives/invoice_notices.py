"""What people are told about invoices."""

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from core.actors import ROLE_CAPABILITIES, Capability
from core.models import User
from core.notices.kinds import Kind, money, named, register
from core.notices.links import Link
from core.notices.telling import tell
from incentives.models import Invoice
from partners.models import Membership

_SHOWN = {"program": named, "amount": money}

register(
    Kind(
        "invoice.accepted",
        _("An invoice was accepted"),
        _("%(program)s: your invoice %(number)s was accepted."),
        shown=_SHOWN,
        mail=False,
    ),
    Kind(
        "invoice.refused",
        _("An invoice was refused"),
        _("%(program)s: your invoice %(number)s was refused. Read why, and hand in another one."),
        subject=_("%(program)s: your invoice was refused"),
        shown=_SHOWN,
    ),
    Kind(
        "invoice.to_check",
        _("Invoices of partners to check"),
        _("%(organisation)s has handed in the invoice %(number)s of %(amount)s (%(program)s)."),
        shown=_SHOWN,
        mail=False,
        audience="operators",
    ),
)

_PAYERS = [role.value for role, allowed in ROLE_CAPABILITIES.items() if Capability.PAY in allowed]


def handed_in(invoice: Invoice) -> None:
    """Tell the operators who pay."""
    payers = User.objects.filter(role_grants__role__in=_PAYERS).exclude(memberships__partner=invoice.partner_id)
    tell(
        kind="invoice.to_check",
        people=payers.distinct().values_list("pk", flat=True),
        params={
            "program": _program(invoice),
            "organisation": invoice.partner.name,
            "number": invoice.number,
            "amount": [str(invoice.amount), invoice.currency],
        },
        link=Link("admin:incentives_invoice_change", (invoice.pk,)),
        at=invoice.uploaded_at,
    )


def accepted(invoice: Invoice, *, at: datetime) -> None:
    """Tell the partner's people."""
    _partner("invoice.accepted", invoice, at=at)


def refused(invoice: Invoice, *, at: datetime) -> None:
    """Tell the partner's people; the page says why."""
    _partner("invoice.refused", invoice, at=at)


def _partner(kind: str, invoice: Invoice, *, at: datetime) -> None:
    payout = invoice.payout
    tell(
        kind=kind,
        people=Membership.objects.filter(partner=invoice.partner_id).values_list("user", flat=True),
        params={"program": _program(invoice), "number": invoice.number},
        link=Link("portal-payout", (payout.program.code,), {"partner": payout.partner.code, "payout": payout.pk}),
        at=at,
    )


def _program(invoice: Invoice) -> dict[str, str] | str:
    payout = invoice.payout
    return dict(payout.policy.rules.name) or payout.program.code

"""What people are told about the account that a partner is paid to.

Owners get mails that can't be switched off: whoever didn't make the change has to hear of it. No notice has any part of
an account number.
"""

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from core.actors import ROLE_CAPABILITIES, Capability
from core.models import User
from core.notices.kinds import Kind, register
from core.notices.links import Link
from core.notices.telling import tell
from partners.models import Membership, Payee
from partners.states import MemberRole

register(
    Kind(
        "payee.stated",
        _("The account that your organisation is paid to is to change"),
        _(
            "A new account was stated for payments to %(organisation)s. Nothing is paid until the marketplace has "
            "confirmed it. If none of you did this, withdraw it at once and change your password."
        ),
        subject=_("%(organisation)s: a new account for payments, please check"),
        mail_fixed=True,
    ),
    Kind(
        "payee.withdrawn",
        _("A change of the account was withdrawn"),
        _("The account that waited for confirmation was withdrawn. Payments to %(organisation)s go on as before."),
        subject=_("%(organisation)s: the change of the account was withdrawn"),
        mail_fixed=True,
    ),
    Kind(
        "payee.confirmed",
        _("The account that your organisation is paid to is confirmed"),
        _("The marketplace has confirmed the account. Payments to %(organisation)s go to it from now on."),
        subject=_("%(organisation)s: the account for payments is confirmed"),
        mail_fixed=True,
    ),
    Kind(
        "payee.refused",
        _("The account that your organisation stated was refused"),
        _("The marketplace has refused the account that was stated for %(organisation)s. Read why."),
        subject=_("%(organisation)s: the account for payments was refused"),
        mail_fixed=True,
    ),
    Kind(
        "payee.to_confirm",
        _("Accounts of partners to confirm"),
        _("%(organisation)s has stated an account to be paid to. Nothing is paid to it until it is decided."),
        mail=False,
        audience="operators",
    ),
)

_CONFIRMERS = [role.value for role, allowed in ROLE_CAPABILITIES.items() if Capability.CONFIRM_PAYEE in allowed]


def stated(payee: Payee) -> None:
    """Tell the owners, and the operators whose turn it is."""
    _owners("payee.stated", payee, at=payee.stated_at)
    confirmers = User.objects.filter(role_grants__role__in=_CONFIRMERS).exclude(memberships__partner=payee.partner_id)
    tell(
        kind="payee.to_confirm",
        people=confirmers.distinct().values_list("pk", flat=True),
        params={"organisation": payee.partner.name},
        link=Link("console-partner", (payee.partner.code,)),
        at=payee.stated_at,
    )


def withdrawn(payee: Payee, *, at: datetime) -> None:
    """Tell the owners that a change was taken back."""
    _owners("payee.withdrawn", payee, at=at)


def confirmed(payee: Payee, *, at: datetime) -> None:
    """Tell the owners where money goes from now on."""
    _owners("payee.confirmed", payee, at=at)


def refused(payee: Payee, *, at: datetime) -> None:
    """Tell the owners that it was refused; the page says why."""
    _owners("payee.refused", payee, at=at)


def _owners(kind: str, payee: Payee, *, at: datetime) -> None:
    owners = Membership.objects.filter(partner=payee.partner_id, role=MemberRole.OWNER)
    tell(
        kind=kind,
        people=owners.values_list("user", flat=True),
        params={"organisation": payee.partner.name},
        link=Link("portal-payee", query={"partner": payee.partner.code}),
        at=at,
    )

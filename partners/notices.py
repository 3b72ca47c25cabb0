"""What people are told about applications, programs and teams, and who is."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from core.actors import ROLE_CAPABILITIES, Capability
from core.models import PolicyVersion, User
from core.notices.kinds import Kind, day, named, register
from core.notices.links import Link
from core.notices.telling import tell
from core.policy_words import differences
from partners.models import ApplicationEvent, Invitation, Joining, Membership, Partner
from partners.states import ApplicationStep, MemberRole


def _what_differs(reader: User, params: Mapping[str, Any]) -> dict[str, Any]:
    """What the new version changes against the one that the reader's organisation accepted last. Two queries."""
    policy = PolicyVersion.objects.filter(pk=params.get("policy", 0)).first()
    accepted = (
        Joining.objects.filter(program=policy.program_id, partner__memberships__user=reader)
        .select_related("policy")
        .order_by("-policy__number")
        .first()
        if policy is not None
        else None
    )
    if policy is None or accepted is None:
        return {}
    return {"accepted": accepted.policy.number, "differences": differences(accepted.policy.rules, policy.rules)}


register(
    Kind(
        "application.submitted",
        _("Your application has arrived"),
        _("The application of %(organisation)s has arrived. We tell you when somebody takes it into review."),
        subject=_("Application of %(organisation)s: arrived"),
    ),
    Kind(
        "application.claimed",
        _("Your application is in review"),
        _("The application of %(organisation)s is in review now."),
        subject=_("Application of %(organisation)s: in review"),
    ),
    Kind(
        "application.asked",
        _("Your application needs more information"),
        _("The marketplace asks for more information about %(organisation)s. Read the question and answer it."),
        subject=_("Application of %(organisation)s: a question for you"),
    ),
    Kind(
        "application.certified",
        _("Your organisation is certified"),
        _("%(organisation)s is certified from %(day)s on. Choose a program and join it."),
        subject=_("%(organisation)s is certified"),
        shown={"day": day},
    ),
    Kind(
        "application.rejected",
        _("Your application was rejected"),
        _("The application of %(organisation)s was rejected. Read why; you may apply again."),
        subject=_("Application of %(organisation)s: rejected"),
    ),
    Kind(
        "application.to_review",
        _("Applications to review"),
        _("%(organisation)s has applied for certification."),
        mail=False,
        audience="operators",
    ),
    Kind(
        "application.answered",
        _("Answers to your questions on applications"),
        _("%(organisation)s has answered what was asked."),
        audience="operators",
    ),
    Kind(
        "program.new_policy",
        _("New rules of a program that you take part in"),
        _("%(program)s has new rules, version %(number)s. See what differs, and accept them."),
        subject=_("%(program)s: new rules, version %(number)s"),
        shown={"program": named},
        template="emails/new_policy",
        details=_what_differs,
    ),
    Kind(
        "partner.suspended",
        _("Your organisation is suspended"),
        _("%(organisation)s is suspended. Read why; its links don't work for as long."),
        subject=_("%(organisation)s is suspended"),
        mail_fixed=True,
    ),
    Kind(
        "partner.reinstated",
        _("The suspension of your organisation is over"),
        _("The suspension of %(organisation)s is over. Its links work again."),
        mail_fixed=True,
    ),
    Kind(
        "partner.terminated",
        _("The cooperation with your organisation was ended"),
        _("The cooperation with %(organisation)s was ended. Read why."),
        mail_fixed=True,
    ),
    Kind(
        "team.invited",
        _("You are invited to a team"),
        _("%(organisation)s invites you to its team in Dingyao. The invitation can be taken up until %(day)s."),
        subject=_("%(organisation)s invites you to its team"),
        shown={"day": day},
        inbox=False,
        mail_fixed=True,
        audience="strangers",
    ),
    Kind(
        "team.joined",
        _("A colleague has joined your team"),
        _("A colleague whom you invited has joined the team of %(organisation)s."),
        mail=False,
    ),
)

_TO_APPLICANT = {
    ApplicationStep.SUBMITTED: "application.submitted",
    ApplicationStep.CLAIMED: "application.claimed",
    ApplicationStep.ASKED: "application.asked",
    ApplicationStep.CERTIFIED: "application.certified",
    ApplicationStep.REJECTED: "application.rejected",
}
_CERTIFIERS = [role.value for role, allowed in ROLE_CAPABILITIES.items() if Capability.CERTIFY_PARTNER in allowed]


def application_moved(event: ApplicationEvent) -> None:
    """Tell the applicant, or the operators whose turn it is, that an application has taken a step."""
    application, step = event.application, ApplicationStep(event.step)
    params = {"organisation": str(application)}
    if event.effective_from is not None:
        params["day"] = event.effective_from.isoformat()
    if step in _TO_APPLICANT:
        tell(
            kind=_TO_APPLICANT[step],
            people=[application.applicant_id],
            params=params,
            link=Link("application", (application.pk,)),
            at=event.at,
        )
    desk = Link("console-application", (application.pk,))
    if step is ApplicationStep.SUBMITTED:
        certifiers = User.objects.filter(role_grants__role__in=_CERTIFIERS).values_list("pk", flat=True)
        tell(kind="application.to_review", people=certifiers, params=params, link=desk, at=event.at)
    elif step is ApplicationStep.ANSWERED and application.reviewer_id is not None:
        tell(kind="application.answered", people=[application.reviewer_id], params=params, link=desk, at=event.at)


def standing_changed(kind: str, partner: Partner) -> None:
    """Tell everybody in a partner's team that it was suspended, reinstated or terminated (`kind` is the act's name)."""
    tell(
        kind=kind,
        people=Membership.objects.filter(partner=partner).values_list("user", flat=True),
        params={"organisation": partner.name},
        link=Link("portal-programs", query={"partner": partner.code}),
    )


def policy_published(policy: PolicyVersion) -> None:
    """Tell the people of every partner that takes part in the program by an earlier version."""
    partners = Joining.objects.filter(program=policy.program_id).values("partner")
    people = Membership.objects.filter(partner__in=partners).values_list("user", flat=True)
    tell(
        kind="program.new_policy",
        people=people,
        params={
            "program": dict(policy.rules.name) or policy.program.code,
            "number": policy.number,
            "policy": policy.pk,
        },
        link=Link("portal-program", (policy.program.code,)),
        once=f"policy:{policy.pk}",
        at=policy.published_at,
    )


def invited(invitation: Invitation, token: str, *, language: str) -> None:
    """Send the colleague the link. Only this mail has the token."""
    tell(
        kind="team.invited",
        addresses=[invitation.email],
        language=language,
        params={"organisation": invitation.partner.name, "day": invitation.expires_at.isoformat()},
        link=Link("invitation", (token,)),
        at=invitation.created_at,
    )


def joined(invitation: Invitation, *, at: datetime) -> None:
    """Tell the organisation's owners that somebody took up an invitation."""
    owners = Membership.objects.filter(partner=invitation.partner_id, role=MemberRole.OWNER)
    tell(
        kind="team.joined",
        people=owners.exclude(user=invitation.accepted_by_id).values_list("user", flat=True),
        params={"organisation": invitation.partner.name},
        link=Link("portal-team"),
        at=at,
    )

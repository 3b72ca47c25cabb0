"""What a partner's people are told about its payouts, by the decision on them (POLICY 6)."""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from core.models import PolicyVersion
from core.notices.kinds import Kind, money, named, register
from core.notices.links import Link
from core.notices.telling import Message, tell, tell_each
from incentives.models import Adjustment, Payout
from incentives.states import DecisionKind
from partners.models import Membership

_SHOWN = {"program": named, "amount": money}


def _kind(decision: DecisionKind, title: object, sentence: object, subject: object, **more: bool) -> Kind:
    return Kind(f"payout.{decision}", title=title, sentence=sentence, subject=subject, shown=_SHOWN, **more)  # type: ignore[arg-type]  # lazy texts


# Whatever moves or stops money comes by mail unless somebody has switched it off; what only goes on comes by itself.
KINDS = {
    DecisionKind.SUBMIT: _kind(
        DecisionKind.SUBMIT,
        _("A payout goes into review"),
        _("%(program)s: your payout of %(amount)s is in review and provisional. Look at its lines; you can object."),
        _("%(program)s: payout in review"),
    ),
    DecisionKind.APPROVE: _kind(
        DecisionKind.APPROVE,
        _("A payout is approved"),
        _("%(program)s: your payout of %(amount)s is approved."),
        _("%(program)s: payout approved"),
    ),
    DecisionKind.CLOSE: _kind(
        DecisionKind.CLOSE,
        _("A payout closes with nothing to pay"),
        _("%(program)s: your payout is closed, as nothing is left to pay. The statement says why."),
        _("%(program)s: payout closed"),
    ),
    DecisionKind.RETURN: _kind(
        DecisionKind.RETURN,
        _("A payout is returned"),
        _("%(program)s: your payout of %(amount)s was returned and will be computed again. The statement says why."),
        _("%(program)s: payout returned"),
    ),
    DecisionKind.HOLD: _kind(
        DecisionKind.HOLD,
        _("A payout is held"),
        _("%(program)s: your payout of %(amount)s is held and not paid until it is released. The statement says why."),
        _("%(program)s: payout held"),
    ),
    DecisionKind.RELEASE: _kind(
        DecisionKind.RELEASE,
        _("A held payout is released"),
        _("%(program)s: your payout of %(amount)s is released and goes on."),
        _("%(program)s: payout released"),
    ),
    DecisionKind.VOID: _kind(
        DecisionKind.VOID,
        _("A payout is voided"),
        _("%(program)s: your payout of %(amount)s was voided. The statement says why."),
        _("%(program)s: payout voided"),
    ),
    DecisionKind.VOID_LINE: _kind(
        DecisionKind.VOID_LINE,
        _("A payout's line is voided"),
        _("%(program)s: a line of your payout was voided; %(amount)s remain. The statement says which and why."),
        _("%(program)s: a line of your payout was voided"),
    ),
    DecisionKind.UNDO_VOID: _kind(
        DecisionKind.UNDO_VOID,
        _("A void is undone"),
        _("%(program)s: a void of your payout was undone; it comes to %(amount)s."),
        _("%(program)s: void undone"),
    ),
    DecisionKind.START_PAYMENT: _kind(
        DecisionKind.START_PAYMENT,
        _("A payout is sent to the bank"),
        _("%(program)s: %(amount)s are on their way to you."),
        _("%(program)s: payment under way"),
        mail=False,
    ),
    DecisionKind.PAY: _kind(
        DecisionKind.PAY,
        _("A payout is paid"),
        _("%(program)s: %(amount)s were paid to you. The statement has the bank's reference."),
        _("%(program)s: payout paid"),
    ),
    DecisionKind.REFUSE: _kind(
        DecisionKind.REFUSE,
        _("The bank refuses a payment"),
        _("%(program)s: the bank refused the payment of %(amount)s; you are still owed it. The statement says why."),
        _("%(program)s: payment refused by the bank"),
    ),
    DecisionKind.CLAW_BACK: _kind(
        DecisionKind.CLAW_BACK,
        _("Paid money is clawed back"),
        _("%(program)s: money that was paid to you is clawed back. The statement says which lines and why."),
        _("%(program)s: clawback"),
        mail_fixed=True,
    ),
    DecisionKind.CARRY: _kind(
        DecisionKind.CARRY,
        _("Your account is carried over anew"),
        _("%(program)s: your account was carried into your payout anew; it comes to %(amount)s."),
        _("%(program)s: your payout's amount has changed"),
    ),
    DecisionKind.ADJUST: _kind(
        DecisionKind.ADJUST,
        _("A later run's difference is settled"),
        _("%(program)s: a later run differs from your payout by %(amount)s. Your next payout settles that."),
        _("%(program)s: a difference goes into your next payout"),
    ),
}
ADJUSTED = Kind(
    "account.adjusted",
    title=_("Your account is adjusted"),
    sentence=_("%(program)s: your account was adjusted by %(amount)s. Your next payout has it."),
    subject=_("%(program)s: your account was adjusted"),
    shown=_SHOWN,
)
register(*KINDS.values(), ADJUSTED)


def tell_of_adjustment(adjustment: Adjustment, *, at: datetime) -> None:
    """Tell a partner that its running account was adjusted."""
    program = adjustment.program
    tell(
        kind=ADJUSTED.key,
        people=list(Membership.objects.filter(partner=adjustment.partner_id).values_list("user", flat=True)),
        params={
            "program": dict(program.current_policy.rules.name) or program.code,
            "amount": [str(adjustment.amount), adjustment.currency],
        },
        link=Link("portal-payout", (program.code,), {"partner": adjustment.partner.code}),
        at=at,
    )


def tell_of(kind: DecisionKind, payouts: Collection[Payout], *, at: datetime, amount: Decimal | None = None) -> None:
    """Tell each payout's partner what was decided about it, in as many queries however many payouts there are.

    `amount` is told in place of what the payout comes to.
    """
    people: dict[int, list[int]] = {}
    members = Membership.objects.filter(partner__in={payout.partner_id for payout in payouts})
    for partner, user in members.values_list("partner", "user"):
        people.setdefault(partner, []).append(user)
    policies = PolicyVersion.objects.in_bulk({payout.policy_id for payout in payouts})
    tell_each(
        kind=KINDS[kind].key,
        messages=[
            Message(
                people=people.get(payout.partner_id, ()),
                params={
                    "program": dict(policies[payout.policy_id].rules.name) or payout.program.code,
                    "amount": [str(payout.payable if amount is None else amount), payout.currency],
                },
                link=Link("portal-payout", (payout.program.code,), {"partner": payout.partner.code}),
            )
            for payout in payouts
        ],
        at=at,
    )

"""The decisions on one payout as forms: each says before what will happen to which amount, and afterwards what has.

Who may take which, and what it does, is the services' matter (`incentives.policies.steps`); here are its words alone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from core.actors import Actor
from core.notices.kinds import money
from incentives import policies, services
from incentives.admin.steps import LINE_STEPS, STEPS
from incentives.models import Payout, PayoutLine
from incentives.queries.desk import PayoutDetail
from incentives.services.accounts import open_accounts
from incentives.services.desk import figures
from incentives.states import LineState, PayoutState

ZERO = Decimal(0)
# What a step asks for: a reason that must be given, one that may be, the bank's reference.
ASKS = {"return": "reason", "void": "reason", "hold": "reason", "refuse_payment": "reason", "claw_back": "reason"}
ASKS |= {"hold_partner": "reason", "settle_difference": "reason"}
ASKS |= {"release": "why", "release_partner": "why", "undo_void": "why", "mark_paid": "reference"}
# The steps that lead on; the others stop, hurt or repair, and stay closed until somebody opens them.
ONWARD = ("approve", "start_payment", "mark_paid")


@dataclass(frozen=True, slots=True)
class StepForm:
    """A decision that can be taken now: the last part of its address, its verb with its object, what it will do.

    `asks`: `reason` (needed, the partner reads it), `why` (may be left out), `reference` (the bank's) or nothing.
    """

    key: str
    title: str
    effect: str
    asks: str
    amount: Decimal | None = None

    @property
    def leads_on(self) -> bool:
        """Whether it is the usual way on."""
        return self.key in ONWARD

    @property
    def hurts(self) -> bool:
        """Whether it takes something from the partner."""
        return self.asks == "reason"


def told(amount: Decimal, currency: str) -> str:
    """An amount with its currency, in a sentence."""
    return money((str(amount), currency))


def step_forms(actor: Actor, payout: Payout, detail: PayoutDetail) -> list[StepForm]:
    """The decisions on the payout that are open to this person now, in the order of its life."""
    scopes = {hold.scope for hold in detail.holds}
    keys = [key for key in detail.payout.steps if key != "release" or "payout" in scopes]
    if policies.can_hold_partner(actor, payout.partner_id) is True and payout.state in policies.STEPS["hold"]:
        keys.append("release_partner" if "partner" in scopes else "hold_partner")
    carried = _carried(actor, payout)
    if carried is not None:
        keys.append("carry")
    return [_form(key, payout, carried) for key in sorted(keys, key=lambda key: key not in ONWARD)]


def _carried(actor: Actor, payout: Payout) -> Decimal | None:
    """What the payout would carry of its partner's account now, where that isn't what it carries."""
    if payout.state != PayoutState.IN_REVIEW or policies.can_carry(actor, payout) is not True:
        return None
    accounts = open_accounts([payout.partner_id], currency=payout.currency, without=payout)
    now = accounts.get(payout.partner_id, ZERO)
    return now if now != payout.adjustments else None


def _form(key: str, payout: Payout, carried: Decimal | None) -> StepForm:
    amount = told(payout.payable, payout.currency)
    words = {"amount": amount, "partner": payout.partner.name}
    if carried is not None:
        words |= {
            "carried": told(carried, payout.currency),
            "then": told(payout.net_amount + carried, payout.currency),
        }
    if key == "approve" and payout.payable <= 0:
        return StepForm(
            key,
            _("Approve and close"),
            _("Nothing is left to pay: the payout closes, and what it leaves is carried into the partner's next one."),
            "",
        )
    title, effect = _WORDS[key]()
    return StepForm(key, title % words, effect % words, ASKS.get(key, ""))


# Functions, so that each is said in the reader's language.
_WORDS: dict[str, Callable[[], tuple[str, str]]] = {
    "approve": lambda: (
        _("Approve %(amount)s"),
        _(
            "%(amount)s will be owed to %(partner)s and can be paid; the partner is told. "
            "Until it is paid, a void can still stop it."
        ),
    ),
    "return": lambda: (
        _("Return the payout"),
        _("This payout of %(amount)s ends; its shops can be submitted again. The partner reads the reason."),
    ),
    "void": lambda: (
        _("Void %(amount)s"),
        _(
            "%(amount)s will not be paid, and %(partner)s is barred from this program's later submissions until the "
            "void is undone. The partner reads the reason."
        ),
    ),
    "undo_void": lambda: (
        _("Undo the void"),
        _("Lines, state and amounts come back exactly as they were before the void."),
    ),
    "hold": lambda: (
        _("Hold %(amount)s"),
        _(
            "Approval and payment of %(amount)s stop until somebody releases it; its figures stay. "
            "The partner reads the reason."
        ),
    ),
    "release": lambda: (
        _("Release %(amount)s"),
        _("The payout goes on from where it was held, unless something else still stops it."),
    ),
    "hold_partner": lambda: (
        _("Hold all money of %(partner)s"),
        _(
            "Everything unpaid of %(partner)s stops, and what is submitted later too, in every program, until it is "
            "released. The partner reads the reason."
        ),
    ),
    "release_partner": lambda: (
        _("Release all money of %(partner)s"),
        _("Every payout of %(partner)s goes on from where it was, unless something else still stops it."),
    ),
    "carry": lambda: (
        _("Carry the account over anew"),
        _(
            "The partner's account stands at %(carried)s now: the payout will come to %(then)s. "
            "Whoever does this can't approve it."
        ),
    ),
    "start_payment": lambda: (
        _("Send %(amount)s to payment"),
        _(
            "%(amount)s count as under way to the bank; they can't be voided any more. "
            "Payments go in batches as a rule."
        ),
    ),
    "mark_paid": lambda: (
        _("Mark %(amount)s as paid"),
        _("%(amount)s count as paid under the bank's reference. This can't be undone, only clawed back."),
    ),
    "refuse_payment": lambda: (
        _("Refused by the bank"),
        _("%(amount)s are owed again and can be sent once more. The partner reads the reason."),
    ),
    "claw_back": lambda: (
        _("Claw the payout back"),
        _(
            "%(partner)s owes from now on all that is live in this payout; its next payout settles it. "
            "The partner reads the reason. A single line is clawed back from the line."
        ),
    ),
}


def take(actor: Actor, payout: Payout, step: str, *, version: int, text: str) -> str:
    """Take a step with a payout, and say what has happened. Raises KeyError for no such step, and what services do."""
    asks = ASKS.get(step, "")
    if step == "hold_partner":
        stopped = services.hold_partner(actor=actor, partner=payout.partner, reason=text)
        return _("All money of %(partner)s is held: %(count)s payouts stopped. Release it on any of them.") % {
            "partner": payout.partner.name,
            "count": len(stopped),
        }
    if step == "release_partner":
        freed = services.release_partner(actor=actor, partner=payout.partner, reason=text)
        return _("The money of %(partner)s isn't held as a whole any more: %(count)s payouts go on.") % {
            "partner": payout.partner.name,
            "count": len(freed),
        }
    if step == "carry":
        done = services.carry_account(actor=actor, payout=payout, version=version)
    else:
        extra = {"reason": text} if asks in ("reason", "why") else {"reference": text} if asks == "reference" else {}
        done = STEPS[step].act(actor=actor, payout=payout, version=version, **extra)
    words = {"step": SAID[step](), "amount": told(done.payable, done.currency), "state": done.get_state_display()}
    return _("%(step)s. The payout comes to %(amount)s and is: %(state)s.") % words


SAID: dict[str, Callable[[], str]] = {
    "approve": lambda: _("Approved"),
    "return": lambda: _("Returned"),
    "void": lambda: _("Voided; the void can be undone below"),
    "undo_void": lambda: _("The void is undone"),
    "hold": lambda: _("Held; the hold can be released below"),
    "release": lambda: _("Released"),
    "carry": lambda: _("The account is carried over anew"),
    "start_payment": lambda: _("Sent to payment"),
    "mark_paid": lambda: _("Marked as paid"),
    "refuse_payment": lambda: _("Recorded that the bank refused"),
    "claw_back": lambda: _("Clawed back; the partner's next payout settles it"),
}


def line_forms(actor: Actor, payout: Payout, line: PayoutLine, *, held: bool) -> list[StepForm]:
    """The decisions on one line that are open to this person now, each with what the payout would come to."""
    words = {
        "shop": line.shop.code,
        "merchant": line.shop.merchant_name,
        "now": told(payout.payable, payout.currency),
        "without": told(figures(payout, payout.base_amount - line.amount)["payable"], payout.currency),
        "with": told(figures(payout, payout.base_amount + line.amount)["payable"], payout.currency),
        "amount": told(line.amount, payout.currency),
    }
    found = []
    for key in _line_keys(actor, payout, line, held=held):
        title, effect = _LINE_WORDS[key]()
        found.append(StepForm(key, title % words, effect % words, ASKS[key]))
    return found


def _line_keys(actor: Actor, payout: Payout, line: PayoutLine, *, held: bool) -> list[str]:
    live, void = line.state == LineState.LIVE, line.state == LineState.VOID
    # A payout of which voided lines left nothing has closed: undoing one of them opens it again.
    undoable = payout.state in (*policies.STEPS["void"], PayoutState.CLOSED)
    able = policies.can_void(actor, payout) is True
    open_now = {
        "void": live and payout.state in policies.STEPS["void"] and able,
        "undo_void": void and undoable and able,
        "hold": live and not held and _may_hold(actor, payout),
        "release": live and held and _may_hold(actor, payout),
        "claw_back": live
        and payout.state in policies.STEPS["claw_back"]
        and policies.can_claw_back(actor, payout) is True,
    }
    return [key for key, is_open in open_now.items() if is_open]


def _may_hold(actor: Actor, payout: Payout) -> bool:
    return payout.state in policies.STEPS["hold"] and policies.can_hold(actor, payout) is True


_LINE_WORDS: dict[str, Callable[[], tuple[str, str]]] = {
    "void": lambda: (
        _("Void the line of %(shop)s"),
        _(
            "The payout falls from %(now)s to %(without)s, and %(merchant)s is barred from this program's later "
            "submissions until the void is undone. The partner reads the reason."
        ),
    ),
    "undo_void": lambda: (
        _("Undo the void of %(shop)s"),
        _("The line lives again: the payout rises from %(now)s to %(with)s."),
    ),
    "hold": lambda: (
        _("Hold the line of %(shop)s"),
        _(
            "A held line stops its whole payout: %(now)s wait until it is released or voided. "
            "The partner reads the reason."
        ),
    ),
    "release": lambda: (
        _("Release the line of %(shop)s"),
        _("The payout of %(now)s goes on, unless something else still stops it."),
    ),
    "claw_back": lambda: (
        _("Claw back the line of %(shop)s"),
        _(
            "The partner owes this line's %(amount)s, less the discount, from now on; its next payout settles it. "
            "The partner reads the reason."
        ),
    ),
}


def take_line(actor: Actor, payout: Payout, line: PayoutLine, step: str, *, version: int, text: str) -> str:
    """Take a step with one line, and say what has happened. Raises KeyError for no such step."""
    if step == "claw_back":
        done = services.claw_back(actor=actor, payout=payout, lines=[line], reason=text, version=version)
    elif step in ("hold", "release"):
        act = services.hold_line if step == "hold" else services.release_line
        done = act(actor=actor, line=line, reason=text, version=version)
    else:
        done = LINE_STEPS[step].act(actor=actor, line=line, reason=text, version=version)
    return _("%(step)s (%(shop)s). The payout comes to %(amount)s now.") % {
        "step": SAID[step](),
        "shop": line.shop.code,
        "amount": told(done.payable, done.currency),
    }

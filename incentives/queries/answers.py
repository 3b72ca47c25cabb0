"""The overview's answer in a sentence or two, in the reader's language (UX 1)."""

from dataclasses import dataclass
from decimal import Decimal

from django.utils.html import escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.values import round_money
from core.words import amount, day
from incentives.queries.overview import CLOSED, OBSERVED, UPCOMING, Overview
from incentives.states import PayoutState


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence with its figures apart, so that a page can make them stand out."""

    text: str
    figures: dict[str, str]

    def __str__(self) -> str:
        return self.text.format(**self.figures)

    @property
    def html(self) -> SafeString:
        """The sentence with its figures in bold."""
        if not self.figures:
            return escape(self.text)
        return format_html(self.text, **{name: format_html("<b>{}</b>", text) for name, text in self.figures.items()})


def answer_of(overview: Overview) -> tuple[Sentence, ...]:
    """What to know first: the money where it is decided, then what can still be won, else why there is nothing."""
    if overview.run_id is None:
        return (_before_the_first_run(overview),)
    paid = _paid(overview)
    if overview.program.shops is None:
        return (paid,) if paid else (_without_shops(overview),)
    chance = _chance(overview)
    if paid is None:
        return (chance or _decided(overview),)
    return (paid, chance) if chance else (paid,)


def _paid(overview: Overview) -> Sentence | None:
    payout = overview.payout
    if payout is None or payout.state in (PayoutState.COMPUTED, PayoutState.RETURNED):
        return None
    figures = {"amount": _amount(payout.amount, overview.currency)}
    if payout.held:
        return Sentence(_("{amount} is held; nothing is paid until it is released."), figures)
    if payout.state == PayoutState.CLOSED and payout.amount < 0:
        return Sentence(_("The payout came to {amount}: it is carried over to your next one."), figures)
    text = {
        PayoutState.IN_REVIEW: _("{amount} is in review; until it is approved it is provisional."),
        PayoutState.APPROVED: _("{amount} is approved and will be paid next."),
        PayoutState.IN_PAYMENT: _("{amount} is on its way to you."),
        PayoutState.PAID: _("{amount} has been paid."),
        PayoutState.CLOSED: _("The payout is closed: there was nothing to pay."),
        PayoutState.CLAWED_BACK: _("{amount} was paid and has been clawed back."),
        PayoutState.VOID: _("The payout of {amount} was voided. The statement says why."),
    }[PayoutState(payout.state)]
    return Sentence(text, figures)


def _chance(overview: Overview) -> Sentence | None:
    counted = overview.tally
    if counted.week and overview.nearest_days is not None:
        figures = {
            "merchants": _merchants(counted.week),
            "amount": _amount(overview.week_amount, overview.currency),
            "days": _days(overview.nearest_days),
        }
        if counted.week == 1:
            return Sentence(_("{merchants} can still be won this week, worth {amount}: {days}."), figures)
        return Sentence(_("{merchants} can still be won this week, together {amount}; the first has {days}."), figures)
    if counted.winnable and counted.nearest:
        figures = {
            "merchants": _merchants(counted.winnable),
            "amount": _amount(overview.winnable_amount, overview.currency),
            "day": day(counted.nearest),
        }
        return Sentence(
            _("{merchants} can still be won, worth {amount}; nothing ends this week, the first on {day}."), figures
        )
    if counted.waiting:
        settlements = next((window for window in counted.windows if window.kind == "settlement"), None)
        figures = {"merchants": _merchants(counted.waiting)}
        if settlements is None:
            if counted.waiting == 1:
                return Sentence(_("Nothing is left to do: {merchants} waits for a review."), figures)
            return Sentence(_("Nothing is left to do: {merchants} wait for a review."), figures)
        figures |= {"amount": _amount(overview.waiting_amount, overview.currency), "day": day(settlements.last)}
        if counted.waiting == 1:
            return Sentence(
                _("Nothing is left to do: {merchants}, worth {amount}, waits for settlements until {day} at most."),
                figures,
            )
        return Sentence(
            _("Nothing is left to do: {merchants}, worth {amount}, wait for settlements until {day} at most."), figures
        )
    return None


def _decided(overview: Overview) -> Sentence:
    eligible = overview.tally.eligible
    figures = {
        "merchants": _merchants(eligible),
        "amount": _amount(overview.payout.amount if overview.payout else Decimal(0), overview.currency),
    }
    if not eligible:
        return Sentence(_("No merchant is eligible so far, and none can still be won."), {})
    if overview.program.phase == CLOSED:
        return Sentence(
            _("The program is closed: {merchants} eligible, {amount} after the discount, once it is submitted."),
            figures,
        )
    return Sentence(_("{merchants} eligible, {amount} after the discount; everything is decided so far."), figures)


def _without_shops(overview: Overview) -> Sentence:
    registered = overview.funnel.stages[1].count
    if registered:
        return Sentence(
            ngettext(
                "{merchants} has registered through your links; its shop isn't known to the marketplace yet.",
                "{merchants} have registered through your links; their shops aren't known to the marketplace yet.",
                registered,
            ),
            {"merchants": _merchants(registered)},
        )
    if overview.program.phase in (OBSERVED, CLOSED):
        return Sentence(_("No merchant of yours took part in this program."), {})
    return Sentence(_("No merchant of yours is in this program yet."), {})


def _before_the_first_run(overview: Overview) -> Sentence:
    program = overview.program
    if program.phase == UPCOMING:
        return Sentence(
            _("The program starts on {day}: {days}."), {"day": day(program.first), "days": _in_days(program.starts_in)}
        )
    registered = overview.funnel.stages[1].count
    if registered:
        return Sentence(
            _("{merchants} registered through your links. The first run, which judges them, hasn't been made yet."),
            {"merchants": _merchants(registered)},
        )
    return Sentence(
        _("The first run hasn't been made yet. From then on this page says what is won and what isn't."), {}
    )


def _merchants(count: int) -> str:
    return ngettext("%(count)s merchant", "%(count)s merchants", count) % {"count": f"{count:,}"}


def _days(left: int) -> str:
    if left <= 0:
        return _("until midnight")
    return ngettext("%(count)d day left", "%(count)d days left", left) % {"count": left}


def _in_days(count: int) -> str:
    return ngettext("in %(count)d day", "in %(count)d days", count) % {"count": count}


def _amount(value: Decimal, currency: str) -> str:
    """Whole amounts without their zeros: a sentence is read, not added up."""
    text = amount(value) if currency == "CNY" else f"{round_money(value):,.2f} {currency}"
    return text.replace(".00", "", 1) if value == value.to_integral_value() else text

"""What a submission did, told to whoever submitted: the same words in the dashboard and in the back office."""

from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import gettext, ngettext

from core.notices.kinds import money
from incentives.services import SubmissionReport

# So many withheld lines and left out partners are named; the rest is counted.
NAMED = 20


def tell(request: HttpRequest, report: SubmissionReport) -> None:
    """Leave what happened for the next page: what is in review, what is withheld and why, who was left out and why."""
    if report.payouts:
        count = len(report.payouts)
        words = ngettext(
            "%(count)s payout is in review · %(amount)s. Its partner sees it now.",
            "%(count)s payouts are in review · %(amount)s. Their partners see them now.",
            count,
        )
        messages.success(
            request, words % {"count": f"{count:,}", "amount": money((str(report.payable), report.currency))}
        )
    else:
        messages.warning(request, gettext("No payout was made."))
    for line in report.withheld[:NAMED]:
        messages.warning(request, gettext("%(shop)s is withheld: %(why)s") % {"shop": line.shop_code, "why": line.why})
    more = len(report.withheld) - NAMED
    if more > 0:
        words = ngettext("%(count)s more line is withheld.", "%(count)s more lines are withheld.", more)
        messages.warning(request, words % {"count": f"{more:,}"})
    stops = sum(payout.held for payout in report.payouts)
    if stops:
        words = ngettext(
            "%(count)s of them is held at once: somebody has stopped its partner or its line.",
            "%(count)s of them are held at once: somebody has stopped their partners or their lines.",
            stops,
        )
        messages.warning(request, words % {"count": f"{stops:,}"})
    told = [skip for skip in report.skipped if skip.code != "nothing"]
    for skip in told[:NAMED]:
        messages.info(request, f"{skip.partner_name}: {skip.why}")

"""The admin dashboard's pages about payouts."""

from django.urls import path

from incentives.views import console_payout, console_payouts, console_payouts_many

urlpatterns = [
    path("operator/payouts", console_payouts.payouts, name="console-payouts"),
    path("operator/payouts.csv", console_payouts.payouts_csv, name="console-payouts-csv"),
    path("operator/payouts/decide", console_payouts_many.decide_many, name="console-payouts-decide"),
    path("operator/payouts/bulk/<int:bulk>", console_payouts_many.bulk, name="console-payouts-bulk"),
    path("operator/payouts/<int:payout>", console_payout.payout, name="console-payout"),
    path("operator/payouts/<int:payout>/<slug:step>", console_payout.step, name="console-payout-step"),
    path(
        "operator/payouts/<int:payout>/lines/<int:line>/<slug:step>",
        console_payout.line_step,
        name="console-payout-line-step",
    ),
    path(
        "operator/payouts/<int:payout>/adjustments/<int:adjustment>/<slug:answer>",
        console_payout.adjustment_step,
        name="console-payout-adjustment-step",
    ),
    path(
        "operator/payouts/<int:payout>/invoices/<int:invoice>/<slug:answer>",
        console_payout.invoice_step,
        name="console-payout-invoice-step",
    ),
]

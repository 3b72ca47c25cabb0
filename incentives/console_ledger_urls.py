"""The admin dashboard's pages about the ledger and partners' running accounts."""

from django.urls import path

from incentives.views import console_accounts, console_ledger

urlpatterns = [
    path("operator/ledger", console_ledger.ledger, name="console-ledger"),
    path("operator/ledger.csv", console_ledger.ledger_csv, name="console-ledger-csv"),
    path("operator/ledger/partners/<str:partner>", console_accounts.account, name="console-account"),
    path("operator/ledger/partners/<str:partner>/adjust", console_accounts.adjust, name="console-account-adjust"),
    path(
        "operator/ledger/adjustments/<int:adjustment>/<slug:answer>",
        console_accounts.decide,
        name="console-adjustment-step",
    ),
]

"""The front page, the partners' portal, the operators' first pages."""

from django.urls import path

from incentives.views import console, home, merchants, notices, overview, payouts, portal, statements

urlpatterns = [
    path("", home.home, name="home"),
    path("partner/", overview.overview, name="portal-overview"),
    path("partner/<str:program>/overview", overview.overview, name="portal-overview-of"),
    path("partner/<str:program>/shops", merchants.shops, name="portal-shops"),
    path("partner/<str:program>/shops.csv", merchants.shops_csv, name="portal-shops-csv"),
    path("partner/<str:program>/shops.xlsx", merchants.shops_xlsx, name="portal-shops-xlsx"),
    path("partner/<str:program>/shops/<str:shop_code>", merchants.shop, name="portal-shop"),
    path("partner/statements", payouts.statements, name="portal-statements"),
    path("partner/<str:program>/payout/<int:payout>/invoice", payouts.invoice, name="portal-invoice"),
    path("partner/invoices/<int:invoice>/file", payouts.invoice_file, name="portal-invoice-file"),
    path("partner/<str:program>/payout", portal.payout, name="portal-payout"),
    path("partner/<str:program>/payout.csv", statements.as_csv, name="portal-payout-csv"),
    path("partner/<str:program>/payout.xlsx", statements.as_xlsx, name="portal-payout-xlsx"),
    path("partner/<str:program>/payout.json", statements.as_json, name="portal-payout-json"),
    path(".well-known/dingyao-statement-keys.json", statements.keys, name="statement-keys"),
    path("notices/", notices.inbox, name="notices"),
    path("notices/read", notices.read_all, name="notices-read-all"),
    path("notices/settings", notices.preferences, name="notice-settings"),
    path("notices/<int:notice>", notices.open_notice, name="notice"),
    path("notices/<int:notice>/read", notices.read, name="notice-read"),
    path("operator/", console.overview, name="console-overview"),
    path("operator/<str:program>/shops", console.shops, name="console-shops"),
    path("operator/<str:program>/shops.csv", console.shops_csv, name="console-shops-csv"),
    path("operator/<str:program>/shops.xlsx", console.shops_xlsx, name="console-shops-xlsx"),
    path("operator/<str:program>/shops/<str:shop_code>", console.shop, name="console-shop"),
]

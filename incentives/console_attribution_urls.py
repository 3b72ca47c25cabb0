"""The admin dashboard's pages about whose a shop is."""

from django.urls import path

from incentives.views import console_unattributed

urlpatterns = [
    path("operator/unattributed", console_unattributed.listed, name="console-unattributed"),
    path("operator/unattributed.csv", console_unattributed.listed_csv, name="console-unattributed-csv"),
    path("operator/unattributed/apply", console_unattributed.apply_again, name="console-unattributed-apply"),
    path("operator/attribution/<str:shop_code>", console_unattributed.attribution, name="console-attribution"),
    path("operator/attribution/<str:shop_code>/assign", console_unattributed.assign, name="console-attribution-assign"),
    path("operator/registrations/contested", console_unattributed.contested, name="console-contested"),
    path("operator/registrations/contested.csv", console_unattributed.contested_csv, name="console-contested-csv"),
]

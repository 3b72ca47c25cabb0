"""The admin dashboard's pages of recruiting: applications and partners."""

from django.urls import path

from incentives.views import console_applications, console_partners

urlpatterns = [
    path("operator/applications", console_applications.listed, name="console-applications"),
    path("operator/applications.csv", console_applications.listed_csv, name="console-applications-csv"),
    path("operator/applications/<int:application>", console_applications.application, name="console-application"),
    path(
        "operator/applications/<int:application>/<str:step>",
        console_applications.decide_on,
        name="console-application-step",
    ),
    path("operator/partners", console_partners.listed, name="console-partners"),
    path("operator/partners.csv", console_partners.listed_csv, name="console-partners-csv"),
    path("operator/partners/<str:partner>", console_partners.partner, name="console-partner"),
    path("operator/partners/<str:partner>/<str:step>", console_partners.decide_standing, name="console-partner-step"),
    path(
        "operator/partners/<str:partner>/payee/<int:payee>/<str:answer>",
        console_partners.decide_payee,
        name="console-partner-payee",
    ),
]

"""Arriving: programs to read and to join, applications for certification, the team."""

from django.urls import path

from partners.views import account, applications, payees, programs, team

urlpatterns = [
    path("account/", account.account, name="account"),
    path("account/sessions", account.sessions, name="account-sessions"),
    path("programs/", programs.programs, name="programs"),
    path("programs/<str:program>", programs.program, name="program"),
    path("partner/programs", programs.portal_programs, name="portal-programs"),
    path("partner/<str:program>/rules", programs.portal_program, name="portal-program"),
    path("partner/team", team.team, name="portal-team"),
    path("partner/payee", payees.payee, name="portal-payee"),
    path("partner/payee/change", payees.change, name="portal-payee-change"),
    path("partner/payee/withdraw", payees.withdraw, name="portal-payee-withdraw"),
    path("team/invitation/<str:token>", team.invitation, name="invitation"),
    path("apply/", applications.start, name="apply"),
    path("apply/new", applications.new, name="application-new"),
    path("applications/<int:application>", applications.status, name="application"),
    path("applications/<int:application>/edit", applications.edit, name="application-edit"),
    path("applications/<int:application>/answer", applications.answer, name="application-answer"),
    path("applications/<int:application>/withdraw", applications.withdraw, name="application-withdraw"),
    path("applications/<int:application>/files/<int:file>", applications.file, name="application-file"),
]

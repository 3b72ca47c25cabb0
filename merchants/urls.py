"""The merchant's pages, for which no account is needed; and the target list on a partner's pages."""

from django.urls import path

from merchants.views import checks, invites, targets

urlpatterns = [
    path("i/<str:code>", invites.invite_page, name="invite"),
    path("r/<str:number>", invites.receipt_page, name="receipt"),
    path("partner/<str:program>/targets", targets.targets, name="portal-targets"),
    path("partner/<str:program>/targets/<str:code>", targets.target, name="portal-target"),
    path("partner/<str:program>/targets/<str:code>/claim", targets.claim, name="portal-target-claim"),
    path("partner/<str:program>/targets/<str:code>/release", targets.release, name="portal-target-release"),
    path("partner/<str:program>/claims", targets.claims, name="portal-claims"),
    path("partner/<str:program>/check", checks.check, name="portal-check"),
]

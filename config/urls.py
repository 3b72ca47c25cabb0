"""Every address of the portal."""

from __future__ import annotations

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from config import health, outbox

# Without this the back office would have a sign-in of its own, past the second factor.
admin.autodiscover()
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.live, name="healthz"),
    path("readyz", health.ready, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    # One page for changing the password, with the sign-in's own checks and words.
    path("admin/password_change/", RedirectView.as_view(pattern_name="account_change_password")),
    path("admin/", admin.site.urls),
    # One page for where one is signed in, where each place can be ended by itself.
    path("accounts/sessions/", RedirectView.as_view(pattern_name="account-sessions")),
    path("accounts/", include("config.account_urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("api/v1/", include("config.api")),
    path("api/schema", SpectacularAPIView.as_view(), name="schema"),
    # Split: its script is a file of its own, as the content security policy forbids inline ones.
    path("api/docs", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="api-docs"),
    path("", include("partners.urls")),
    path("", include("merchants.urls")),
    path("", include("incentives.link_urls")),
    path("demo/outbox", outbox.outbox, name="demo-outbox"),
    path("demo/outbox/<str:mail_id>", outbox.mail, name="demo-mail"),
    path("", include("incentives.console_recruit_urls")),
    path("", include("incentives.console_attribution_urls")),
    path("", include("partners.console_program_urls")),
    path("", include("merchants.console_feed_urls")),
    path("", include("incentives.console_draft_urls")),
    path("", include("incentives.console_lists_urls")),
    path("", include("incentives.console_urls")),
    path("", include("incentives.console_submit_urls")),
    path("", include("incentives.console_payout_urls")),
    path("", include("incentives.console_payment_urls")),
    path("", include("incentives.console_ledger_urls")),
    path("", include("incentives.urls")),
]
